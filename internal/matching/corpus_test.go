package matching_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gen2brain/go-fitz"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

// wantAUC is what the judge without a model has to reach on English postings;
// TF-IDF cosine reaches as much.
const wantAUC = 0.81

// labelled is a file of the corpus.
type labelled struct {
	file, kind, category, strength, language string
	text                                     string
	applicant                                *matching.Applicant
}

// corpus reads the labels and texts, or skips where the corpus does not exist.
func corpus(tb testing.TB) (cvs, postings []labelled) {
	tb.Helper()
	root := filepath.Join("..", "..", "..", "shared", "data", "cv-match")
	if _, err := os.Stat(root); os.IsNotExist(err) {
		tb.Skipf("corpus left out: %s does not exist", root)
	}
	f, err := os.Open(filepath.Join(root, "labels.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	for _, row := range rows[1:] {
		l := labelled{file: row[0], kind: row[1], category: row[2], strength: row[3], language: row[4]}
		l.text = textOf(tb, filepath.Join(root, filepath.FromSlash(l.file)))
		if l.kind == "cv" {
			cvs = append(cvs, l)
		} else if l.strength == "strong" {
			postings = append(postings, l)
		}
	}
	return cvs, postings
}

func textOf(tb testing.TB, path string) string {
	tb.Helper()
	if filepath.Ext(path) != ".pdf" {
		raw, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		return string(raw)
	}
	doc, err := fitz.New(path)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	defer func() { _ = doc.Close() }()
	var pages []string
	for i := range doc.NumPage() {
		text, err := doc.Text(i)
		if err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		pages = append(pages, text)
	}
	return strings.Join(pages, domain.PageSeparator)
}

func sourceOf(l labelled) *matching.Source {
	doc := domain.Document{ID: uuid.NewSHA1(uuid.Nil, []byte(l.file)), Filename: filepath.Base(l.file)}
	return matching.NewSource(doc, []domain.Page{{Number: 1, Text: l.text}})
}

// near reports categories whose applicants fit each other's postings, which the
// score leaves out.
func near(a, b string) bool {
	for _, group := range [][]string{
		{"ACCOUNTANT", "FINANCE", "BANKING"},
		{"ENGINEERING", "CONSTRUCTION"},
		{"PUBLIC-RELATIONS", "DIGITAL-MEDIA"},
		{"DESIGNER", "ARTS", "DIGITAL-MEDIA", "APPAREL"},
		{"SALES", "BUSINESS-DEVELOPMENT", "BPO", "CONSULTANT"},
		{"HR", "CONSULTANT"},
	} {
		if slices.Contains(group, a) && slices.Contains(group, b) {
			return true
		}
	}
	return false
}

// auc is the share of pairs in the right order; equal scores count half.
func auc(category string, cvs []labelled, scores []int) float64 {
	right, pairs := 0.0, 0.0
	for i, own := range cvs {
		for k, other := range cvs {
			if own.category != category || near(category, other.category) || other.category == category {
				continue
			}
			pairs++
			switch {
			case scores[i] > scores[k]:
				right++
			case scores[i] == scores[k]:
				right += 0.5
			}
		}
	}
	return right / pairs
}

// TestEvalCorpus holds the judge without a model against the labelled corpus.
func TestEvalCorpus(t *testing.T) {
	t.Parallel()
	cvs, postings := corpus(t)
	rules := matching.NewRules()
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range cvs {
		cvs[i].applicant = rules.ReadApplicant([]*matching.Source{sourceOf(cvs[i])}, end)
	}
	values := make([]float64, len(postings))
	each(len(postings), func(i int) {
		posting := rules.ReadPosting(postings[i].text, "")
		p := rules.Prepare(posting)
		scores := make([]int, len(cvs))
		for k, cv := range cvs {
			scores[k] = matching.Score(posting.Requirements, p.Judge(cv.applicant, "en"))
		}
		values[i] = auc(postings[i].category, cvs, scores)
	})
	sums, counts := map[string]float64{}, map[string]int{}
	for i, p := range postings {
		t.Logf("%.3f %s %s", values[i], p.category, p.file)
		sums[p.language] += values[i]
		counts[p.language]++
	}
	for _, language := range []string{"en", "de"} {
		t.Logf("mean AUC of %d strong %s postings against %d CVs: %.3f", counts[language], language, len(cvs), sums[language]/float64(counts[language]))
	}
	if got := sums["en"] / float64(counts["en"]); got < wantAUC {
		t.Errorf("mean AUC of English postings = %.3f, want at least %.2f", got, wantAUC)
	}
}

// each runs f for 0 to n-1 on all processors.
func each(n int, f func(int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

// BenchmarkJudgeOffline judges one applicant against one posting, from text to
// ranked result with all its sentences.
func BenchmarkJudgeOffline(b *testing.B) {
	rules := matching.NewRules()
	posting := rules.ReadPosting(postingEN, "")
	prepared := rules.Prepare(posting)
	cv := strings.Repeat(payrollCV+payrollCVPage2, 6) // about two full pages
	b.SetBytes(int64(len(cv)))
	b.ReportAllocs()
	for b.Loop() {
		applicant := rules.ReadApplicant([]*matching.Source{source(cv)}, now())
		c := domain.Candidate{Verdicts: prepared.Judge(applicant, "en")}
		c.Score = matching.Score(posting.Requirements, c.Verdicts)
		matching.Describe(&c, posting, "en")
	}
}
