package story

import (
	_ "embed" // nouns.txt
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Unfaithful lists what a rewritten text names and the original does not:
// numbers in digits or words, months, weekdays and seasons, and names. A name
// is, within a sentence, a capitalised word; in German one that is no common
// noun; at a sentence's begin, one that is no common word. So words are rather
// taken for a name than not. In a translation nouns have other forms: there only
// what would be a name in both languages counts.
func Unfaithful(original, refined, language string, translated bool) []string {
	var faults []string
	numbers := numbersIn(original)
	for n, form := range numbersIn(refined) {
		if numbers[n] == "" {
			faults = append(faults, form)
		}
	}
	dates := datesIn(original)
	for name, form := range datesIn(refined) {
		if dates[name] == "" {
			faults = append(faults, form)
		}
	}
	faults = append(faults, newNames(original, refined, language, translated)...)
	slices.Sort(faults)
	return slices.Compact(faults)
}

// word is a word of a text and where it stands.
type word struct {
	text  string
	first bool // of its sentence
	after string
}

var wordForm = regexp.MustCompile(`[\p{L}\p{M}]+(?:[-'’][\p{L}\p{M}]+)*|\d+\.?|[^\s\p{L}\p{M}\d]`)

func words(text string) []word {
	var out []word
	after := ""
	for line := range strings.SplitSeq(norm.NFC.String(text), "\n") {
		first := true
		for _, form := range wordForm.FindAllString(line, -1) {
			r := []rune(form)[0]
			switch {
			case unicode.IsLetter(r):
				out = append(out, word{form, first, after})
				first, after = false, strings.ToLower(form)
			case unicode.IsDigit(r):
				first, after = false, form
			default:
				// What is said begins with a capital, whatever went before.
				first = first || strings.ContainsAny(form, ".!?:…\"„“”»«‚‘’'–—-(")
				if strings.ContainsAny(form, ".!?:…") {
					after = ""
				}
			}
		}
	}
	return out
}

// newNames are the capitalised words of refined that original has in no form.
func newNames(original, refined, language string, translated bool) []string {
	var known []string
	for _, w := range words(original) {
		known = append(known, fold(w.text))
	}
	slices.Sort(known)
	known = slices.Compact(known)
	var faults []string
	for _, w := range words(refined) {
		if r := []rune(w.text)[0]; !unicode.IsUpper(r) || common(w, language, translated) {
			continue
		}
		if _, isNumber := numberWord(strings.ToLower(w.text)); isNumber || dateWords[strings.ToLower(w.text)] != "" {
			continue
		}
		if !slices.ContainsFunc(known, func(k string) bool { return sameWord(k, fold(w.text)) }) {
			faults = append(faults, w.text)
		}
	}
	return faults
}

// fold makes forms of a word alike: no capitals, no umlauts.
func fold(s string) string {
	s = strings.ToLower(s)
	s = strings.NewReplacer("ß", "ss", "’", "'", "ae", "a", "oe", "o", "ue", "u").Replace(s)
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return strings.TrimSuffix(strings.TrimSuffix(s, "'s"), "'")
}

// endings are what inflection adds to a word.
var endings = []string{"s", "n", "en", "es", "er", "ern", "em", "ns"}

// sameWord reports whether of two folded words one is the other with an ending
// of inflection: Anna and Annas, but not Paul and Paula.
func sameWord(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	rest, ok := strings.CutPrefix(b, a)
	return ok && (rest == "" || len(a) >= 3 && slices.Contains(endings, rest))
}

//go:embed nouns.txt
var nounList string

//go:embed common.txt
var commonList string

var (
	nouns       = set(nounList)
	commonWords = set(commonList)
)

func set(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[strings.ToLower(w)] = true
	}
	return out
}

