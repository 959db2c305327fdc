package extraction_test

import (
	"context"
	"encoding/csv"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

// corpus returns a folder of real documents that lies beside the repository.
func corpus(t testing.TB, name string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "../../../shared/data", name)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		t.Skipf("left out: the folder %s with real documents is not there", name)
	}
	return dir
}

// label is one row of a corpus's labels.csv, by column name.
type label map[string]string

func labels(t *testing.T, dir string) []label {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []label
	for _, row := range rows[1:] {
		l := label{}
		for i, column := range rows[0] {
			l[column] = row[i]
		}
		out = append(out, l)
	}
	return out
}

// expected returns the gold or reference text of a file.
func expected(dir, file string) (string, bool) {
	for _, suffix := range []string{".expected.txt", ".ref.txt"} {
		if data, err := os.ReadFile(filepath.Join(dir, file+suffix)); err == nil {
			return string(data), true
		}
	}
	return "", false
}

// result is what became of one file.
type result struct {
	label
	x   domain.Extraction
	err error
}

func (r result) text() string {
	var pages []string
	for _, p := range r.x.Pages {
		pages = append(pages, p.Text)
	}
	return strings.Join(pages, domain.PageSeparator)
}

// extractAll reads every labelled file of a corpus, two at a time, as an upload
// would be: type from the bytes, then the sandbox.
func extractAll(t *testing.T, dir string) []result {
	t.Helper()
	box := newSandbox(t, extraction.Limits{})
	rows := labels(t, dir)
	results := make([]result, len(rows))
	var wait sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, row := range rows {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wait.Done() }()
			data, err := os.ReadFile(filepath.Join(dir, row["file"]))
			if err != nil {
				t.Error(err)
				return
			}
			results[i].label = row
			results[i].x, results[i].err = upload(t.Context(), box, data, row["file"])
		}()
	}
	wait.Wait()
	t.Logf("largest child: %d MiB", box.PeakMemory()>>20)
	return results
}

func upload(ctx context.Context, box *extraction.Sandbox, data []byte, name string) (domain.Extraction, error) {
	kind, err := extraction.Detect(data[:min(len(data), extraction.DetectBytes)], name)
	if err != nil {
		return domain.Extraction{}, err
	}
	return box.Extract(ctx, extraction.Source{Type: kind, Open: extraction.Bytes(data)}, nil)
}

func newSandbox(t testing.TB, limits extraction.Limits) *extraction.Sandbox {
	t.Helper()
	box := extraction.NewSandbox(limits, 2, slog.New(slog.DiscardHandler))
	t.Cleanup(box.Close)
	return box
}

var word = regexp.MustCompile(`[\p{L}\p{N}\p{M}_]+`)

// tokens counts the words of a text, or its characters for scripts without
// spaces.
func tokens(text string, characters bool) map[string]int {
	text = strings.ToLower(norm.NFKC.String(text))
	counts := map[string]int{}
	if characters {
		for _, r := range text {
			if !unicode.IsSpace(r) {
				counts[string(r)]++
			}
		}
		return counts
	}
	for _, w := range word.FindAllString(text, -1) {
		counts[w]++
	}
	return counts
}

// overlap returns recall and F1 of the words got against those wanted.
func overlap(got, want map[string]int) (recall, f1 float64) {
	var common, g, w int
	for token, n := range want {
		common += min(n, got[token])
		w += n
	}
	for _, n := range got {
		g += n
	}
	if w == 0 {
		return 1, 1
	}
	return float64(common) / float64(w), 2 * float64(common) / float64(g+w)
}

func TestPDFCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "pdf")
	var scored, passed int
	for _, r := range extractAll(t, dir) {
		code := domain.CodeOf(r.err)
		if want, ok := expected(dir, r.label["file"]); ok {
			cjk := r.label["class"] == "script-cjk"
			_, f1 := overlap(tokens(r.text(), cjk), tokens(want, cjk))
			scored++
			if f1 >= 0.95 {
				passed++
			} else {
				t.Logf("F1 %.3f %s %s", f1, r.label["file"], code)
			}
		}
		if os.Getenv("CORPUS_VERBOSE") != "" {
			t.Logf("%s|%s|%s|%s|%d|%v|%.60q|%v", r.label["class"], r.label["file"], code, r.x.State, len(r.x.Pages), r.x.Warnings, r.text(), r.err)
		}
		_ = code
	}
	t.Logf("PDF: %d of %d files reach token F1 0.95", passed, scored)
}

func TestOfficeCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "office")
	type score struct{ scored, passed int }
	scores := map[string]score{}
	for _, r := range extractAll(t, dir) {
		code := domain.CodeOf(r.err)
		if want, ok := expected(dir, r.label["file"]); ok {
			recall, f1 := overlap(tokens(r.text(), false), tokens(want, false))
			s := scores[r.label["format"]]
			s.scored++
			if recall >= 0.98 {
				s.passed++
			} else {
				t.Logf("recall %.3f F1 %.3f %s %v", recall, f1, r.label["file"], r.err)
			}
			scores[r.label["format"]] = s
		}
		if os.Getenv("CORPUS_VERBOSE") != "" {
			t.Logf("%s|%s|%s|%s|%d|%v|%.60q|%v", r.label["format"], r.label["file"], code, r.x.State, len(r.x.Pages), r.x.Warnings, r.text(), r.err)
		}
	}
	t.Logf("office: %v", scores)
}
