package matching

import (
	_ "embed" // the word lists
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed lexicon.txt
var lexiconText string

//go:embed generic.txt
var genericText string

// languages are those the word lists cover.
func languages() []string { return []string{"en", "de", "es"} }

const (
	plainWeight   = 0.6  // of a word the lists do not know: a name, a product, a speciality
	genericWeight = 0.12 // of a word every posting uses
	maxPhrase     = 5    // words in the longest phrase of the lexicon
	minCompound   = 5    // letters of a word that counts inside a German compound
)

type concept struct{ field int }

type field struct {
	name   string
	weight float64
}

// occupational reports whether the field tells one occupation from another.
func (f field) occupational() bool { return f.weight >= 0.8 }

// lexicon knows which words mean the same, which field of work they belong to
// and which say little. It is read-only once built.
type lexicon struct {
	fields   []field
	concepts []concept
	phrases  map[string]map[string]int     // language -> stems joined by blanks -> concept
	weights  map[string]map[string]float64 // language -> word -> weight
}

func newLexicon() *lexicon {
	l := &lexicon{phrases: map[string]map[string]int{}, weights: map[string]map[string]float64{}}
	for _, lang := range languages() {
		l.phrases[lang] = map[string]int{}
		l.weights[lang] = map[string]float64{}
	}
	for line := range strings.Lines(lexiconText) {
		l.addLine(strings.TrimSpace(line))
	}
	l.addGeneric()
	return l
}

func (l *lexicon) addLine(line string) {
	if line == "" || line[0] == '#' {
		return
	}
	if name, ok := strings.CutPrefix(line, "@"); ok {
		name, weight, _ := strings.Cut(name, " ")
		w, err := strconv.ParseFloat(weight, 64)
		if err != nil {
			w = 1
		}
		l.fields = append(l.fields, field{name, w})
		return
	}
	for _, phrases := range strings.Split(line, "|") {
		l.concepts = append(l.concepts, concept{field: len(l.fields) - 1})
		for _, p := range strings.Split(phrases, ";") {
			l.addPhrase(strings.TrimSpace(p), len(l.concepts)-1)
		}
	}
}

func (l *lexicon) addPhrase(phrase string, id int) {
	langs := languages()
	if len(phrase) > 3 && phrase[2] == ':' {
		langs, phrase = []string{phrase[:2]}, phrase[3:]
	}
	tokens := tokenize([]rune(phrase))
	for _, lang := range langs {
		stems := make([]string, len(tokens))
		for i, t := range tokens {
			stems[i] = stem(t.word, lang)
		}
		key := strings.Join(stems, " ")
		if _, taken := l.phrases[lang][key]; !taken {
			l.phrases[lang][key] = id
		}
	}
}

func (l *lexicon) addGeneric() {
	lang, weight := "", 0.0
	for line := range strings.Lines(genericText) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '@':
			kind, code, _ := strings.Cut(line[1:], " ")
			lang, weight = code, 0
			if kind == "generic" {
				weight = genericWeight
			}
		default:
			for _, w := range strings.Fields(line) {
				l.weights[lang][w] = weight
				if s := stem(w, lang); weight > 0 {
					l.weights[lang][s] = weight
				}
			}
		}
	}
}

// term is a word or phrase of a text as the judge compares it: two terms with
// the same key mean the same, in whatever language.
type term struct {
	key      string
	label    string // as the text writes it
	weight   float64
	concept  int // -1: none
	from, to int
}

// terms reads the terms of text[from:to], of nested phrases the longest.
func (l *lexicon) terms(text []rune, from, to int, language string) []term {
	return l.read(text, from, to, language, false)
}

// allTerms reads the single words inside phrases as well: who is a registered
// nurse is a nurse, but not the other way round.
func (l *lexicon) allTerms(text []rune, from, to int, language string) []term {
	return l.read(text, from, to, language, true)
}