// common reports whether a capitalised word is no name: a common noun, or a
// common word that begins a sentence.
func common(w word, language string, translated bool) bool {
	lower := strings.ToLower(w.text)
	if w.first && commonWords[lower] || strings.Contains(capitalised, " "+lower+" ") {
		return true
	}
	if language == "de" && germanNoun(lower) {
		return true
	}
	if w.first && hasSuffix(lower, firstSuffixes) {
		return true
	}
	return translated && language == "de" && strings.Contains(articles, " "+w.after+" ")
}

// firstSuffixes end words that begin sentences and are no names.
var firstSuffixes = []string{"ly", "ing", "lich", "weise", "erweise", "wärts", "mals"}

// nounSuffixes end German nouns that are no names.
var nounSuffixes = []string{"ung", "ungen", "heit", "keit", "heiten", "keiten", "schaft", "schaften", "nis", "nisse", "tion", "tionen", "tät", "ismus", "chen", "lein"}

func germanNoun(lower string) bool {
	for _, form := range []string{lower, strings.TrimSuffix(lower, "n"), strings.TrimSuffix(lower, "en"), strings.TrimSuffix(lower, "e"), strings.TrimSuffix(lower, "s"), strings.TrimSuffix(lower, "es"), strings.TrimSuffix(lower, "er"), strings.TrimSuffix(lower, "ern")} {
		if nouns[form] || nouns[plain(form)] {
			return true
		}
	}
	return len(lower) > 7 && hasSuffix(lower, nounSuffixes)
}

// plain takes the umlauts off, which plurals have.
func plain(s string) string { return strings.NewReplacer("ä", "a", "ö", "o", "ü", "u").Replace(s) }

func hasSuffix(s string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(s, suffix) && len(s) > len(suffix)+2 })
}

// capitalised are words with a capital anywhere that are no names.
const capitalised = " i i'm i'd i've i'll i’m i’d i’ve i’ll god mother father mom mum dad mama papa grandma grandpa grandmother grandfather sie ihnen ihr ihre ihren ihrem ihrer ihres "

const articles = " der die das den dem des ein eine einen einem einer eines mein meine meinen meinem meiner sein seine seinen ihr ihre ihren unser unsere unserem unseren kein keine am im zum zur beim vom ins ans "

// dateWords are months, weekdays and seasons in German and English by what they
// mean.
var dateWords = func() map[string]string {
	out := map[string]string{
		"jänner": "m1", "feber": "m2", "sonnabend": "w6", "frühling": "spring", "frühjahr": "spring", "sommer": "summer", "herbst": "autumn",
		"winter": "winter", "spring": "spring", "summer": "summer", "autumn": "autumn",
	}
	for _, language := range []string{"de", "en"} {
		for i, name := range months[language] {
			out[strings.ToLower(name)] = "m" + strconv.Itoa(i+1)
		}
	}
	for i, day := range []string{"montag monday", "dienstag tuesday", "mittwoch wednesday", "donnerstag thursday", "freitag friday", "samstag saturday", "sonntag sunday"} {
		for name := range strings.FieldsSeq(day) {
			out[name] = "w" + strconv.Itoa(i+1)
		}
	}
	return out
}()

var numericDate = regexp.MustCompile(`\b\d{1,2}\.\s?(\d{1,2})\.|\b\d{4}-(\d{2})\b|\b\d{1,2}/(\d{1,2})/\d{2,4}`)

// datesIn are the months, weekdays and seasons of a text by what they mean. A
// month may stand there as a number.
func datesIn(text string) map[string]string {
	found := map[string]string{}
	for _, w := range words(text) {
		lower := strings.ToLower(w.text)
		name := dateWords[lower]
		if name == "" {
			name = dateWords[strings.TrimSuffix(strings.TrimSuffix(lower, "s"), "en")]
		}
		verb := lower == "may" || lower == "march" || lower == "spring"
		if name != "" && (!verb || w.text != lower && !w.first) {
			found[name] = w.text
		}
	}
	for _, match := range numericDate.FindAllStringSubmatch(text, -1) {
		for _, month := range match[1:] {
			if n, err := strconv.Atoi(month); err == nil {
				found["m"+strconv.Itoa(n)] = match[0]
			}
		}
	}
	return found
}
