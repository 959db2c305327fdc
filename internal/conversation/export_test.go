package conversation

import "strings"

// For tests of what has no other way in.
var (
	Dependent     = dependent
	GuessLanguage = guessLanguage
)

// Filtered is what a filter lets through of an answer that comes in pieces.
func Filtered(passages int, pieces ...string) (text string, removed, refused bool) {
	f := &filter{passages: passages}
	var out strings.Builder
	for _, p := range pieces {
		out.WriteString(f.write(p))
	}
	if f.refused() {
		return out.String(), f.removed, true
	}
	out.WriteString(f.rest())
	return out.String(), f.removed, false
}
