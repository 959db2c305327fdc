package matching

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// degree is a level of education, comparable across countries.
type degree int

const (
	degreeNone       degree = iota
	degreeSchool            // high school, Schulabschluss
	degreeVocational        // apprenticeship, Ausbildung, associate degree
	degreeBachelor
	degreeMaster // also Diplom, Magister, Staatsexamen
	degreeDoctor
)

// degrees lists how degrees are named, highest first. A text without any of the
// hints, in lower case, need not be searched for the words.
var degrees = []struct {
	degree degree
	hints  []string
	words  *regexp.Regexp
}{
	{degreeDoctor, []string{"ph", "doctor", "doktor", "promo", "dr.", "md.", "m.d"}, regexp.MustCompile(`(?i)\b(ph\.?\s?d|doctor(ate|al)?( of philosophy)?|promotion zum|promoviert|doktor(grad)?|dr\. (rer|phil|ing|med)|doctorado|juris doctor|m\.?d\.)(\W|$)`)},
	{degreeMaster, []string{"master", "mba", "m.", "msc", "dipl", "magister", "staatsexamen", "máster", "licenciatura", "graduate degree"}, regexp.MustCompile(`(?i)(\bmaster('?s)?( degree| of| in|:|,)|\bmaster('?s)?\s*$|\bm\.?b\.?a\b|\bm\.\s?(sc|a|s|ed)\.|\bmsc\b|\bdiplom(-|\pL*ingenieur|kauf)|\bdipl\.|\bmagister\b|\bstaatsexamen\b|\bm\pLster (en|universitario)|\blicenciatura\b|\bgraduate degree)`)},
	{degreeBachelor, []string{"bachelor", "b.", "bsc", "bsn", "college", "universit", "degree", "graduation", "studium", "hochschul", "grado", "graduado"}, regexp.MustCompile(`(?i)(\bbachelor|\bb\.\s?(sc|a|s|eng)\b|\bbsc\b|\bb\.?s\.?n\b|four[- ]year (college|university|degree)|\bcollege degree|\buniversity degree|\bdegree (in|from)\b|graduation from an? (accredited|recognized)|\b\pL*studium\b|\bhochschul\pL*|\buniversit\pLtsabschluss|\bfachhochschul\pL*|\bgrado en\b|t\pLtulo universitario|\bgraduado\b)`)},
	{degreeVocational, []string{"associate", "apprentice", "journey", "vocational", "trade school", "technical college", "ausbildung", "gelernte", "facharbeiter", "gesellenbrief", "meister", "formaci", "ciclo", "superior"}, regexp.MustCompile(`(?i)(\bassociate('?s)? (degree|of|in)|\bassociate of\b|apprentice(ship)?|journey(man|-level)|vocational|trade school|technical college|\b\pL*ausbildung\b|\bgelernte|\bfacharbeiter|\bgesellenbrief|\bmeister(brief|pr\pLfung)|formaci\pLn profesional|ciclo formativo|t\pLcnico superior)`)},
	{degreeSchool, []string{"high school", "ged", "twelfth", "abitur", "realschul", "hauptschul", "schulabschluss", "mittlere", "bachillerato", "eso", "secondary"}, regexp.MustCompile(`(?i)(high school|\bged\b|twelfth grade|\babitur\b|realschul|hauptschul|schulabschluss|mittlere reife|bachillerato|\beso\b|secondary school)`)},
}

// degreeIn is the highest degree a text names. A demand is met by the lowest
// of those it lists, see lowestDegree.
func degreeIn(text string) degree {
	lower := strings.ToLower(text)
	for _, d := range degrees {
		if containsAny(lower, d.hints) && d.words.MatchString(text) {
			return d.degree
		}
	}
	return degreeNone
}

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
}

func lowestDegree(text string) degree {
	for _, d := range slices.Backward(degrees) {
		if d.words.MatchString(text) {
			return d.degree
		}
	}
	return degreeNone
}

