package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// TestNaughtyStrings: whatever a text is made of, it comes back as one line of
// what was sent, or is refused; nothing breaks.
func TestNaughtyStrings(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(corpus, "naughty-strings.json"))
	if os.IsNotExist(err) {
		t.Skipf("left out: there is no corpus in %s", corpus)
	}
	var naughty []string
	if err := json.Unmarshal(data, &naughty); err != nil {
		t.Fatal(err)
	}
	s := boot(t, fast)
	u := register(t, s.url)
	var submitted []job
	for _, text := range naughty {
		r := u.send("POST", "/v1/documents/text", object{"title": text, "content": "Notes on " + text + ", and nothing else."})
		if r.status == http.StatusAccepted {
			submitted = append(submitted, jobOf(t, r))
			u.isTitled(jobOf(t, r), text)
		} else {
			refused4xx(t, text, r)
		}
		if r := u.send("POST", "/v1/documents/upload", file{text, []byte("A plain text that is named strangely.\n")}); r.status == http.StatusAccepted {
			submitted = append(submitted, jobOf(t, r))
		} else {
			refused4xx(t, text, r)
		}
		if r := u.send("POST", "/v1/documents/search", object{"query": text}); r.status != http.StatusOK {
			refused4xx(t, text, r)
		}
	}
	for _, j := range submitted {
		u.endsClearly(j.Resource.ID, j)
	}
	oracle{t, s}.documentsWhole()
}

func (u *user) isTitled(j job, text string) {
	u.t.Helper()
	want := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cc, r) && r < 0x80 {
			return -1
		}
		return r
	}, text))
	if got := u.document(j.Resource.ID).Title; got != want {
		u.t.Errorf("the title %q came back as %q", text, got)
	}
}

func refused4xx(t testing.TB, text string, r reply) {
	t.Helper()
	if r.status < 400 || r.status >= 500 {
		t.Errorf("%q was answered with status %d: %s", text, r.status, r.body)
		return
	}
	r.problem(t)
}
