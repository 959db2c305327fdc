package story

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	digits    = regexp.MustCompile(`\b\d{1,3}(?:[.,'’]\d{3})+\b|\d+`)
	separator = strings.NewReplacer(".", "", ",", "", "'", "", "’", "")
)

// numbersIn are all numbers of a text by value, in digits and, in German and
// English, in words, with one form in which each stands there. Articles are no
// numbers, and neither are ordinals.
func numbersIn(text string) map[int]string {
	found := map[int]string{}
	for _, form := range digits.FindAllString(text, -1) {
		if n, err := strconv.Atoi(separator.Replace(form)); err == nil {
			found[n] = form
		}
		for part := range strings.FieldsFuncSeq(form, func(r rune) bool { return r < '0' || r > '9' }) {
			if n, err := strconv.Atoi(part); err == nil && len(form) != len(part) && found[n] == "" {
				found[n] = part // 1.200 may also be a date's end
			}
		}
	}
	for _, word := range words(text) {
		if n, ok := numberWord(strings.ToLower(word.text)); ok {
			found[n] = word.text
		}
	}
	return found
}

var units = map[string]int{
	"zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12,
	"dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
	"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}

var tens = map[string]int{
	"zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70, "achtzig": 80, "neunzig": 90,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	"hundert": 100, "einhundert": 100, "tausend": 1000, "eintausend": 1000, "hundred": 100, "thousand": 1000,
}

// numberWord reads one word: fünf, einundzwanzig, neunzehnhundertvierzig,
// twenty-one.
func numberWord(word string) (int, bool) {
	if n, ok := units[word]; ok {
		return n, true
	}
	if n, ok := tens[word]; ok {
		return n, true
	}
	if a, b, ok := strings.Cut(word, "-"); ok {
		n, okTen := tens[a]
		m, okUnit := lowNumber(b)
		return n + m, okTen && okUnit && m < 10
	}
	for _, scale := range []struct {
		name  string
		value int
	}{{"tausend", 1000}, {"hundert", 100}} {
		if before, after, ok := strings.Cut(word, scale.name); ok {
			return scaled(before, after, scale.value)
		}
	}
	if unit, ten, ok := strings.Cut(word, "und"); ok {
		n, okUnit := lowNumber(unit)
		m, okTen := tens[ten]
		return n + m, okUnit && okTen && n < 10 && m < 100
	}
	return 0, false
}

func scaled(before, after string, value int) (int, bool) {
	factor, rest, ok := 1, 0, true
	if before != "" && before != "ein" {
		if factor, ok = numberWord(before); !ok {
			return 0, false
		}
	}
	if after = strings.TrimPrefix(after, "und"); after != "" {
		if rest, ok = lowNumber(after); !ok {
			rest, ok = numberWord(after)
		}
	}
	return factor*value + rest, ok
}

// lowNumber is a number within a word, where one counts, too.
func lowNumber(word string) (int, bool) {
	if word == "ein" || word == "eins" || word == "one" {
		return 1, true
	}
	n, ok := units[word]
	return n, ok
}
