package chunking_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"generalbackend/internal/chunking"
	"generalbackend/internal/domain"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text  string
		opts  chunking.Options
		wants []string
	}{
		"nothing":     {" \n\t ", chunking.Options{Tokens: 10}, nil},
		"one passage": {"A short text.", chunking.Options{Tokens: 10}, []string{"A short text."}},
		"sentences": {
			"The first sentence is here. The second one follows it. The third ends.",
			chunking.Options{Tokens: 14},
			[]string{"The first sentence is here.", "The second one follows it.", "The third ends."},
		},
		"overlap": {
			"One is here. Two is here. Three is here. Four is here.",
			chunking.Options{Tokens: 20, Overlap: 8},
			[]string{"One is here. Two is here. Three is here.", "Three is here. Four is here."},
		},
		"a paragraph stays whole": {
			"Some words of an opening, enough for half.\n\nThis paragraph has one sentence. It has another one.",
			chunking.Options{Tokens: 28},
			[]string{"Some words of an opening, enough for half.", "This paragraph has one sentence. It has another one."},
		},
		"a heading goes with its text": {
			"An introduction of several words here.\n\nExperience\n\nTen years of welding pipes in Kiel.",
			chunking.Options{Tokens: 20},
			[]string{"An introduction of several words here.", "Experience\n\nTen years of welding pipes in Kiel."},
		},
		"a long sentence is cut at words": {
			strings.Repeat("word ", 12),
			chunking.Options{Tokens: 9},
			[]string{"word word word word word", "word word word word word", "word word"},
		},
		"a long word is cut":      {strings.Repeat("x", 12), chunking.Options{Tokens: 2}, []string{"xxxxx", "xxxxx", "xx"}},
		"a wide space is a space": {"aa\u3000aaaaaaa", chunking.Options{Tokens: 4}, []string{"aa\u3000aaaaaaa"}},
		"no limit means a token":  {"a b", chunking.Options{}, []string{"a", "b"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, c := range chunking.Split([]domain.Page{{Number: 1, Text: tt.text}}, tt.opts) {
				got = append(got, c.Content)
			}
			if diff := cmp.Diff(tt.wants, got); diff != "" {
				t.Errorf("passages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitKeepsPagesAndOffsets(t *testing.T) {
	t.Parallel()
	pages := []domain.Page{
		{Number: 3, Text: "Über uns steht hier."},
		{Number: 4, Text: ""},
		{Number: 5, Text: "Ein zweiter Satz.\n"},
	}
	got := chunking.Split(pages, chunking.Options{Tokens: 100, Language: "de"})
	want := []domain.Chunk{{
		PageFrom: 3, PageTo: 5, CharFrom: 0, CharTo: 41, Language: "de",
		Content: "Über uns steht hier.\n\n\n\nEin zweiter Satz.",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"Das gilt z. B. für Verträge. Danach nicht.":             {"Das gilt z. B. für Verträge. ", "Danach nicht."},
		"Am 3. Mai kam Dr. Meier. Er blieb.":                     {"Am 3. Mai kam Dr. Meier. ", "Er blieb."},
		"Mr. J. R. Smith left in 2019. He returned.":             {"Mr. J. R. Smith left in 2019. ", "He returned."},
		"Is it? Yes! It is.":                                     {"Is it? ", "Yes! ", "It is."},
		"This line was broken by the layout of a printed\npage.": {"This line was broken by the layout of a printed\npage."},
		"Skills\n- Go\n- SQL\n":                                  {"Skills\n", "- Go\n", "- SQL\n"},
	}
	for text, want := range tests {
		if diff := cmp.Diff(want, slices.Collect(chunking.Sentences(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pages := rapid.SliceOfN(page(), 0, 5).Draw(t, "pages")
		o := chunking.Options{Tokens: rapid.IntRange(1, 60).Draw(t, "tokens"), Overlap: rapid.IntRange(0, 60).Draw(t, "overlap")}
		for i := range pages {
			pages[i].Number = i + 1
		}
		check(t, pages, o, chunking.Split(pages, o))
	})
}

func page() *rapid.Generator[domain.Page] {
	token := rapid.OneOf(
		rapid.SampledFrom([]string{" ", " ", "\n", "\n\n", ". ", ".\n", "? ", "z. B. ", "3. ", "\u00a0", "-", "•", "日本", "\u00ad"}),
		rapid.StringN(0, 12, -1),
		rapid.StringMatching(`[A-Za-zäöüß]{1,15} `),
	)
	return rapid.Custom(func(t *rapid.T) domain.Page {
		return domain.Page{Text: strings.ToValidUTF8(strings.Join(rapid.SliceOfN(token, 0, 60).Draw(t, "text"), ""), "")}
	})
}

func check(t *rapid.T, pages []domain.Page, o chunking.Options, chunks []domain.Chunk) {
	text := []rune(chunking.Text(pages))
	covered := make([]bool, len(text))
	for i, c := range chunks {
		if string(text[c.CharFrom:c.CharTo]) != c.Content {
			t.Fatalf("passage %d is %q, its offsets hold %q", i, c.Content, string(text[c.CharFrom:c.CharTo]))
		}
		if c.Content == "" || strings.TrimSpace(c.Content) != c.Content || c.Ordinal != i {
			t.Fatalf("passage %d is %+v", i, c)
		}
		if n := chunking.Tokens(c.Content); n > o.Tokens && c.CharTo-c.CharFrom > 1 {
			t.Fatalf("passage %d has %d tokens, at most %d are allowed: %q", i, n, o.Tokens, c.Content)
		}
		if i > 0 && (c.CharFrom <= chunks[i-1].CharFrom || c.CharTo <= chunks[i-1].CharTo) {
			t.Fatalf("passage %d does not go on from %+v: %+v", i, chunks[i-1], c)
		}
		checkPages(t, pages, c)
		for at := c.CharFrom; at < c.CharTo; at++ {
			covered[at] = true
		}
	}
	for at, r := range text {
		if !covered[at] && !unicode.IsSpace(r) {
			t.Fatalf("character %d (%q) is in no passage", at, r)
		}
	}
}

func checkPages(t *rapid.T, pages []domain.Page, c domain.Chunk) {
	at := 0
	for _, p := range pages {
		end := at + len([]rune(p.Text))
		if c.CharFrom >= at && c.CharFrom < end && c.PageFrom != p.Number || c.CharTo > at && c.CharTo <= end && c.PageTo != p.Number {
			t.Fatalf("passage %+v starts or ends on page %d", c, p.Number)
		}
		at = end + len(domain.PageSeparator)
	}
}

func TestSentencesAreLossless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := page().Draw(t, "page").Text
		if got := strings.Join(slices.Collect(chunking.Sentences(text)), ""); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	paragraph := strings.Repeat("Der Vertrag endet, wie am 3. Mai vereinbart, ohne dass es z. B. einer Kündigung bedarf. ", 6)
	pages := make([]domain.Page, 100)
	size := 0
	for i := range pages {
		pages[i] = domain.Page{Number: i + 1, Text: strings.Repeat(paragraph+"\n\n", 5)}
		size += len(pages[i].Text)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		chunking.Split(pages, chunking.Options{Tokens: 180, Overlap: 30})
	}
}
