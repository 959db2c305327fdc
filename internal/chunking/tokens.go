package chunking

import "unicode"

// The estimate counts in fourteenths of a token: a letter or a space is 5 of
// them, which is 2.8 characters a token, on the safe side for German words in
// an English vocabulary; anything else may be a token of its own.
const (
	weightOfToken  = 14
	weightOfLetter = 5
)

// Tokens estimates how many tokens an embedding model makes of s.
func Tokens(s string) int {
	return (weigh(s) + weightOfToken - 1) / weightOfToken
}

func weigh(s string) int {
	var m meter
	for _, r := range s {
		m.add(r)
	}
	return m.weight
}

// meter weighs text rune by rune; a run of white space weighs as one.
type meter struct {
	weight int
	space  bool
}

func (m *meter) add(r rune) {
	space := unicode.IsSpace(r)
	switch {
	case !space:
		m.weight += weighRune(r)
	case !m.space: // of whichever width
		m.weight += weightOfLetter
	}
	m.space = space
}

func weighRune(r rune) int {
	switch {
	case r < 0x80 && (r <= ' ' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'):
		return weightOfLetter
	case r >= 0x80 && r < 0x2e80 && unicode.In(r, unicode.Letter, unicode.Digit, unicode.Mark):
		return weightOfLetter
	default:
		return weightOfToken
	}
}
