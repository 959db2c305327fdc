package story

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	blanks      = regexp.MustCompile(`[ \t\x{00A0}]+`)
	beforeMark  = regexp.MustCompile(` +([,.;:!?])`)
	manyMarks   = regexp.MustCompile(`([,;!?])[,;!?]+`)
	hesitations = regexp.MustCompile(`(?i)(^|[\s,])(?:ähm?|öhm?|hmm*|uhm?|umm*|erm)\b[,.]?`)
)

// Tidy mends what can be mended without a model: white space, doubled marks,
// hesitations, and small letters where sentences begin.
func Tidy(text string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = hesitations.ReplaceAllString(line, "$1")
		line = blanks.ReplaceAllString(line, " ")
		line = manyMarks.ReplaceAllString(beforeMark.ReplaceAllString(line, "$1"), "$1")
		if line = strings.TrimSpace(strings.TrimLeft(line, ", ")); line != "" {
			out = append(out, ended(capitals(line)))
		}
	}
	if len(out) == 0 {
		return strings.TrimSpace(text)
	}
	return strings.Join(out, "\n")
}

// capitals begins sentences with a capital. A mark after a single letter or a
// number may belong to an abbreviation or a date and ends nothing.
func capitals(line string) string {
	runes, begin, word := []rune(line), true, 0
	for i, r := range runes {
		switch {
		case begin && unicode.IsLetter(r):
			runes[i], begin, word = unicode.ToUpper(r), false, 1
		case unicode.IsLetter(r):
			word++
		case strings.ContainsRune(".!?", r) && i+1 < len(runes) && runes[i+1] == ' ' && (r != '.' || word > 3):
			begin, word = true, 0
		case unicode.IsDigit(r):
			begin, word = false, 0
		default:
			word = 0
		}
	}
	return string(runes)
}

// ended closes a sentence that was left open.
func ended(line string) string {
	last := []rune(line)[len([]rune(line))-1]
	if unicode.IsLetter(last) || unicode.IsDigit(last) {
		return line + "."
	}
	return line
}
