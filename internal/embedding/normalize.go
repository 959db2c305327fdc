package embedding

import (
	"crypto/sha256"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestWord is in runes: tokenisers take cubic time for longer ones.
const longestWord = 200

// nothing stands for a text without anything to embed; servers skip "".
const nothing = "."

// typography maps punctuation of several bytes, which a BERT tokeniser splits
// and with it destroys the word it stands at.
var typography = strings.NewReplacer(
	"“", `"`, "”", `"`, "„", `"`, "‟", `"`, "«", `"`, "»", `"`,
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "‹", "'", "›", "'",
	"–", " - ", "—", " - ", "―", " - ", "‐", "-", "‑", "-", "−", "-",
	"…", "...", "•", " - ", "·", " ", "\u00ad", "", "\u200b", "", "\ufeff", "",
)

// Normalize prepares a text, of a passage or a query, for an embedder: plain
// punctuation, single spaces, no word that a tokeniser chokes on, never empty.
func Normalize(text string) string {
	text = typography.Replace(strings.ToValidUTF8(text, " "))
	var b strings.Builder
	b.Grow(len(text))
	for _, word := range strings.FieldsFunc(text, isGap) {
		writeWord(&b, word)
	}
	if b.Len() == 0 {
		return nothing
	}
	return b.String()
}

func isGap(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func writeWord(b *strings.Builder, word string) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if utf8.RuneCountInString(word) <= longestWord {
		b.WriteString(word)
		return
	}
	writeLongWord(b, []rune(word))
}

// writeLongWord keeps only the beginning of a run of Latin letters and digits,
// which is data and no language, but cuts any other script, which may write
// without spaces, into pieces.
func writeLongWord(b *strings.Builder, word []rune) {
	b.WriteString(string(word[:longestWord]))
	if isData(word) {
		return
	}
	for word = word[longestWord:]; len(word) > 0; {
		n := min(longestWord, len(word))
		b.WriteByte(' ')
		b.WriteString(string(word[:n]))
		word = word[n:]
	}
}

func isData(word []rune) bool {
	ascii := 0
	for _, r := range word {
		if r < utf8.RuneSelf {
			ascii++
		}
	}
	return ascii > len(word)/2
}

// Hash names a normalised text in the cache of vectors.
func Hash(normalized string) []byte {
	sum := sha256.Sum256([]byte(normalized))
	return sum[:]
}
