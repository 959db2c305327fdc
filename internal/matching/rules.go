package matching

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"generalbackend/internal/domain"
)

// Rules is the judge that needs no model: it compares by rules and by the word
// lists of this package. It is safe for concurrent use.
type Rules struct{ lexicon *lexicon }

// NewRules builds the judge.
func NewRules() *Rules { return &Rules{lexicon: newLexicon()} }

// Strengths from which a requirement counts as met or partly met.
const (
	fullFrom    = 0.60
	partialFrom = 0.30
)

// How much the field an applicant works in counts beside the words of the
// requirement. A skill has to be named; a duty may follow from the work.
const (
	relatedForWork  = 0.40
	relatedForSkill = 0.20
	relatedForRole  = 0.50
)

// Prepared is a posting made comparable, for judging many applicants.
type Prepared struct {
	rules   *Rules
	posting domain.Posting
	demands [][]demand // per requirement, one per alternative
	trade   map[int]float64
}

// demand is a requirement, or one of its alternatives, made comparable.
type demand struct {
	text   string
	terms  []term
	total  float64
	fields map[int]float64
	years  float64
	degree degree

	tongues   []wantedTongue
	anyTongue bool // one of them is enough
}

// finding is what the applicant's documents hold of a demand.
type finding struct {
	strength float64
	segments []int // evidence, best first
	found    []string
	lacking  []string
	related  bool
	asked    float64 // years
	years    float64
}

// Prepare makes a posting comparable.
func (r *Rules) Prepare(posting domain.Posting) *Prepared {
	p := &Prepared{rules: r, posting: posting}
	for _, req := range posting.Requirements {
		options := req.Alternatives
		if len(options) == 0 {
			options = []string{req.Text}
		}
		var ds []demand
		for _, text := range options {
			ds = append(ds, r.demand(text, posting.Language))
		}
		p.demands = append(p.demands, ds)
	}
	p.trade = p.readTrade()
	return p
}

func (r *Rules) demand(text, language string) demand {
	runes := []rune(text)
	d := demand{text: text, fields: map[int]float64{}, years: yearsIn(text), degree: lowestDegree(text)}
	d.tongues, d.anyTongue = tonguesIn(text)
	seen := map[string]bool{}
	for _, t := range r.lexicon.terms(runes, 0, len(runes), language) {
		if seen[t.key] {
			continue
		}
		seen[t.key] = true
		d.terms = append(d.terms, t)
		d.total += t.weight
		if t.concept >= 0 {
			if f := r.lexicon.concepts[t.concept].field; r.lexicon.fields[f].occupational() {
				d.fields[f] += t.weight
			}
		}
	}
	return d
}

// readTrade finds the posting's own field of work: what title and requirements
// speak of, the title most.
func (p *Prepared) readTrade() map[int]float64 {
	const titleFactor = 4.0
	fields, total := map[int]float64{}, 0.0
	for i, req := range p.posting.Requirements {
		factor := 1.0
		if req.Category == domain.CategoryRole {
			factor = titleFactor
		}
		for _, d := range p.demands[i] {
			for f, w := range d.fields {
				fields[f] += factor * w
				total += factor * w
			}
		}
	}
	const side = 0.15 // smaller fields are mentioned, not exercised
	for f, w := range fields {
		if w < side*total {
			delete(fields, f)
		}
	}
	return fields
}

// Judge gives a verdict for each requirement, with reasons in the given
// language.
func (p *Prepared) Judge(a *Applicant, language string) []domain.Verdict {
	out := make([]domain.Verdict, 0, len(p.posting.Requirements))
	for i, req := range p.posting.Requirements {
		best := finding{strength: -1}
		for _, d := range p.demands[i] {
			if f := p.find(a, req.Category, d); f.strength > best.strength {
				best = f
			}
		}
		out = append(out, a.verdict(req, best, wordingIn(language)))
	}
	return out
}

