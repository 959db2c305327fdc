package chunking

import (
	"sort"
	"unicode/utf8"

	"generalbackend/internal/domain"
)

// locator finds pages and rune offsets of spans. Spans come in order, so each
// end keeps its own place and the text is walked twice, whatever the overlap.
type locator struct {
	text   string
	pages  []domain.Page
	starts []int // of the pages, in bytes
	from   place
	to     place
}

type place struct{ bytes, runes int }

func newLocator(text string, pages []domain.Page) *locator {
	l := &locator{text: text, pages: pages}
	at := 0
	for _, p := range pages {
		l.starts = append(l.starts, at)
		at += len(p.Text) + len(domain.PageSeparator)
	}
	return l
}

func (l *locator) chunk(s span) domain.Chunk {
	return domain.Chunk{
		PageFrom: l.page(s.from),
		PageTo:   l.page(s.to - 1),
		CharFrom: l.from.advance(l.text, s.from),
		CharTo:   l.to.advance(l.text, s.to),
		Content:  l.text[s.from:s.to],
	}
}

func (l *locator) page(at int) int {
	i := sort.SearchInts(l.starts, at+1) - 1
	return l.pages[i].Number
}

func (p *place) advance(text string, to int) int {
	p.runes += utf8.RuneCountInString(text[p.bytes:to])
	p.bytes = to
	return p.runes
}
