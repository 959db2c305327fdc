package matching

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"generalbackend/internal/domain"
)

// Shares of the score by group of requirement; those of absent groups fall to
// the others. Within a group every requirement weighs the same, apart from
// minorWeight.
const (
	roleShare = 25.0
	mustShare = 40.0
	dutyShare = 20.0
	niceShare = 15.0

	minorWeight = 0.4 // of personal traits and driving licences, which nearly every posting asks for
)

var (
	niceCue       = regexp.MustCompile(`(?i)\b(desirable|desired|preferred|a plus|nice to have|ideally|may require|not required|optional|von vorteil|wünschenswert|idealerweise|gerne|deseable|valorable|se valora|preferible)`)
	licenceCue    = regexp.MustCompile(`(?i)\b(licen[cs]ed?|licen[cs]es|certificates?|certifications?|certified|registration|registered|credential|führerschein|fahrerlaubnis|approbation|zertifi\pL*|zulassung|examen|licencia|carn\pL|permiso de conducir|certificado|colegiado)\b`)
	drivingCue    = regexp.MustCompile(`(?i)(driv(er|ing)('?s)?\s+licen[cs]e|führerschein|fahrerlaubnis|(carn\pL|permiso) de conducir)`)
	experienceCue = regexp.MustCompile(`(?i)\b(experience[d]?|\pL*erfahrung(en)?|experiencia|worked as|employment as)\b`)
	askCue        = regexp.MustCompile(`(?i)\b(must|require[ds]?|should|need(ed)?|able to|knowledge|skills?|experience|degree|sollten?|müssen|muss|voraus\pL*|erfahrung\pL*|kenntnis\pL*|fähigkeit\pL*|ausbildung|studium|verfügen|bringen|debe\pL*|requiere|requisito|experiencia|conocimientos?|verantwortlich|responsible|responsable|erstellen|unterstützen|entwickel\pL*)\b`)
	mustCue       = regexp.MustCompile(`(?i)\b(must|require[ds]?|requirements?|should|need(ed)?|minimum|sollten?|müssen|muss|voraus\pL*|erforderlich|debe\pL*|requiere|requisito|imprescindible)\b`)
	employerCue   = regexp.MustCompile(`(?i)^(we|our|the company|wir|unsere?r?|das unternehmen|als unternehmen|nuestr[oa]s?|somos|la empresa)\b`)
	procedureCue  = regexp.MustCompile(`(?i)\b(applicants?|application|time of filing|examination|eligible list|appointment|bewerbungsunterlagen)\b`)
	listLead      = regexp.MustCompile(`(?i)^[^:;]{0,80}\b(includ(e|es|ing)|following|folgendes?|siguientes)\b[^:;]{0,20}:\s+`)
	leadingAnd    = regexp.MustCompile(`(?i)^(and|or|und|oder|y|o)\s+(the ability to\s+)?`)
	offerCue      = regexp.MustCompile(`(?i)(wir bieten|wir freuen|bewerben sie|bewirb dich|we offer|apply now|ofrecemos|equal opportunity|does not discriminate|https?://|www\.|class code|open date|revised:|\$\d|http)`)
)

// ReadPosting reads the requirements of a posting by rules: from its headings,
// bullets and turns of phrase in English, German and Spanish.
func (r *Rules) ReadPosting(text, language string) domain.Posting {
	if language == "" {
		language = r.lexicon.guessLanguage([]rune(text))
	}
	raw := readPosting(text)
	out := domain.Posting{Title: raw.title, Language: language}
	seen := map[string]bool{}
	for _, it := range raw.items {
		for _, req := range r.requirementsOf(it, language) {
			if key := strings.ToLower(req.Text); !seen[key] {
				seen[key] = true
				out.Requirements = append(out.Requirements, req)
			}
		}
	}
	finish(&out)
	return out
}

// finish puts the occupation first, numbers the requirements and weighs them.
func finish(p *domain.Posting) {
	if p.Title != "" {
		role := domain.Requirement{Text: p.Title, Kind: domain.RequirementMust, Category: domain.CategoryRole}
		p.Requirements = append([]domain.Requirement{role}, p.Requirements...)
	}
	for i := range p.Requirements {
		p.Requirements[i].ID = "r" + strconv.Itoa(i+1)
	}
	Weigh(p.Requirements)
}

// Weigh gives requirements their weights, from kind and category alone.
func Weigh(reqs []domain.Requirement) {
	sums := map[float64]float64{}
	for i := range reqs {
		share, part := shareOf(reqs[i])
		sums[share] += part
	}
	for i := range reqs {
		share, part := shareOf(reqs[i])
		// A lone requirement of its group must not outweigh the occupation.
		reqs[i].Weight = min(share, roleShare*sums[share]) * part / sums[share]
	}
}

func shareOf(r domain.Requirement) (share, part float64) {
	part = 1
	if r.Category == domain.CategorySoft || drivingCue.MatchString(r.Text) && len(r.Alternatives) == 0 {
		part = minorWeight
	}
	switch {
	case r.Category == domain.CategoryRole:
		return roleShare, part
	case r.Category == domain.CategoryDuty:
		return dutyShare, part
	case r.Kind == domain.RequirementNice:
		return niceShare, part
	}
	return mustShare, part
}

