package matching

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// section says what the lines under a heading of a posting are.
type section int

const (
	sectionUnknown section = iota
	sectionDuties
	sectionMust
	sectionNice
	sectionSkip // pay, benefits, how to apply, the employer's praise of itself
)

// item is one statement of a posting. Alternatives, where there are any, are
// joined by "or".
type item struct {
	section      section
	text         string
	alternatives []string
}

// posting is an advert taken apart by layout, without understanding it.
type posting struct {
	title string
	items []item
}

// headings maps words of headings to sections; the first that fits wins.
var headings = []struct {
	section section
	words   *regexp.Regexp
}{
	{sectionSkip, regexp.MustCompile(`(?i)\b(salary|compensation|benefits?|we offer|what you (get|will get)|perks|apply|application|deadline|selection|notices?|notes?|contact|about us|who we are|certification list|gehalt|verg\pLtung|wir bieten|bieten wir|das bieten|was dich erwartet bei uns|unser angebot|benefits|kontakt|bewerbung|bewerben|\pLber uns|ansprechpartner|ofrecemos|salario|beneficios|contacto|sobre nosotros|plazo)\b`)},
	{sectionNice, regexp.MustCompile(`(?i)\b(nice to have|desir(ed|able)|certifications?|certificates?|preferred|bonus|plus|w\pLnschenswert|von vorteil|idealerweise|deseable|valorable|se valora)`)},
	{sectionMust, regexp.MustCompile(`(?i)\b(requirements?|qualifications?|qualifikation(en)?|skills|profile?|experience|what you bring|who you are|you have|about you|must haves?|knowledge|education|anforderung(en)?|anforderungsprofil|voraussetzung(en)?|ihr profil|dein profil|das bring(en|st)|kenntnisse|requisitos|perfil|conocimientos|formaci\pLn|se requiere|buscamos)\b`)},
	{sectionDuties, regexp.MustCompile(`(?i)\b(dut(y|ies)|responsibilit(y|ies)|tasks?|role|job description|what you (will )?do|the job|aufgaben?|aufgabengebiet|t\pLtigkeit(en)?|aufgabenbereich|das erwartet|stellenbeschreibung|funciones|tareas|responsabilidades|descripci\pLn)\b`)},
}

var (
	emptyTitle  = regexp.MustCompile(`(?i)^\W*(stellenangebote?|stellenanzeige|stellenausschreibung|job (description|posting|offer|advertisement)|vacancy|careers?|karriere|oferta de (empleo|trabajo)|wir suchen|we are hiring)\W*$`)
	bulletMark  = regexp.MustCompile(`^\s*(?:[-–•*·▪◦●‣o]\s+|\(?\d{1,2}[.)]\s+|\(?[a-z][.)]\s+)`)
	sentenceEnd = regexp.MustCompile(`[.!?]\s+`)
	orEnding    = regexp.MustCompile(`(?i)[,;]?\s+(or|oder|o)\s*$`)
	andEnding   = regexp.MustCompile(`(?i)[,;]?\s+(and|und|y|and/or)\s*$`)
	anyOf       = regexp.MustCompile(`(?i)(one or more|any|one|at least one|either) of the following|eine[rs]? der folgenden|uno (o más )?de los siguientes`)
	knowledgeOf = regexp.MustCompile(`(?i)\b(?:knowledge of|competencies may be evaluated|kenntnisse in|conocimientos de|ability to|experience (?:in|with))\b:?\s*`)
)

// readPosting takes a posting apart.
func readPosting(text string) posting {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	p := posting{}
	at, blocks := sectionUnknown, joinLines(lines)
	for _, b := range blocks {
		if p.title == "" {
			if emptyTitle.MatchString(b.text) || strings.IndexFunc(b.text, unicode.IsLetter) < 0 {
				continue
			}
			p.title = cleanTitle(b.text)
			if utf8.RuneCountInString(b.text) <= maxTitle {
				continue
			}
		}
		head, rest := splitHeading(b.text)
		if head != sectionUnknown {
			at = head
		}
		if rest != "" {
			p.items = append(p.items, item{section: at, text: rest})
		}
	}
	p.items = mergeAlternatives(p.items)
	return p
}

const (
	maxTitle   = 120
	maxHeading = 60
)

// block is a paragraph or bullet; last is the length of its last line.
type block struct {
	text string
	last int
}

