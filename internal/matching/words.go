package matching

import (
	"strings"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/spanish"
)

// token is one word of a text: lower-cased, with its place in runes.
type token struct {
	word     string
	from, to int
	upper    bool // written in capitals only
}

// tokenize splits text into words. Names of techniques keep their signs: c++,
// c#, .net, node.js; a word broken at a line end is put together again.
func tokenize(text []rune) []token {
	var out []token
	for i := 0; i < len(text); {
		if !startsWord(text, i) {
			i++
			continue
		}
		t, next := scanWord(text, i)
		i = next
		if t.word != "" {
			out = append(out, t)
		}
	}
	return out
}

func startsWord(text []rune, i int) bool {
	if isWordRune(text[i]) {
		return true
	}
	return text[i] == '.' && hasPrefixFold(text[i+1:], "net") && (i == 0 || unicode.IsSpace(text[i-1]))
}

func scanWord(text []rune, from int) (token, int) {
	var b strings.Builder
	upper, i := true, from
	for ; i < len(text); i++ {
		r := text[i]
		switch {
		case isWordRune(r):
			upper = upper && !unicode.IsLower(r)
			writeFolded(&b, r)
		case isSilent(r):
		case r == '\'' || r == '’':
			if i+1 >= len(text) || !unicode.IsLetter(text[i+1]) {
				return token{b.String(), from, i, upper}, i + 1
			}
			if isPossessive(text, i) {
				return token{b.String(), from, i, upper}, i + 2
			}
		case (r == '+' || r == '#') && b.Len() <= 2:
			b.WriteRune(r)
		case r == '.' && (i == from || hasPrefixFold(text[i+1:], "net") || hasPrefixFold(text[i+1:], "js")):
			b.WriteRune(r)
		case r == '-' && breaksWord(text, i):
			for i+1 < len(text) && unicode.IsSpace(text[i+1]) {
				i++
			}
		default:
			return token{strings.TrimRight(b.String(), "."), from, i, upper}, i
		}
	}
	return token{strings.TrimRight(b.String(), "."), from, i, upper}, i
}

// breaksWord reports whether the hyphen at i splits a word over two lines.
func breaksWord(text []rune, i int) bool {
	if i == 0 || !unicode.IsLower(text[i-1]) {
		return false
	}
	j, newline := i+1, false
	for j < len(text) && unicode.IsSpace(text[j]) {
		newline = newline || text[j] == '\n'
		j++
	}
	return newline && j < len(text) && unicode.IsLower(text[j])
}

func isPossessive(text []rune, i int) bool {
	return (text[i+1] == 's' || text[i+1] == 'S') && (i+2 >= len(text) || !isWordRune(text[i+2]))
}

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// isSilent reports runes that shape a text but are no part of its words.
func isSilent(r rune) bool {
	switch r {
	case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		return true
	}
	return false
}

func hasPrefixFold(text []rune, prefix string) bool {
	n := len(prefix)
	return len(text) >= n && strings.EqualFold(string(text[:n]), prefix) && (len(text) == n || !isWordRune(text[n]))
}

// stem reduces a word to its stem in a language; unknown languages keep it.
func stem(word, language string) string {
	if len(word) < 4 {
		return word
	}
	env := snowballstem.NewEnv(word)
	switch language {
	case "en":
		english.Stem(env)
	case "de":
		german.Stem(env)
	case "es":
		spanish.Stem(env)
	default:
		return word
	}
	return env.Current()
}
