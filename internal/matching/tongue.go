package matching

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// tongue is a language by its ISO code and its names.
type tongue struct {
	code  string
	words *regexp.Regexp
}

// tongues are the languages a posting may ask for.
var tongues = []tongue{
	{"de", regexp.MustCompile(`(?i)\b(german|deutsch\pL*|alem\pLn)\b`)},
	{"en", regexp.MustCompile(`(?i)\b(english|englisch\pL*|ingl\pLs)\b`)},
	{"es", regexp.MustCompile(`(?i)\b(spanish|spanisch\pL*|espa\pLol)\b`)},
	{"fr", regexp.MustCompile(`(?i)\b(french|franz\pLsisch\pL*|franc\pLs)\b`)},
	{"it", regexp.MustCompile(`(?i)\b(italian|italienisch\pL*|italiano)\b`)},
	{"pt", regexp.MustCompile(`(?i)\b(portuguese|portugiesisch\pL*|portugu\pLs)\b`)},
	{"nl", regexp.MustCompile(`(?i)\b(dutch|niederl\pLndisch\pL*|neerland\pLs)\b`)},
	{"pl", regexp.MustCompile(`(?i)\b(polish|polnisch\pL*|polaco)\b`)},
	{"ru", regexp.MustCompile(`(?i)\b(russian|russisch\pL*|ruso)\b`)},
	{"tr", regexp.MustCompile(`(?i)\b(turkish|t\pLrkisch\pL*|turco)\b`)},
	{"ar", regexp.MustCompile(`(?i)\b(arabic|arabisch\pL*|\pLrabe)\b`)},
	{"zh", regexp.MustCompile(`(?i)\b(chinese|mandarin|chinesisch\pL*|chino)\b`)},
}

var (
	tongueCue   = regexp.MustCompile(`(?i)(fluen|language|proficien|native|spoken|written|bilingual|b[12]\b|c[12]\b|sprach|kenntnisse|flie\pL+end|verhandlungssicher|muttersprach|wort und schrift|idioma|nativo|fluido|nivel|bilingüe|speak)`)
	tongueGrade = regexp.MustCompile(`(?i)\b([abc][12])\b`)
	tongueWords = []struct {
		level int
		words *regexp.Regexp
	}{
		{basicLevel, regexp.MustCompile(`(?i)\b(basic|beginner|elementary|grund\pL*|b\pLsico)\b`)},
		{fluentLevel, regexp.MustCompile(`(?i)\b(fluen\pL*|proficien\pL*|native|mother tongue|bilingual|business level|flie\pL+end\pL*|verhandlungssicher\pL*|muttersprach\pL*|fluido|nativo)\b`)},
	}
)

// Levels of a language as the European framework counts them, A1 to C2 from 1.
const (
	basicLevel  = 2
	fluentLevel = 5
)

// tongueLevel is how well a text says that a language is spoken or asked for; a
// demand that says nothing asks for more than a basic level, a claim that says
// nothing is 0.
func tongueLevel(text string) int {
	if m := tongueGrade.FindString(text); m != "" {
		return int(m[0]|0x20-'a')*2 + int(m[1]-'0')
	}
	for _, w := range tongueWords {
		if w.words.MatchString(text) {
			return w.level
		}
	}
	return 0
}

var (
	allWanted   = regexp.MustCompile(`(?i)\s+(?:und|and|sowie|y|e)\s+|[,;&]`)
	anyWanted   = regexp.MustCompile(`(?i)\b(?:oder|or|o)\b|/`)
	origin      = regexp.MustCompile(`(?i)staatsangeh|staatsb|nationalit|citizen|nacionalidad|herkunft|geburt|geboren|\bborn\b|of birth`)
	tongueTitle = regexp.MustCompile(`(?i)sprach|language|idioma`)
	adjective   = regexp.MustCompile(`(?i)sche[nmrs]?$`)
	nextNoun    = regexp.MustCompile(`^ (\p{Lu}\pL+)`)
)

// wantedTongue is a language that is asked for, as the text names it, and how well;
// 0 where it does not say.
type wantedTongue struct {
	tongue
	name  string
	level int
}

// tonguesIn are the languages a text asks for; anyOf says that one of them is
// enough.
func tonguesIn(text string) (wanted []wantedTongue, anyOf bool) {
	if !tongueCue.MatchString(text) {
		return nil, false
	}
	for _, part := range allWanted.Split(text, -1) {
		for _, t := range tongues {
			known := slices.ContainsFunc(wanted, func(w wantedTongue) bool { return w.code == t.code })
			if name := t.words.FindString(part); name != "" && !known {
				wanted = append(wanted, wantedTongue{t, name, tongueLevel(part)})
			}
		}
	}
	if len(wanted) == 1 {
		wanted[0].level = tongueLevel(text)
	}
	return wanted, anyWanted.MatchString(text)
}