// joinLines puts paragraphs that were broken into lines together again: a line
// continues the one before unless a blank line, a bullet or a heading starts
// something new. The first line stands alone: it is the title.
func joinLines(lines []string) []block {
	var out []block
	open := false
	for _, raw := range lines {
		line := strings.TrimSpace(raw)
		switch {
		case line == "":
			open = false
		case open && len(out) > 1 && !bulletMark.MatchString(line) && !looksLikeHeading(line) && continues(out[len(out)-1], line):
			out[len(out)-1] = block{out[len(out)-1].text + " " + line, utf8.RuneCountInString(line)}
		default:
			out = append(out, block{line, utf8.RuneCountInString(line)})
			open = true
		}
	}
	return out
}

// continues reports whether line goes on with the sentence of the text before.
func continues(before block, line string) bool {
	if looksLikeHeading(before.text) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(line)
	last, _ := utf8.DecodeLastRuneInString(before.text)
	if unicode.IsLower(first) || last == ',' || last == '-' {
		return true
	}
	const wrapped = 65 // shorter lines ended where their author wanted
	return before.last >= wrapped && !strings.ContainsRune(".!?:;", last)
}

// looksLikeHeading reports a short line in capitals, one that ends in a colon,
// or one that is nothing but the words of a heading.
func looksLikeHeading(line string) bool {
	if n := utf8.RuneCountInString(line); n > maxHeading || n < 3 || bulletMark.MatchString(line) {
		return false
	}
	if strings.HasSuffix(line, ":") || strings.ToUpper(line) == line && strings.ToLower(line) != line {
		return true
	}
	return len(strings.Fields(line)) <= 4 && !strings.ContainsAny(line, ".,;") && headingSection(line) != sectionUnknown
}

func headingSection(line string) section {
	for _, h := range headings {
		if h.words.MatchString(line) {
			return h.section
		}
	}
	return sectionUnknown
}

// splitHeading tells a heading from its text: "DUTIES", "Ihr Profil: ...". A
// heading it does not know ends a section that is to be skipped, no other.
func splitHeading(text string) (section, string) {
	if looksLikeHeading(text) {
		if s := headingSection(text); s != sectionUnknown {
			return s, ""
		}
		return sectionUnknown, ""
	}
	if head, rest, ok := strings.Cut(text, ":"); ok && utf8.RuneCountInString(head) <= maxHeading/2 && !bulletMark.MatchString(text) {
		if s := headingSection(head); s != sectionUnknown {
			return s, strings.TrimSpace(rest)
		}
	}
	return sectionUnknown, text
}

// mergeAlternatives joins items of which one is enough: those that end in "or"
// and lists under "one of the following".
func mergeAlternatives(items []item) []item {
	var out []item
	pending, list := false, false
	for _, it := range items {
		bullet := bulletMark.MatchString(it.text)
		text := strings.TrimSpace(bulletMark.ReplaceAllString(it.text, ""))
		if anyOf.MatchString(text) && strings.HasSuffix(text, ":") {
			list, pending = true, false
			out = append(out, item{section: it.section, text: text})
			continue
		}
		isOr := orEnding.MatchString(text)
		clean := strings.TrimRight(andEnding.ReplaceAllString(orEnding.ReplaceAllString(text, ""), ""), " ;,")
		switch {
		case (pending || list && bullet) && len(out) > 0 && out[len(out)-1].section == it.section:
			addAlternative(&out[len(out)-1], clean)
		default:
			list = false
			out = append(out, item{section: it.section, text: clean})
		}
		pending = isOr
	}
	return out
}

func addAlternative(to *item, text string) {
	if len(to.alternatives) == 0 && !strings.HasSuffix(to.text, ":") {
		to.alternatives = []string{to.text}
	}
	to.alternatives = append(to.alternatives, text)
}

var titleNoise = regexp.MustCompile(`(?i)\s*[(\[]\s*(m|w|d|f|x|gn|div|all genders)(\s*[/|,*]\s*(m|w|d|f|x|gn|div))*\s*[)\]]`)

// cleanTitle takes the first line for the job's title.
func cleanTitle(line string) string {
	line = strings.TrimSpace(titleNoise.ReplaceAllString(line, ""))
	if utf8.RuneCountInString(line) <= maxTitle {
		return line
	}
	if end := sentenceEnd.FindStringIndex(line); end != nil {
		line = line[:end[0]]
	}
	return string([]rune(line)[:min(maxTitle, utf8.RuneCountInString(line))])
}
