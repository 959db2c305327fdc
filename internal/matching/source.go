package matching

import (
	"sort"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Source is a document as the judge reads it: its whole text with the places
// of its pages. It is not safe for concurrent use.
type Source struct {
	ID       uuid.UUID
	Filename string
	Language string // ISO 639-1, "" when unknown
	text     []rune
	starts   []int    // first rune of each page
	numbers  []int    // page numbers
	withheld [][2]int // sentences that address the judge
	masks    []hidden // what says who the applicant is, where that is to be hidden
	hidden   []hidden // both, in order
	shown    *view
	folded   *folded
	plain    []rune // see blanked
	proof    []rune // see asserted
}

// NewSource joins the pages of a document to its whole text.
func NewSource(doc domain.Document, pages []domain.Page) *Source {
	s := &Source{ID: doc.ID, Filename: nameOf(doc), Language: doc.Language}
	for i, p := range pages {
		if i > 0 {
			s.text = append(s.text, []rune(domain.PageSeparator)...)
		}
		s.starts = append(s.starts, len(s.text))
		s.numbers = append(s.numbers, p.Number)
		s.text = append(s.text, []rune(p.Text)...)
	}
	s.withheld = addressed(s.text)
	s.hide(nil)
	return s
}

func nameOf(doc domain.Document) string {
	for _, name := range []string{doc.Filename, doc.Title, doc.URL} {
		if name != "" {
			return name
		}
	}
	return "document"
}

// Text is the document's whole text.
func (s *Source) Text() string { return string(s.text) }

// Visible is the text a judge may read: without sentences that address it, and
// with marks for what is masked.
func (s *Source) Visible() string { return s.visible(0, len(s.text)) }

func (s *Source) visible(from, to int) string { return string(s.viewOf(from, to).runes) }

// Page is the number of the page that holds the rune at offset.
func (s *Source) Page(offset int) int {
	i := sort.SearchInts(s.starts, offset+1) - 1
	if i < 0 {
		return 1
	}
	return s.numbers[i]
}

// evidence cites text[from:to], without white space around it.
func (s *Source) evidence(from, to int) domain.Evidence {
	from, to = trimSpan(s.text, from, to)
	return domain.Evidence{
		DocumentID: s.ID, Filename: s.Filename, Page: s.Page(from),
		CharFrom: from, CharTo: to, Quote: string(s.text[from:to]), Verified: true,
	}
}

func (s *Source) foldedText() *folded {
	if s.folded == nil {
		f := fold(s.look().runes)
		s.folded = &f
	}
	return s.folded
}

func trimSpan(text []rune, from, to int) (int, int) {
	const blank = " \t\r\n\u00a0\u200b\ufeff"
	for from < to && strings.ContainsRune(blank, text[from]) {
		from++
	}
	for to > from && strings.ContainsRune(blank, text[to-1]) {
		to--
	}
	return from, to
}