// find looks for a demand in the applicant's documents.
func (p *Prepared) find(a *Applicant, category domain.Category, d demand) finding {
	fields := d.fields
	if len(fields) == 0 {
		fields = p.trade
	}
	f, related := a.cover(d), a.fieldShare(fields)
	lexical := f.strength
	switch {
	case len(d.tongues) > 0 && category == domain.CategoryLanguage:
		return a.findTongues(d)
	case category == domain.CategoryRole:
		f.strength = blend(max(a.coverTitle(d), 0.5*lexical), a.fieldShare(p.trade), relatedForRole)
		fields = p.trade
	case category == domain.CategorySoft, category == domain.CategoryLicence:
	case d.degree > degreeNone && d.years == 0:
		a.findDegree(d, &f, lexical, related)
	case category == domain.CategorySkill:
		f.strength = blend(lexical, related, relatedForSkill)
	default:
		f.strength = blend(lexical, related, relatedForWork)
		a.findYears(d, &f)
	}
	if f.strength >= partialFrom && lexical < partialFrom {
		f.related = true
		f.segments = append(f.segments, a.inFields(fields)...)
	}
	return f
}

// blend mixes what is said with the field it is said in.
func blend(lexical, related, share float64) float64 {
	return (1-share)*lexical + share*related
}

// verdict turns a finding into a level with evidence. The confidence says how
// clearly the strength lies above the level's threshold or, for missing, below.
// Without a passage to quote nothing is met.
func (a *Applicant) verdict(req domain.Requirement, f finding, w wording) domain.Verdict {
	v := domain.Verdict{RequirementID: req.ID, Evidence: []domain.Evidence{}, Flags: []domain.Flag{}}
	strength := f.strength
	if len(f.segments) == 0 {
		strength = min(strength, partialFrom*0.99)
	}
	switch {
	case strength >= fullFrom:
		v.Level, v.Confidence = domain.LevelFull, (strength-fullFrom)/(1-fullFrom)
	case strength >= partialFrom:
		v.Level, v.Confidence = domain.LevelPartial, (strength-partialFrom)/(fullFrom-partialFrom)
	default:
		v.Level, v.Confidence = domain.LevelMissing, 1-max(strength, 0)/partialFrom
	}
	v.Confidence = round(min(1, v.Confidence), 3)
	if v.Level != domain.LevelMissing {
		v.Evidence = a.cite(f.segments)
		if f.related {
			v.Flags = append(v.Flags, domain.FlagRelated)
		}
	}
	v.Reason = w.reason(v.Level, f)
	return v
}

const maxEvidence = 2

func (a *Applicant) cite(segments []int) []domain.Evidence {
	out := []domain.Evidence{}
	for _, at := range a.telling(segments) {
		s := a.segments[at]
		out = append(out, s.source.evidence(s.from+bulletRunes(s.text), s.to))
	}
	return out
}

// telling are the segments to quote, each once: headings only where there is
// nothing else.
func (a *Applicant) telling(segments []int) []int {
	var out, headings []int
	for _, at := range segments {
		text := a.segments[at].text
		switch {
		case slices.Contains(out, at) || slices.Contains(headings, at):
		case isBare(text) && isHeading(text):
			headings = append(headings, at)
		default:
			out = append(out, at)
		}
	}
	if len(out) == 0 {
		out = headings
	}
	return out[:min(len(out), maxEvidence)]
}

// bulletRunes counts the characters of the mark that begins an item of a list.
func bulletRunes(text string) int {
	return utf8.RuneCountInString(listMark.FindString(text))
}

var listMark = regexp.MustCompile(`^[-–—*•▪·●○‣]\s+`)

// conceptOf is the concept behind a term's key.
func conceptOf(key string) (int, bool) {
	digits, ok := strings.CutPrefix(key, "#")
	if !ok {
		return 0, false
	}
	id, err := strconv.Atoi(digits)
	return id, err == nil
}
