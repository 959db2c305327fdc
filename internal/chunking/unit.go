package chunking

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a range of bytes of the text.
type span struct{ from, to int }

// unit is what a passage is made of: a sentence, or a piece of one that is too
// long. It has no white space around it; weight includes the gap after it.
type unit struct {
	span
	weight          int
	startsParagraph bool
	heading         bool
}

// units cuts text into sentences, and those over limit tokens into pieces.
func units(text string, limit int) []unit {
	var out []unit
	at, end := 0, 0 // the next sentence and the end of the last unit
	for sentence := range Sentences(text) {
		s := trim(text, span{at, at + len(sentence)})
		at += len(sentence)
		if s.from == s.to {
			continue
		}
		opens := len(out) == 0 || strings.Count(text[end:s.from], "\n") > 1
		out = appendSentence(out, text, s, limit, unit{
			startsParagraph: opens,
			heading:         isHeading(text[s.from:s.to], opens),
		})
		end = s.to
	}
	return out
}

func trim(text string, s span) span {
	part := text[s.from:s.to]
	left := strings.TrimLeftFunc(part, unicode.IsSpace)
	s.from += len(part) - len(left)
	s.to = s.from + len(strings.TrimRightFunc(left, unicode.IsSpace))
	return s
}

// longestHeading is in runes.
const longestHeading = 80

// isHeading takes a short paragraph's first line without a full stop for one.
func isHeading(s string, startsParagraph bool) bool {
	if strings.HasPrefix(s, "#") {
		return !strings.Contains(s, "\n")
	}
	return startsParagraph && utf8.RuneCountInString(s) <= longestHeading &&
		!strings.ContainsAny(s[len(s)-1:], ".!?,;") && !strings.Contains(s, "\n")
}

// appendSentence adds s as one unit, or as several if it is too heavy.
func appendSentence(out []unit, text string, s span, limit int, like unit) []unit {
	for s.from < s.to {
		piece, weight := cut(text, s, limit*weightOfToken)
		like.span, like.weight = piece, weight+weightOfLetter
		like.heading = like.heading && piece == s
		out = append(out, like)
		like.startsParagraph = false
		s = trim(text, span{piece.to, s.to})
	}
	return out
}

// cut returns the longest beginning of s that weighs no more than most and ends
// at a word, or inside the word if that alone is heavier.
func cut(text string, s span, most int) (span, int) {
	var m, atWordEnd meter
	wordEnd := s.from
	for i, r := range text[s.from:s.to] {
		at := s.from + i
		if unicode.IsSpace(r) && !m.space {
			wordEnd, atWordEnd = at, m
		}
		before := m
		m.add(r)
		if m.weight > most && at > s.from {
			if wordEnd > s.from {
				return span{s.from, wordEnd}, atWordEnd.weight
			}
			return span{s.from, at}, before.weight
		}
	}
	return s, m.weight
}