var (
	numberWords = []string{
		"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
		"ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
		"un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce",
	}
	number       = `(?:\d{1,2}|eine[mnrs]?|` + strings.Join(numberWords, "|") + `)`
	yearsPattern = regexp.MustCompile(`(?i)(?:^|[^\pL\pN])(` + number + `)(?:\s*\(\d+\))?\+?\s*(?:(?:-|–|to|bis|a)\s*` + number + `\s*)?\+?[- ]*(years?|yrs|months?|jahren?|jahre|monaten?|a\pLos?|meses)\b`)
	manyYears    = regexp.MustCompile(`(?i)\b(several years|mehrj\pLhrige?[nr]?|langj\pLhrige?[nr]?|varios a\pLos)\b`)
	experienced  = regexp.MustCompile(`(?i)experience|erfahrung|experiencia|employment|t\pLtigkeit`)
)

// years of "several", where a posting leaves it open.
const severalYears = 2

// yearsIn reads the years of experience a text names.
func yearsIn(text string) float64 {
	if !experienced.MatchString(text) {
		return 0
	}
	for _, m := range yearsPattern.FindAllStringSubmatch(text, -1) {
		n, ok := numberOf(m[1])
		if !ok || n > 45 {
			continue
		}
		if unit := strings.ToLower(m[2]); strings.HasPrefix(unit, "mo") || strings.HasPrefix(unit, "mes") {
			return n / 12
		}
		return n
	}
	if manyYears.MatchString(text) {
		return severalYears
	}
	return 0
}

func numberOf(word string) (float64, bool) {
	if n, err := strconv.Atoi(word); err == nil {
		return float64(n), true
	}
	if word = strings.ToLower(word); strings.HasPrefix(word, "eine") {
		word = "ein"
	}
	if i := slices.Index(numberWords, word); i >= 0 {
		return float64(i%12 + 1), true
	}
	return 0, false
}

// span is a period of work in months since year 0.
type span struct{ from, to int }

var (
	pointPattern = `(?:(?:(\pL{3,10})\.?,?\s+|(\d{1,2})[./]\s?)?((?:19|20)\d{2})|(current|present|today|now|heute|aktuell|jetzt|actualidad|actual|presente|hoy))`
	rangePattern = regexp.MustCompile(`(?i)` + pointPattern + `\s*(?:-|–|—|to|bis|until|hasta|a)\s*(?:dato\s)?` + pointPattern)
	sincePattern = regexp.MustCompile(`(?i)\b(?:since|seit|desde)\s+(?:(\pL{3,10})\.?\s+|(\d{1,2})[./]\s?)?((?:19|20)\d{2})\b`)
)

// spansIn reads the periods a text names; open ones last until now.
func spansIn(text string, now time.Time) []span {
	if !strings.Contains(text, "19") && !strings.Contains(text, "20") {
		return nil
	}
	var out []span
	for _, m := range rangePattern.FindAllStringSubmatch(text, -1) {
		s := span{pointOf(m[1:5], false, now), pointOf(m[5:9], true, now)}
		if s.to > s.from && s.to-s.from < 50*12 {
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, m := range sincePattern.FindAllStringSubmatch(text, -1) {
		from := pointOf([]string{m[1], m[2], m[3], ""}, false, now)
		if to := monthOf(now); to > from {
			out = append(out, span{from, to})
		}
	}
	return out
}

func monthOf(t time.Time) int { return t.Year()*12 + int(t.Month()) - 1 }

// pointOf turns month name, month number, year and "present" into a month.
func pointOf(m []string, end bool, now time.Time) int {
	if m[3] != "" || m[2] == "" {
		return monthOf(now)
	}
	year, err := strconv.Atoi(m[2])
	if err != nil {
		return 0
	}
	month := monthNumber(m[0])
	if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= 12 {
		month = n
	}
	switch {
	case month > 0 && end:
		return year*12 + month
	case month > 0:
		return year*12 + month - 1
	case end:
		return year*12 + 6
	default:
		return year * 12
	}
}

func monthNumber(name string) int {
	names := []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	local := map[string]int{"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "ene": 1, "abr": 4, "ago": 8, "dic": 12}
	r := []rune(strings.ToLower(name))
	if len(r) < 3 {
		return 0
	}
	if i := slices.Index(names, string(r[:3])); i >= 0 {
		return i + 1
	}
	return local[string(r[:3])]
}

// unionYears is the time the spans cover, counted once.
func unionYears(spans []span) float64 {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	months, end := 0, 0
	for _, s := range spans {
		if from := max(s.from, end); s.to > from {
			months += s.to - from
		}
		end = max(end, s.to)
	}
	return float64(months) / 12
}