// asksTongue reports whether a text is about a language.
func asksTongue(text string) bool {
	wanted, _ := tonguesIn(text)
	return len(wanted) > 0
}

// findTongues looks for the languages that are asked for. Where all of them are,
// some of them meet the demand in part.
func (a *Applicant) findTongues(d demand) finding {
	var all finding
	least, sum := 1.0, 0.0
	for _, w := range d.tongues {
		f := a.findTongue(w)
		if d.anyTongue {
			if len(all.segments) == 0 || f.strength > all.strength {
				all = f
			}
			continue
		}
		least, sum = min(least, f.strength), sum+f.strength
		all.segments, all.related = append(all.segments, f.segments...), all.related || f.related
		all.found, all.lacking = append(all.found, f.found...), append(all.lacking, f.lacking...)
	}
	if !d.anyTongue {
		if all.strength = sum / float64(len(d.tongues)); least < fullFrom {
			all.strength = min(all.strength, fullFrom-0.01)
		}
	}
	return all
}

// findTongue looks for a language the applicant claims, or writes in. What is
// said among languages counts before what is said elsewhere.
func (a *Applicant) findTongue(w wantedTongue) finding {
	place, from, to := -1, 0, 0
	for i, s := range a.segments {
		begin, end := mention(w.tongue, s.text)
		among := end > 0 && a.amongTongues(i)
		if end > 0 && (among || place < 0) && !origin.MatchString(s.text) {
			place, from, to = i, begin, end
			if among {
				break
			}
		}
	}
	if place >= 0 {
		text := a.segments[place].text
		f := finding{strength: 0.9, segments: []int{place}, found: []string{text[from:to]}}
		if level := claimedLevel(text, from); level > 0 && level < cmp.Or(w.level, basicLevel+1) {
			f.strength = 0.45
		}
		return f
	}
	for i, s := range a.segments {
		if s.language == w.code {
			return finding{strength: 0.65, segments: []int{i}, related: true}
		}
	}
	return finding{lacking: []string{w.name}}
}

// mention finds the name of a language, in bytes; 0, 0 where there is none. Not
// meant are countries, and who is named after one: "Deutsche Bank".
func mention(t tongue, text string) (from, to int) {
	for _, at := range t.words.FindAllStringIndex(text, -1) {
		word := text[at[0]:at[1]]
		noun := nextNoun.FindStringSubmatch(text[at[1]:])
		named := noun != nil && adjective.MatchString(word) && !tongueCue.MatchString(noun[1])
		if !named && !strings.Contains(strings.ToLower(word), "land") {
			return at[0], at[1]
		}
	}
	return 0, 0
}

// amongTongues reports whether a segment is about languages: by its words, or
// because it stands below their heading.
func (a *Applicant) amongTongues(at int) bool {
	if s := a.segments[at].text; tongueCue.MatchString(s) || namesTongues(s) > 1 {
		return true
	}
	for i := at - 1; i >= 0 && a.segments[i].source == a.segments[at].source; i-- {
		above := a.segments[i].text
		if isBare(above) && tongueTitle.MatchString(above) {
			return true
		}
		if namesTongues(above) == 0 {
			return false
		}
	}
	return false
}

func namesTongues(text string) int {
	n := 0
	for _, t := range tongues {
		if _, to := mention(t, text); to > 0 {
			n++
		}
	}
	return n
}

// claimedLevel is how well a language is spoken that is named at a place of a
// text: as is said after it, else before it.
func claimedLevel(text string, at int) int {
	before := text[:at]
	if cuts := tongueCuts.FindAllStringIndex(before, -1); len(cuts) > 0 {
		before = before[cuts[len(cuts)-1][1]:]
	}
	return cmp.Or(tongueLevel(claimAfter(text[at:])), tongueLevel(before))
}

var tongueCuts = regexp.MustCompile(`(?i)[,;|/\n]|\s(?:und|and|y|e)\s`)

// claimAfter is what is said of a language: up to the next one in the list, with
// what stands in brackets.
func claimAfter(text string) string {
	for _, cut := range tongueCuts.FindAllStringIndex(text, -1) {
		if claim := text[:cut[0]]; strings.Count(claim, "(") <= strings.Count(claim, ")") {
			return claim
		}
	}
	return text
}
