package matching

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// folded is a text in which typography makes no difference, with the way back:
// at[i] is the rune of the original that the i-th rune came from.
type folded struct {
	runes []rune
	at    []int
}

// fold drops what extraction and typesetting add to a text: case, ligatures,
// the form of quotes and dashes, soft hyphens, runs of white space, and hyphens
// between letters, because a hyphen at a line end may or may not belong to the
// word.
func fold(text []rune) folded {
	f := folded{runes: make([]rune, 0, len(text)), at: make([]int, 0, len(text))}
	for i := 0; i < len(text); {
		end := clusterEnd(text, i)
		f.appendCluster(text, i, end)
		i = end
	}
	return f
}

// clusterEnd is where the base letter at i and its combining marks end.
func clusterEnd(text []rune, i int) int {
	end := i + 1
	for end < len(text) && unicode.Is(unicode.Mn, text[end]) {
		end++
	}
	return end
}

func (f *folded) appendCluster(text []rune, i, end int) {
	r := text[i]
	switch {
	case isSilent(r):
		return
	case unicode.IsSpace(r):
		if n := len(f.runes); n > 0 && f.runes[n-1] != ' ' && !f.afterHyphen(text, i) {
			f.append(' ', i)
		}
		return
	case isDash(r):
		if !f.joinsLetters(text, i) {
			f.append('-', i)
		}
		return
	case isQuoteMark(r):
		f.append('\'', i)
		return
	}
	for _, n := range norm.NFKC.String(string(text[i:end])) {
		f.append(foldCase(n), i)
	}
}

func (f *folded) append(r rune, at int) {
	f.runes = append(f.runes, r)
	f.at = append(f.at, at)
}

// joinsLetters reports a hyphen directly after a letter whose next visible
// rune is a letter as well.
func (f *folded) joinsLetters(text []rune, i int) bool {
	if i == 0 || !unicode.IsLetter(text[i-1]) {
		return false
	}
	return unicode.IsLetter(nextVisible(text, i+1))
}

// afterHyphen reports whether the white space at i follows a dropped hyphen.
func (f *folded) afterHyphen(text []rune, i int) bool {
	j := i - 1
	for j > 0 && (unicode.IsSpace(text[j]) || isSilent(text[j])) {
		j--
	}
	return j > 0 && isDash(text[j]) && f.joinsLetters(text, j)
}

func nextVisible(text []rune, i int) rune {
	for ; i < len(text); i++ {
		if !unicode.IsSpace(text[i]) && !isSilent(text[i]) {
			return text[i]
		}
	}
	return 0
}

func isDash(r rune) bool { return r == '-' || r == '−' || r >= '\u2010' && r <= '\u2015' }

func isQuoteMark(r rune) bool {
	return strings.ContainsRune("'\"`´‘’‚‛“”„‟«»‹›′″", r)
}

func foldCase(r rune) rune { return unicode.ToLower(r) }

// writeFolded writes a rune of a word lower-cased, ligatures taken apart.
func writeFolded(b *strings.Builder, r rune) {
	if r < 0x80 {
		b.WriteRune(unicode.ToLower(r))
		return
	}
	for _, n := range norm.NFKC.String(string(r)) {
		b.WriteRune(unicode.ToLower(n))
	}
}
