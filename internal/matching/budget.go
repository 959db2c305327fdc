package matching

import (
	"strings"
	"unicode/utf8"
)

// Budget of one model call, in tokens. Where no tokenizer is at hand a token is
// taken for runesPerToken characters, which overestimates English and is near
// the truth for German.
const (
	defaultContext = 8192
	answerTokens   = 1800
	promptTokens   = 1100 // instructions, schema and headings
	runesPerToken  = 3
)

// textBudget is how many characters of documents fit into one call.
func textBudget(contextTokens int) int {
	if contextTokens <= 0 {
		contextTokens = defaultContext
	}
	const least = 512 // tokens; below that no sentence fits
	return max(contextTokens-answerTokens-promptTokens, least) * runesPerToken
}

// splitText cuts a text into parts of at most limit characters, at paragraphs
// where possible, else at lines, sentences or blanks. Nothing is lost but white
// space at the cuts.
func splitText(text string, limit int) []string {
	runes := []rune(strings.TrimSpace(text))
	var parts []string
	for len(runes) > limit {
		cut := cutAt(string(runes[:limit]))
		parts = append(parts, strings.TrimSpace(string(runes[:cut])))
		runes = []rune(strings.TrimSpace(string(runes[cut:])))
	}
	if len(runes) > 0 {
		parts = append(parts, string(runes))
	}
	return parts
}

func cutAt(window string) int {
	for _, mark := range []string{"\n\n", "\n", ". ", " "} {
		if i := strings.LastIndex(window, mark); i > len(window)/3 {
			return utf8.RuneCountInString(window[:i+len(mark)])
		}
	}
	return utf8.RuneCountInString(window)
}
