package conversation_test

import (
	"strings"
	"testing"

	"generalbackend/internal/conversation"
)

// TestFilter: what is let through does not depend on how the answer is cut into
// pieces.
func TestFilter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answer, want string
		removed, refused   bool
	}{
		{"citation", "It ends in May [1].", "It ends in May [1].", false, false},
		{"several", "So it is [1, 3]. And [2][1].", "So it is [1][3]. And [2][1].", false, false},
		{"footnote", "So it is [^2].", "So it is [2].", false, false},
		{"unknown", "It ends in May [7].", "It ends in May.", true, false},
		{"some unknown", "It ends [2, 9] in May [0].", "It ends [2] in May.", true, false},
		{"no citation", "See [the list] and a[i] and [1914-1918].", "See [the list] and a[i] and [1914-1918].", false, false},
		{"open", "It ends [1", "It ends [1", false, false},
		{"empty brackets", "It ends [] [ ] now", "It ends [] [ ] now", false, false},
		{"leading blanks", "\n\n  It ends.", "It ends.", false, false},
		{"umlauts", "Für „Änderungen“ gilt [1] § 3.", "Für „Änderungen“ gilt [1] § 3.", false, false},
		{"refusal", conversation.NoAnswer, "", false, true},
		{"refusal with ornaments", " **" + conversation.NoAnswer + "**.\n", "", false, true},
		{"begins alike", "NO_ANSWER is a word.", "NO_ANSWER is a word.", false, false},
		{"short and alike", "NO", "NO", false, false},
		{"empty", "", "", false, false},
		{"long bracket", "[" + strings.Repeat("1 ", 40) + "x", "[" + strings.Repeat("1 ", 40) + "x", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for size := range 6 {
				text, removed, refused := conversation.Filtered(3, cutUp(tc.answer, size+1)...)
				if text != tc.want || removed != tc.removed || refused != tc.refused {
					t.Errorf("in pieces of %d: %q, removed %v, refused %v; want %q", size+1, text, removed, refused, tc.want)
				}
			}
			if text, _, _ := conversation.Filtered(3, tc.answer); text != tc.want {
				t.Errorf("at once: %q, want %q", text, tc.want)
			}
		})
	}
}

func cutUp(text string, size int) (pieces []string) {
	for runes := []rune(text); len(runes) > 0; runes = runes[min(size, len(runes)):] {
		pieces = append(pieces, string(runes[:min(size, len(runes))]))
	}
	return pieces
}

func FuzzFilter(f *testing.F) {
	f.Add("It ends [1, 9] in May [", 3)
	f.Add(conversation.NoAnswer+" [1]", 1)
	f.Fuzz(func(t *testing.T, answer string, size int) {
		whole, _, _ := conversation.Filtered(3, answer)
		pieces, _, _ := conversation.Filtered(3, cutUp(strings.ToValidUTF8(answer, "?"), max(1, size%7))...)
		if strings.ToValidUTF8(answer, "?") == answer && whole != pieces {
			t.Errorf("%q comes out as %q at once and %q in pieces", answer, whole, pieces)
		}
	})
}
