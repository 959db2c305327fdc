package story

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"generalbackend/internal/domain"
)

const (
	yearForm    = `(1[5-9]\d\d|20\d\d)`
	monthForm   = `(Jan(?:uar|uary)|Jänner|Feb(?:ruar|ruary)|März|March|April|Mai|May|Juni|June|Juli|July|August|September|Oktober|October|November|Dezember|December)`
	seasonForm  = `(Frühling|Frühjahr|Sommer|Herbst|Winter|[Ss]pring|[Ss]ummer|[Aa]utumn|[Ww]inter)`
	decadeWords = `(zwanziger|dreißiger|vierziger|fünfziger|sechziger|siebziger|achtziger|neunziger|twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)`
)

// finders read a time, the most exact form first.
var finders = []struct {
	form *regexp.Regexp
	read func(m []string) (domain.Period, error)
}{
	{regexp.MustCompile(`\b` + yearForm + `-(\d\d)-(\d\d)\b`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod("", m[0], "", "")
	}},
	{regexp.MustCompile(`\b(\d{1,2})\.\s?(\d{1,2})\.\s?` + yearForm + `\b`), func(m []string) (domain.Period, error) {
		return onDay(m[3], number(m[2]), m[1])
	}},
	{regexp.MustCompile(`\b(\d{1,2})(?:\.|st|nd|rd|th)?\s(?:of\s)?` + monthForm + `,?\s` + yearForm + `\b`), func(m []string) (domain.Period, error) {
		return onDay(m[3], monthNumber(m[2]), m[1])
	}},
	{regexp.MustCompile(`\b` + monthForm + `\s(\d{1,2})(?:st|nd|rd|th)?,?\s` + yearForm + `\b`), func(m []string) (domain.Period, error) {
		return onDay(m[3], monthNumber(m[1]), m[2])
	}},
	{regexp.MustCompile(`(?i)\b(?:von|zwischen|from|between)\s` + yearForm + `\s(?:bis|und|to|until|and)\s` + yearForm + `\b`), fromYearToYear},
	{regexp.MustCompile(`\b` + yearForm + `\s?[-–]\s?` + yearForm + `\b`), fromYearToYear},
	{regexp.MustCompile(`\b` + monthForm + `\s` + yearForm + `\b`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod(domain.PrecisionMonth, fmt.Sprintf("%s-%02d", m[2], monthNumber(m[1])), "", "")
	}},
	{regexp.MustCompile(seasonForm + `\s(?:of\s|des Jahres\s)?` + yearForm + `\b`), season},
	{regexp.MustCompile(`\b` + yearForm + `(?:er\b|s\b)(?:\sJahren?)?`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod(domain.PrecisionDecade, m[1], "", "")
	}},
	{regexp.MustCompile(`\b([2-9]0)(?:er\sJahren?|er\b)`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod(domain.PrecisionDecade, "19"+m[1], "", "")
	}},
	{regexp.MustCompile(`(?i)\b` + decadeWords + `\b`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod(domain.PrecisionDecade, strconv.Itoa(1900+decadeNumber(m[1])), "", "")
	}},
	{regexp.MustCompile(`(?i)\b(?:um|circa|ca\.|etwa|ungefähr|about|around|circa)\s` + yearForm + `\b`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod(domain.PrecisionCirca, m[1], "", "")
	}},
	{regexp.MustCompile(`\b` + yearForm + `\b`), func(m []string) (domain.Period, error) {
		return domain.NewPeriod(domain.PrecisionYear, m[1], "", "")
	}},
}

// FindPeriod finds the most exact time that a German or English text names, and
// the words that name it.
func FindPeriod(text string) (p domain.Period, quote string, found bool) {
	for _, f := range finders {
		for _, m := range f.form.FindAllStringSubmatch(text, -1) {
			if p, err := f.read(m); err == nil {
				return p, strings.TrimSpace(m[0]), true
			}
		}
	}
	return p, "", false
}

func onDay(year string, month int, day string) (domain.Period, error) {
	return domain.NewPeriod(domain.PrecisionDay, fmt.Sprintf("%s-%02d-%02d", year, month, number(day)), "", "")
}

func fromYearToYear(m []string) (domain.Period, error) {
	return domain.NewPeriod(domain.PrecisionRange, m[1], m[2], "")
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // digits by their form
	return n
}

func monthNumber(name string) int {
	return number(strings.TrimPrefix(dateWords[strings.ToLower(name)], "m"))
}

func decadeNumber(word string) int {
	stem := strings.TrimSuffix(strings.ToLower(word), "er")
	if n := tens[stem]; n > 0 {
		return n
	}
	return tens[strings.TrimSuffix(stem, "ies")+"y"]
}

// season is its three months; a winter begins in the December of its year.
func season(m []string) (domain.Period, error) {
	first := map[string]int{"spring": 3, "summer": 6, "autumn": 9, "winter": 12}[dateWords[strings.ToLower(m[1])]]
	if dateWords[strings.ToLower(m[1])] == "winter" {
		return domain.NewPeriod(domain.PrecisionRange, m[2]+"-12", strconv.Itoa(number(m[2])+1)+"-02", m[0])
	}
	return domain.NewPeriod(domain.PrecisionRange, fmt.Sprintf("%s-%02d", m[2], first), fmt.Sprintf("%s-%02d", m[2], first+2), m[0])
}
