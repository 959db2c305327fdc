package extraction_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

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
	checkMemory(t, box, extraction.DefaultLimits().Memory)
	return results
}

func upload(ctx context.Context, box *extraction.Sandbox, data []byte, name string) (domain.Extraction, error) {
	kind, err := extraction.Detect(data[:min(len(data), extraction.DetectBytes)], name)
	if err != nil {
		return domain.Extraction{}, err
	}
	return box.Extract(ctx, extraction.Source{Owner: "tester", Type: kind, Open: extraction.Bytes(data)}, nil)
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

// enough reports whether at least 95 of 100 files passed.
func enough(passed, scored int) bool { return scored > 0 && passed*100 >= scored*95 }

// textAfterAll names PDFs of the classes without text in which there is text to
// be read after all; the labels come from a reader that does not find it.
var textAfterAll = []string{
	"pdfjs-arial_unicode_en_cidfont.pdf", "pdfjs-issue15716.pdf", "pdfjs-issue2391-1.pdf", "pdfjs-issue5954.pdf",
}

// unopened is the one PDF with an empty user password that MuPDF refuses.
const unopened = "pdfjs-pr6531_2.pdf"

func TestPDFCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "pdf")
	var scored, passed int
	counts := map[string]int{}
	for _, r := range extractAll(t, dir) {
		name, class, code := r.label["file"], r.label["class"], domain.CodeOf(r.err)
		if want, ok := expected(dir, name); ok {
			_, f1 := overlap(tokens(r.text(), class == "script-cjk"), tokens(want, class == "script-cjk"))
			scored++
			if f1 >= 0.95 {
				passed++
			} else {
				t.Logf("token F1 %.3f: %s %s", f1, name, code)
			}
		}
		counts[class+" "+string(code)+string(r.x.State)]++
		checkClass(t, r, code)
	}
	t.Logf("PDF: %d of %d files reach token F1 0.95 (%.1f %%)", passed, scored, 100*float64(passed)/float64(scored))
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%4d %s", counts[outcome], outcome)
	}
	if !enough(passed, scored) {
		t.Error("fewer than 95 % of the files reach token F1 0.95")
	}
}

// checkClass holds a PDF to what its class promises.
func checkClass(t *testing.T, r result, code domain.Code) {
	t.Helper()
	name := r.label["file"]
	switch r.label["class"] {
	case "image-only", "image-only-small", "blank":
		if code != domain.CodeNoTextFound && !slices.Contains(textAfterAll, name) {
			t.Errorf("%s has no text but ends as %s %s: %q", name, r.x.State, code, r.text())
		}
	case "encrypted":
		if code != domain.CodeDocumentEncrypted {
			t.Errorf("%s is encrypted but ends as %s %s", name, r.x.State, code)
		}
	case "encrypted-openable":
		if code == domain.CodeDocumentEncrypted && name != unopened {
			t.Errorf("%s can be opened but is refused", name)
		}
	}
	if code == domain.CodeInternal {
		t.Errorf("%s: %v", name, r.err)
	}
}

// wrongReferences names files whose reference text, made by another program, is
// wrong where ours is right: letters of code pages other than 1252 misread,
// words of the interface's language put in, list numbers that do not continue
// where the document says so.
var wrongReferences = []string{
	"tika-testRTFJapanese.rtf", "tika-testRTFWindowsCodepage1250.rtf", "tika-testRTFWithCurlyBraces.rtf",
	"tika-testRTFWord2010CzechCharacters.rtf", "tika-testRTFWordPadCzechCharacters.rtf",
	"tika-testRTFListLibreOffice.rtf", "pandoc-listBlocks.odt", "pandoc-listContinueNumbering.odt",
}

func TestOfficeCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "office")
	scored, passed := map[string]int{}, map[string]int{}
	for _, r := range extractAll(t, dir) {
		name, format, code := r.label["file"], r.label["format"], domain.CodeOf(r.err)
		if code == domain.CodeInternal {
			t.Errorf("%s: %v", name, r.err)
		}
		if format == "doc" && code != domain.CodeUnsupportedType {
			t.Errorf("%s: %v", name, r.err)
		}
		if strings.HasPrefix(r.label["features"], "encrypted") && code != domain.CodeDocumentEncrypted {
			t.Errorf("%s is encrypted but ends with %q", name, code)
		}
		want, ok := expected(dir, name)
		if !ok || slices.Contains(wrongReferences, name) {
			continue
		}
		recall, _ := overlap(tokens(r.text(), false), tokens(want, false))
		scored[format]++
		if recall >= 0.98 {
			passed[format]++
		} else {
			t.Logf("recall %.3f: %s %s", recall, name, code)
		}
	}
	total, good := 0, 0
	for _, format := range slices.Sorted(maps.Keys(scored)) {
		t.Logf("%s: %d of %d files reach recall 0.98 (%.1f %%)", format, passed[format], scored[format],
			100*float64(passed[format])/float64(scored[format]))
		total, good = total+scored[format], good+passed[format]
	}
	if !enough(passed["docx"], scored["docx"]) {
		t.Error("fewer than 95 % of the DOCX files reach recall 0.98")
	}
	if !enough(good, total) {
		t.Error("fewer than 95 % of all office files reach recall 0.98")
	}
}

// TestHostileCorpus reads damaged and hostile files. Each ends with text or with
// a coded error that is not our own fault.
func TestHostileCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "hostile")
	counts := map[string]int{}
	for _, r := range extractAll(t, dir) {
		code := domain.CodeOf(r.err)
		counts[string(code)+string(r.x.State)]++
		if code == domain.CodeInternal || code == domain.CodeTimedOut {
			t.Errorf("%s: %v", r.label["file"], r.err)
		}
		if strings.ContainsRune(r.text(), 0) || !utf8.ValidString(r.text()) {
			t.Errorf("%s: text that cannot be stored", r.label["file"])
		}
	}
	t.Logf("hostile: %v", counts)
}

func TestWebCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "web")
	box := newSandbox(t, extraction.Limits{})
	sum, n := 0.0, 0
	for _, l := range labels(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, l["file"]))
		if err != nil {
			t.Fatal(err)
		}
		x, err := box.Extract(t.Context(), extraction.Source{
			Owner: "tester", Type: domain.TypeHTML, Open: extraction.Bytes(data), URL: cmp.Or(l["url"], "https://example.com/"),
		}, nil)
		want, ok := expected(dir, l["file"])
		if err != nil || !ok {
			t.Errorf("%s: %v", l["file"], err)
			continue
		}
		_, f1 := overlap(tokens(result{x: x}.text(), false), tokens(want, false))
		sum, n = sum+f1, n+1
	}
	t.Logf("web: mean token F1 %.3f over %d pages", sum/float64(n), n)
	if sum/float64(n) < 0.85 {
		t.Error("the mean token F1 is below 0.85")
	}
}
