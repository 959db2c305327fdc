package conversation

import (
	"strconv"
	"strings"
)

// filter lets through what may be shown of an answer as it comes: no number in
// brackets that names no passage, and nothing while the answer may still turn
// out to be the word that there is none. Several numbers in one bracket come out
// each in its own.
type filter struct {
	passages int  // how many there are to name
	removed  bool // a number that names none was left out

	begun bool   // it is an answer
	held  string // not decided yet
}

// write takes a piece and returns what can be shown.
func (f *filter) write(piece string) string {
	f.held += piece
	if !f.begun {
		start := strings.TrimLeft(f.held, " \t\r\n\"'`*[(")
		if strings.HasPrefix(NoAnswer, clipBytes(start, len(NoAnswer))) {
			return ""
		}
		f.begun, f.held = true, strings.TrimLeft(f.held, " \t\r\n")
	}
	return f.pass()
}

func clipBytes(s string, n int) string { return s[:min(len(s), n)] }

// refused reports whether the whole answer is the word that there is none.
func (f *filter) refused() bool {
	return !f.begun && strings.Contains(f.held, NoAnswer)
}

// rest returns what is left when the answer has ended.
func (f *filter) rest() string {
	f.begun = true
	text := f.pass() + f.held
	f.held = ""
	return text
}

// pass returns what is decided; a bracket that may become a citation stays.
func (f *filter) pass() string {
	var out strings.Builder
	for {
		open := strings.IndexByte(f.held, '[')
		if open < 0 {
			keep := len(strings.TrimRight(f.held, " ")) // a removed citation takes them along
			out.WriteString(f.held[:keep])
			f.held = f.held[keep:]
			return out.String()
		}
		end := strings.IndexFunc(f.held[open+1:], func(r rune) bool { return !isListRune(r) })
		if end < 0 && len(f.held)-open < longestCitation {
			keep := len(strings.TrimRight(f.held[:open], " "))
			out.WriteString(f.held[:keep])
			f.held = f.held[keep:]
			return out.String()
		}
		end += open + 1
		numbers, ok := numbersIn(f.held[open+1 : max(end, open+1)])
		if end <= open || f.held[end] != ']' || !ok {
			out.WriteString(f.held[:open+1])
			f.held = f.held[open+1:]
			continue
		}
		before := f.held[:open]
		named := f.named(numbers)
		if named == "" {
			before = strings.TrimRight(before, " ")
		}
		out.WriteString(before + named)
		f.held = f.held[end+1:]
	}
}

// longestCitation bounds what is held back for a bracket to close.
const longestCitation = 40

func isListRune(r rune) bool {
	return r >= '0' && r <= '9' || r == ',' || r == ' ' || r == ';' || r == '^'
}

// numbersIn reads "1", "1, 2" and "^1".
func numbersIn(list string) (numbers []int, ok bool) {
	for part := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '^' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, len(numbers) > 0
}

func (f *filter) named(numbers []int) string {
	var b strings.Builder
	for _, n := range numbers {
		if n < 1 || n > f.passages {
			f.removed = true
			continue
		}
		b.WriteString("[" + strconv.Itoa(n) + "]")
	}
	return b.String()
}
