package matching

import (
	"cmp"
	"slices"

	"generalbackend/internal/domain"
)

// hidden is a span of a source that no judge sees, and what stands there
// instead.
type hidden struct {
	from, to int
	mark     string
	kind     domain.MaskKind // "" for sentences to the judge
}

// hide makes the judge see marks instead of the spans. Where spans overlap the
// first in order of importance stands for all of it.
func (s *Source) hide(spans []hidden) {
	s.masks = spans
	all := slices.Clone(spans)
	for _, w := range s.withheld {
		all = append(all, hidden{w[0], w[1], leftOut, ""})
	}
	s.hidden = joinHidden(all)
	s.shown, s.folded, s.plain, s.proof = nil, nil, nil, nil
}

// joinHidden puts spans in order and joins those that overlap, under the mark
// of the first; what addresses the judge goes before everything.
func joinHidden(spans []hidden) []hidden {
	slices.SortStableFunc(spans, func(a, b hidden) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var out []hidden
	for _, h := range spans {
		n := len(out)
		if n == 0 || h.from >= out[n-1].to {
			out = append(out, h)
			continue
		}
		out[n-1].to = max(out[n-1].to, h.to)
		if h.kind == "" {
			out[n-1].kind, out[n-1].mark = "", leftOut
		}
	}
	return out
}

// view is a text as a judge sees it, with the way back: rune i stands for
// text[from[i]:to[i]] of the source. Without from it is the source's own text.
type view struct {
	runes    []rune
	from, to []int
	marks    []bool // rune i is part of a mark
}

// look is what the judge sees of the source.
func (s *Source) look() *view {
	if s.shown == nil {
		s.shown = s.viewOf(0, len(s.text))
	}
	return s.shown
}

func (s *Source) viewOf(from, to int) *view {
	if len(s.hidden) == 0 {
		return &view{runes: s.text[from:to]}
	}
	v := &view{}
	at := from
	for _, h := range s.hidden {
		if h.to <= at || h.from >= to {
			continue
		}
		v.copy(s.text, at, max(at, h.from))
		for _, r := range h.mark {
			v.add(r, h.from, h.to, true)
		}
		at = min(h.to, to)
	}
	v.copy(s.text, at, to)
	return v
}

func (v *view) copy(text []rune, from, to int) {
	for i := from; i < to; i++ {
		v.add(text[i], i, i+1, false)
	}
}

func (v *view) add(r rune, from, to int, mark bool) {
	v.runes, v.from, v.to, v.marks = append(v.runes, r), append(v.from, from), append(v.to, to), append(v.marks, mark)
}

// span is the source's span that the view's runes a to b stand for.
func (v *view) span(a, b int) (from, to int) {
	if v.from == nil {
		return a, b
	}
	return v.from[a], v.to[b-1]
}

// own counts the word runes between a and b that are the source's own words.
func (v *view) own(a, b int) int {
	if v.marks == nil {
		return countWordRunes(v.runes[a:b])
	}
	n := 0
	for i := a; i < b; i++ {
		if !v.marks[i] {
			n += countWordRunes(v.runes[i : i+1])
		}
	}
	return n
}

// blanked is the source's text with blanks for what is masked, rune by rune, so
// that offsets stay.
func (s *Source) blanked() []rune {
	if len(s.masks) == 0 {
		return s.text
	}
	if s.plain == nil {
		s.plain = slices.Clone(s.text)
		for _, m := range s.masks {
			for i := m.from; i < m.to; i++ {
				if s.plain[i] != '\n' {
					s.plain[i] = ' '
				}
			}
		}
	}
	return s.plain
}
