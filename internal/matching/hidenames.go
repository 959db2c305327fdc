package matching

import (
	"strings"
	"unicode"

	"generalbackend/internal/domain"
)

// base is a letter without its accents, of those that names use.
func base(r rune) rune {
	const accented, plain = "áàâãåāăąçćčďđéèêëēėęěğíìîïīįñńňóòôõōőřśšşșťțúùûūůűųýÿźżž", "aaaaaaaacccddeeeeeeeegiiiiiinnnoooooorssssttuuuuuuuyyzzz"
	at := 0
	for _, a := range accented {
		if a == r {
			return rune(plain[at])
		}
		at++
	}
	return r
}

// word is a capitalised word of a text.
type word struct {
	text     string
	from, to int
}

// capitals are the words of a text that begin with a capital, parts of
// hyphenated ones apart.
func capitals(text []rune) []word {
	var out []word
	for i := 0; i < len(text); i++ {
		if !isWordRune(text[i]) {
			continue
		}
		from := i
		for i < len(text) && isWordRune(text[i]) {
			i++
		}
		if unicode.IsUpper(text[from]) {
			out = append(out, word{string(text[from:i]), from, i})
		}
	}
	return out
}

// hideNames finds the applicant's name wherever it stands, and the names of
// others.
func (m *masker) hideNames(n *names, s *Source) []hidden {
	p := newPlaces(s.Text())
	found := m.others(p)
	for _, at := range spaced.FindAllStringSubmatchIndex(p.text, -1) {
		if m.isName(n, unspace(p.text[at[2]:at[3]]), false) {
			found = append(found, p.hidden(at[2], at[3], domain.MaskName))
		}
	}
	var doubtful []word
	head := endOfHead(s.text)
	for _, w := range capitals(s.text) {
		switch {
		case !n.has(w.text):
		case w.from >= head && m.isTrade(w.text):
			doubtful = append(doubtful, w)
		default:
			found = append(found, named(withInitial(s.text, w.from), w.to))
		}
	}
	// A name that is a trade as well counts beside another name only.
	for _, w := range doubtful {
		if besideName(s.text, found, w) {
			found = append(found, named(w.from, w.to))
		}
	}
	return mergeNames(s.text, found)
}

func named(from, to int) hidden { return hidden{from, to, marks[domain.MaskName], domain.MaskName} }

// endOfHead is where the fourth line begins: above it stands the author.
func endOfHead(text []rune) int {
	lines := 0
	for i, r := range text {
		if r == '\n' {
			if lines++; lines == 3 {
				return i
			}
		}
	}
	return len(text)
}

// withInitial takes in the initials before a name, and the O of O'Brien.
func withInitial(text []rune, from int) int {
	at := from
	if at >= 2 && isQuoteMark(text[at-1]) && unicode.IsUpper(text[at-2]) && (at == 2 || !isWordRune(text[at-3])) {
		at -= 2
	}
	for at >= 2 {
		end := at
		if text[end-1] == ' ' || text[end-1] == '-' {
			end--
		}
		if end < 2 || text[end-1] != '.' || !unicode.IsUpper(text[end-2]) || end > 2 && isWordRune(text[end-3]) {
			break
		}
		at = end - 2
	}
	return at
}

func besideName(text []rune, found []hidden, w word) bool {
	for _, h := range found {
		if h.kind != domain.MaskName {
			continue
		}
		if h.to <= w.from && joinsNames(text[h.to:w.from]) || w.to <= h.from && joinsNames(text[w.to:h.from]) {
			return true
		}
	}
	return false
}

// joinsNames reports what may stand between the words of one name.
func joinsNames(between []rune) bool {
	if len(between) > 12 {
		return false
	}
	for _, part := range strings.FieldsFunc(string(between), func(r rune) bool { return r == ' ' || r == '-' || r == ',' || r == '.' || r == '\u00a0' }) {
		if !particles.MatchString(part) && len([]rune(part)) > 1 {
			return false
		}
	}
	return !strings.ContainsRune(string(between), '\n')
}

// mergeNames makes one of the words of each name.
func mergeNames(text []rune, found []hidden) []hidden {
	var out []hidden
	for _, h := range joinHidden(found) {
		if n := len(out); n > 0 && h.from >= out[n-1].to && joinsNames(text[out[n-1].to:h.from]) {
			out[n-1].to = h.to
			continue
		}
		out = append(out, h)
	}
	return out
}

// others finds names by their form: after Herr, Mrs. or Dr., below a closing
// formula, and a first name before another capitalised word that is neither a
// company's nor a trade's.
func (m *masker) others(p places) []hidden {
	var out []hidden
	for _, at := range honorific.FindAllStringSubmatchIndex(p.text, -1) {
		to := at[3]
		if at[6] >= 0 && !m.isTrade(p.text[at[6]:at[7]]) {
			to = at[7]
		}
		out = append(out, p.hidden(at[2], to, domain.MaskName))
	}
	for _, at := range academic.FindAllStringSubmatchIndex(p.text, -1) {
		out = append(out, p.hidden(at[2], at[3], domain.MaskName))
	}
	text := []rune(p.text)
	words := capitals(text)
	for i := 0; i+1 < len(words); i++ {
		first, next := words[i], words[i+1]
		if !m.names.first[canon(first.text)] || town.MatchString(string(text[max(0, first.from-8):first.from])) || allCapitals(next.text) && !allCapitals(first.text) || !joinsNames(text[first.to:next.from]) || strings.ContainsRune(string(text[first.to:next.from]), ',') {
			continue
		}
		last := i + 1
		for last+1 < len(words) && text[words[last].to] == '-' && words[last+1].from == words[last].to+1 {
			last++
		}
		rest := string(text[words[last].to:min(len(text), words[last].to+30)])
		if company.MatchString(rest) || company.MatchString(next.text) || m.isTrade(next.text) && !m.names.first[canon(next.text)] {
			continue
		}
		out = append(out, named(first.from, words[last].to))
	}
	return out
}

func allCapitals(word string) bool { return strings.ToUpper(word) == word }
