package chunking

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// Sentences cuts text into sentences by the Unicode rules, mended for
// abbreviations, ordinals and lines broken by layout. Joined, the sentences are
// the text again.
func Sentences(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		pieces := sentences.FromString(text)
		for pieces.Next() {
			end := pieces.End()
			if end < len(text) && continues(text[start:end], text[end:]) {
				continue
			}
			if !yield(text[start:end]) {
				return
			}
			start = end
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// continues reports whether a boundary between sentence and rest is none.
func continues(sentence, rest string) bool {
	body := strings.TrimRightFunc(sentence, unicode.IsSpace)
	if body == "" {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	if strings.Contains(sentence[len(body):], "\n") {
		return wrapped(body, next)
	}
	if unicode.IsLower(next) {
		return true
	}
	stem, stopped := strings.CutSuffix(body, ".")
	return stopped && abbreviated(lastWord(stem))
}

// fullLine is the length in runes from which a line that does not end a
// sentence was probably broken by layout.
const fullLine = 45

// wrapped reports whether the line body goes on in the next one.
func wrapped(body string, next rune) bool {
	last, _ := utf8.DecodeLastRuneInString(body)
	if strings.ContainsRune(".!?:;", last) || !unicode.IsLetter(next) && !unicode.IsDigit(next) {
		return false
	}
	line := body[strings.LastIndexByte(body, '\n')+1:]
	return unicode.IsLower(next) || last == ',' || last == '-' || utf8.RuneCountInString(line) >= fullLine
}

func lastWord(s string) string {
	return s[strings.LastIndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == '.' })+1:]
}

// abbreviated reports whether a full stop after word seldom ends a sentence: a
// single letter, an ordinal number of up to two digits, a known abbreviation.
func abbreviated(word string) bool {
	if utf8.RuneCountInString(word) == 1 {
		r, _ := utf8.DecodeRuneInString(word)
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if len(word) == 2 && strings.Trim(word, "0123456789") == "" {
		return true
	}
	return strings.Contains(abbreviations, " "+strings.ToLower(word)+" ")
}

// abbreviations of English and German that are followed by a capital letter.
const abbreviations = " abb abs abt ag allg anh anm approx art aufl bd betr bsp bspw bzgl bzw ca capt co col corp dept " +
	"dipl dr ed eds engl ev evtl fig figs frl geb gem gen gest ggf gov hr hrn hrsg inc inkl ing inkl insb int jan jhd jr kap " +
	"kfm lt ltd max med min mio mr mrd mrs ms mt nat no nov nr okt op phil pos prof pp rd ref resp rev sec sen sept sog sr st " +
	"std str tab tel tsd usw vgl vol vs zb zzgl "