func (l *lexicon) read(text []rune, from, to int, language string, nested bool) []term {
	tokens := tokenize(text[from:to])
	stems := make([]string, len(tokens))
	for i, t := range tokens {
		stems[i] = stem(t.word, language)
	}
	var out []term
	for i := 0; i < len(tokens); {
		if id, n := l.phraseAt(tokens, stems, i, language); n > 0 {
			a, b := tokens[i].from+from, tokens[i+n-1].to+from
			out = append(out, l.conceptTerm(id, string(text[a:b]), a, b))
			for k := i; nested && n > 1 && k < i+n; k++ {
				if id, m := l.phraseAt(tokens[:k+1], stems, k, language); m == 1 {
					out = append(out, l.conceptTerm(id, tokens[k].word, tokens[k].from+from, tokens[k].to+from))
				}
			}
			i += n
			continue
		}
		t := tokens[i]
		label := string(text[t.from+from : t.to+from])
		parts := l.compound(t.word, language)
		for _, id := range parts {
			out = append(out, l.conceptTerm(id, label, t.from+from, t.to+from))
		}
		if w := l.wordWeight(t.word, stems[i], language); w > 0 && len(parts) == 0 {
			out = append(out, term{key: stems[i], label: label, weight: w, concept: -1, from: t.from + from, to: t.to + from})
		}
		i++
	}
	return out
}

func (l *lexicon) conceptTerm(id int, label string, from, to int) term {
	return term{
		key: "#" + strconv.Itoa(id), label: label, concept: id, from: from, to: to,
		weight: l.fields[l.concepts[id].field].weight,
	}
}

// phraseAt finds the longest phrase that begins at token i. Words of two
// letters count only in capitals: "IT" is a trade, "it" is not.
func (l *lexicon) phraseAt(tokens []token, stems []string, i int, language string) (id, n int) {
	index := l.phrases[language]
	for n := min(maxPhrase, len(tokens)-i); n > 0; n-- {
		id, ok := index[strings.Join(stems[i:i+n], " ")]
		if !ok || n == 1 && len(tokens[i].word) <= 2 && !tokens[i].upper {
			continue
		}
		return id, n
	}
	return 0, 0
}

// compound finds known words at either end of a German compound.
func (l *lexicon) compound(word, language string) []int {
	if language != "de" || utf8.RuneCountInString(word) < minCompound+3 {
		return nil
	}
	runes, index := []rune(word), l.phrases["de"]
	var out []int
	for cut := 3; cut <= len(runes)-minCompound; cut++ {
		if id, ok := index[stem(string(runes[cut:]), "de")]; ok {
			out = append(out, id)
			break
		}
	}
	for cut := len(runes) - 3; cut >= minCompound; cut-- {
		if id, ok := index[stem(string(runes[:cut]), "de")]; ok && (len(out) == 0 || out[0] != id) {
			return append(out, id)
		}
	}
	return out
}

func (l *lexicon) wordWeight(word, stemmed, language string) float64 {
	weights := l.weights[language]
	if w, ok := weights[word]; ok {
		return w
	}
	if w, ok := weights[stemmed]; ok {
		return w
	}
	if strings.IndexFunc(word, func(r rune) bool { return r < '0' || r > '9' }) < 0 || utf8.RuneCountInString(word) < 2 {
		return 0
	}
	return plainWeight
}

// guessLanguage counts little words double and words of every posting once;
// "en" when nothing speaks for another.
func (l *lexicon) guessLanguage(text []rune) string {
	const sample = 20_000
	counts := map[string]int{}
	for _, t := range tokenize(text[:min(len(text), sample)]) {
		for _, lang := range languages() {
			if w, listed := l.weights[lang][t.word]; listed && w == 0 {
				counts[lang] += 2
			} else if listed {
				counts[lang]++
			}
		}
	}
	best := "en"
	for _, lang := range languages() {
		if counts[lang] > counts[best] {
			best = lang
		}
	}
	return best
}