// requirementsOf turns one statement of a posting into requirements.
func (r *Rules) requirementsOf(it item, language string) []domain.Requirement {
	if len(it.alternatives) > 0 && it.section != sectionSkip {
		return []domain.Requirement{r.classify(it.section, strings.Join(append(leadOf(it), it.alternatives...), " / "), it.alternatives, language)}
	}
	var out []domain.Requirement
	for _, text := range splitItem(it) {
		if keep := r.worthAsking(it.section, text, language); keep {
			out = append(out, r.classify(it.section, text, nil, language))
		}
	}
	return out
}

// leadOf is the sentence that introduces a list of alternatives.
func leadOf(it item) []string {
	if strings.HasSuffix(it.text, ":") {
		return []string{it.text}
	}
	return nil
}

// splitItem takes a statement apart into single demands.
func splitItem(it item) []string {
	text := it.text
	if it.section == sectionSkip {
		return splitSkipped(text)
	}
	if loc := knowledgeOf.FindStringIndex(text); loc != nil && strings.Count(text, ";") >= 2 {
		text = text[loc[0]:]
	}
	var out []string
	for _, sentence := range splitSentences(text) {
		for _, part := range strings.Split(sentence, ";") {
			out = append(out, cleanDemand(part))
		}
	}
	return out
}

// splitSkipped finds lists of knowledge and driving licences in sections that
// are otherwise about pay and procedure.
func splitSkipped(text string) []string {
	var out []string
	for _, sentence := range splitSentences(text) {
		loc := knowledgeOf.FindStringIndex(sentence)
		switch {
		case loc != nil && strings.Count(sentence, ";") >= 2:
			for _, part := range strings.Split(sentence[loc[1]:], ";") {
				out = append(out, cleanDemand(part))
			}
		case drivingCue.MatchString(sentence):
			out = append(out, cleanDemand(sentence))
		}
	}
	return out
}

// splitSentences cuts after full stops that end a sentence: not after
// abbreviations, numbers and single letters.
func splitSentences(text string) []string {
	var out []string
	start := 0
	for _, loc := range sentenceEnd.FindAllStringIndex(text, -1) {
		if isAbbreviation(text[start:loc[0]]) {
			continue
		}
		out = append(out, text[start:loc[0]+1])
		start = loc[1]
	}
	return append(out, text[start:])
}

func isAbbreviation(before string) bool {
	last := before[strings.LastIndexAny(before, " \n\t(")+1:]
	switch strings.ToLower(last) {
	case "bzw", "ca", "z.b", "u.a", "inkl", "ggf", "etc", "e.g", "i.e", "dr", "nr", "st", "approx", "vs", "bspw", "p.ej":
		return true
	}
	return utf8.RuneCountInString(last) <= 1
}

func cleanDemand(s string) string {
	s = strings.TrimSpace(bulletMark.ReplaceAllString(s, ""))
	s = listLead.ReplaceAllString(s, "")
	s = leadingAnd.ReplaceAllString(andEnding.ReplaceAllString(s, ""), "")
	return strings.Trim(s, " ;,.-–:\t")
}

// worthAsking drops statements that ask for nothing: offers, procedure, and
// outside known sections whatever has no turn of asking.
func (r *Rules) worthAsking(s section, text, language string) bool {
	if utf8.RuneCountInString(text) < 2 || offerCue.MatchString(text) || instruction.MatchString(text) {
		return false
	}
	informative := 0.0
	runes := []rune(text)
	for _, t := range r.lexicon.terms(runes, 0, len(runes), language) {
		if t.concept >= 0 || t.weight >= plainWeight {
			informative += t.weight
		}
	}
	switch s {
	case sectionUnknown:
		return informative >= 1 && askCue.MatchString(text) && !employerCue.MatchString(text) && !procedureCue.MatchString(text)
	case sectionSkip:
		return informative > 0
	case sectionNice:
		return informative > 0 && !procedureCue.MatchString(text)
	}
	return informative > 0 || degreeIn(text) != degreeNone || yearsIn(text) > 0
}

func (r *Rules) classify(s section, text string, alternatives []string, language string) domain.Requirement {
	req := domain.Requirement{Text: text, Alternatives: alternatives, Kind: domain.RequirementMust}
	if s == sectionNice || s == sectionSkip || s == sectionDuties || niceCue.MatchString(text) {
		req.Kind = domain.RequirementNice
	}
	req.Category = r.category(s, text, language)
	if req.Category == domain.CategoryDuty || s == sectionUnknown && !mustCue.MatchString(text) {
		req.Kind = domain.RequirementNice
	}
	return req
}

func (r *Rules) category(s section, text, language string) domain.Category {
	switch {
	case s == sectionDuties:
		return domain.CategoryDuty
	case asksTongue(text):
		return domain.CategoryLanguage
	case yearsIn(text) > 0:
		return domain.CategoryExperience
	case degreeIn(text) != degreeNone:
		return domain.CategoryEducation
	case experienceCue.MatchString(text):
		return domain.CategoryExperience
	case licenceCue.MatchString(text):
		return domain.CategoryLicence
	case r.isSoft(text, language):
		return domain.CategorySoft
	case s == sectionUnknown && !mustCue.MatchString(text):
		return domain.CategoryDuty
	}
	return domain.CategorySkill
}

// isSoft reports whether a text names personal traits and no field of work.
func (r *Rules) isSoft(text, language string) bool {
	runes, soft := []rune(text), false
	for _, t := range r.lexicon.terms(runes, 0, len(runes), language) {
		if t.concept < 0 {
			continue
		}
		f := r.lexicon.fields[r.lexicon.concepts[t.concept].field]
		if f.occupational() {
			return false
		}
		soft = soft || f.name == "soft"
	}
	return soft
}
