package conversation

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// words splits text into its words, lower-cased, in order.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Mn, r)
	})
}

// stemLength is how many letters of a word stand for all its forms, and
// shortStem how few may be left of a short one without its ending: in most
// European languages inflection is at the end.
const (
	stemLength = 5
	shortStem  = 3
	endings    = "sentd"
)

// key is what two forms of a word have in common. Numbers have no forms.
func key(word string) string {
	n := utf8.RuneCountInString(word)
	switch {
	case isNumber(word):
		return word
	case n > stemLength:
		return clip(word, stemLength)
	}
	for n > shortStem && strings.IndexByte(endings, word[len(word)-1]) >= 0 {
		word, n = word[:len(word)-1], n-1
	}
	return word
}

func isNumber(word string) bool {
	return strings.IndexFunc(word, unicode.IsDigit) >= 0
}

// telling reports whether a word says something of the subject: it is no stop
// word, and longer than two letters or written in a script of whole words.
func telling(word string) bool {
	if stopWords[word] {
		return false
	}
	r, _ := utf8.DecodeRuneInString(word)
	return isNumber(word) || utf8.RuneCountInString(word) > 2 || r > 0x2e80
}

// subject returns the keys of the words that tell, each once, in order.
func subject(text string) []string {
	var keys []string
	seen := map[string]bool{}
	for _, word := range words(text) {
		if k := key(word); telling(word) && !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}

// keysOf returns the keys of all words, as a set.
func keysOf(text string) map[string]bool {
	keys := map[string]bool{}
	for _, word := range words(text) {
		keys[key(word)] = true
	}
	return keys
}

// clip cuts text to at most limit characters.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit])
}
