package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the quick start of the README as it stands there, against a
// system that was started as it says.
func TestReadme(t *testing.T) {
	t.Parallel()
	s := bootStandalone(t)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"cv.pdf": pdf(vera...), "letter.docx": docx(t, otto...)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := quickStart(t)
	script = strings.Replace(script, "http://localhost:8000", s.url, 1)
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := string(out)
	for _, want := range []string{`"access_token"`, `"job":{`, "event: snapshot", `"filename":"cv.pdf"`, `"mode":"hybrid","provider":"offline"`, "event: done", `"answered":true`} {
		if !strings.Contains(text, want) {
			t.Errorf("the quick start does not print %s:\n%s", want, text)
		}
	}
	var match struct {
		Judge      string `json:"judge"`
		MatchScore *int   `json:"match_score"`
		Candidates []struct {
			Verdicts []json.RawMessage `json:"verdicts"`
		} `json:"candidates"`
	}
	before, _, _ := strings.Cut(text, `"employer_documents"`)
	reply := text[max(strings.LastIndex(before, `{"id":`), 0):]
	if err := json.NewDecoder(strings.NewReader(reply)).Decode(&match); err != nil {
		t.Fatalf("the match is not JSON: %v\n%s", err, reply)
	}
	if match.Judge != "offline" || match.MatchScore == nil || len(match.Candidates) != 1 || len(match.Candidates[0].Verdicts) < 3 {
		t.Errorf("the quick start ends with %s", reply)
	}
}

// quickStart is the shell block behind the README's mark.
func quickStart(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, marked := strings.Cut(string(readme), "<!-- quickstart")
	_, rest, begun := strings.Cut(rest, "```sh\n")
	script, _, ended := strings.Cut(rest, "```")
	if !marked || !begun || !ended {
		t.Fatal("the README has no quick start")
	}
	return script
}
