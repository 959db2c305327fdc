package matching

import (
	"slices"
	"strings"
	"unicode"

	"generalbackend/internal/domain"
)

// minQuote is how many letters, digits or signs of a name a quote needs to prove anything.
const minQuote = 2

// FindQuote looks a quote up in what the judge saw of the sources, ignoring
// white space and typography but nothing else. A quote with an ellipsis stands
// for its parts, which must follow one another in one source. Sentences that
// address the judge are no evidence, nor are marks alone. It answers the
// passages as they stand in the source, unmasked, and whether the whole quote
// was found.
func FindQuote(sources []*Source, quote string) ([]domain.Evidence, bool) {
	parts := quoteParts(quote)
	if len(parts) == 0 {
		return nil, false
	}
	for _, s := range sources {
		if found, ok := s.findParts(parts); ok {
			return found, true
		}
	}
	return nil, false
}

func (s *Source) findParts(parts [][]rune) ([]domain.Evidence, bool) {
	f, v := s.foldedText(), s.look()
	var out []domain.Evidence
	next := 0
	for _, part := range parts {
		at := indexQuote(v.runes, f, part, next)
		if at < 0 {
			return nil, false
		}
		next = at + len(part)
		first, end := f.at[at], clusterEnd(v.runes, f.at[next-1])
		if v.own(first, end) < minQuote {
			return nil, false
		}
		out = append(out, s.evidence(v.span(first, end)))
	}
	return out, true
}

// quoteParts folds a quote and takes it apart at its ellipses.
func quoteParts(quote string) [][]rune {
	quote = strings.NewReplacer("[...]", "…", "(...)", "…", "[…]", "…", "...", "…").Replace(quote)
	var parts [][]rune
	for _, p := range strings.Split(quote, "…") {
		f := fold([]rune(strings.Trim(p, " \t\r\n\"'`“”„‘’«».,;:•*-–—")))
		part := []rune(strings.TrimSpace(string(f.runes)))
		if countWordRunes(part) >= minQuote {
			parts = append(parts, part)
		} else if len(part) > 0 {
			return nil
		}
	}
	return parts
}

// indexQuote finds part at or after from where it neither begins nor ends
// inside a word: "Java" is not found in "JavaScript".
func indexQuote(text []rune, f *folded, part []rune, from int) int {
	for i := from; i+len(part) <= len(f.runes); i++ {
		if f.runes[i] == part[0] && slices.Equal(f.runes[i:i+len(part)], part) &&
			!insideWord(text, f.at[i]) && !insideWord(text, clusterEnd(text, f.at[i+len(part)-1])) {
			return i
		}
	}
	return -1
}

func insideWord(text []rune, i int) bool {
	return i > 0 && i < len(text) && isWordRune(text[i-1]) && isWordRune(text[i])
}

func countWordRunes(text []rune) int {
	n := 0
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '#' || r == '+' {
			n++
		}
	}
	return n
}
