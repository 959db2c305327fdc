package matching

import (
	"math"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// segment is a sentence or line of an applicant's document: what can be quoted.
type segment struct {
	source   *Source
	from, to int
	text     string
	language string
	terms    map[string]bool
	fields   map[int]bool
	spans    []span
	titled   bool // short and near a period of work, or at the top: names a job
}

// entry is one period of work with the segments that describe it.
type entry struct {
	first, last int // segments, inclusive
	span        span
	terms       map[string]bool
	fields      map[int]bool
	studied     bool // at a school, for a degree
}

// Applicant is what the rules know of an applicant, from the whole of the
// documents.
type Applicant struct {
	lexicon  *lexicon
	sources  []*Source
	segments []segment
	entries  []entry
	counts   map[string]float64 // how often each term occurs
	where    map[string][]int   // segments that hold each term
	shares   []float64          // by field of work, of what the documents speak of; sum 1
	degree   degree
	degreeAt int // segment, -1: none
	years    float64
}

// ReadApplicant reads the whole of an applicant's documents; periods of work
// that are still open end now.
func (r *Rules) ReadApplicant(sources []*Source, now time.Time) *Applicant {
	p := &Applicant{lexicon: r.lexicon, sources: sources, counts: map[string]float64{}, where: map[string][]int{}, degreeAt: -1}
	for _, s := range sources {
		lang := s.Language
		if _, known := r.lexicon.weights[lang]; !known {
			lang = r.lexicon.guessLanguage([]rune(s.Visible()))
		}
		for _, sp := range segmentSpans(s.asserted()) {
			p.addSegment(s, sp[0], sp[1], lang, now)
		}
	}
	p.markTitles()
	p.weighFields()
	p.readEntries()
	return p
}

func (p *Applicant) addSegment(s *Source, from, to int, language string, now time.Time) {
	if overlaps(s.withheld, from, to) {
		return
	}
	seg := segment{source: s, from: from, to: to, text: string(s.asserted()[from:to]), language: language, terms: map[string]bool{}, fields: map[int]bool{}}
	for _, t := range p.lexicon.allTerms(s.asserted(), from, to, language) {
		if !seg.terms[t.key] {
			seg.terms[t.key] = true
			p.where[t.key] = append(p.where[t.key], len(p.segments))
		}
		p.counts[t.key]++
		if t.concept >= 0 {
			seg.fields[p.lexicon.concepts[t.concept].field] = true
		}
	}
	seg.spans = spansIn(seg.text, now)
	if d := degreeIn(seg.text); d > p.degree || d == p.degree && d > degreeNone && isBare(p.segments[p.degreeAt].text) {
		p.degree, p.degreeAt = d, len(p.segments)
	}
	p.segments = append(p.segments, seg)
}

// isBare reports a heading such as "Education", which proves nothing.
func isBare(text string) bool { return len(strings.Fields(text)) < 3 }

const maxSegment = 500 // runes; longer sentences are cut at a blank

// segmentSpans cuts a text into sentences, and into lines where lines stand
// for themselves.
func segmentSpans(text []rune) [][2]int {
	var out [][2]int
	start := 0
	flush := func(end int) {
		for start < end {
			cut := min(end, start+maxSegment)
			for cut < end && cut > start+maxSegment/2 && !unicode.IsSpace(text[cut]) {
				cut--
			}
			if a, b := trimSpan(text, start, cut); b > a {
				out = append(out, [2]int{a, b})
			}
			start = cut
		}
		start = end
	}
	lineStart := 0
	for i, r := range text {
		switch {
		case r == '\n':
			if !wraps(text, lineStart, i) {
				flush(i)
			}
			lineStart = i + 1
		case (r == '.' || r == '!' || r == '?') && endsSentence(text, start, i):
			flush(i + 1)
		}
	}
	flush(len(text))
	return out
}

// wraps reports whether the line text[from:end] goes on in the next line.
func wraps(text []rune, from, end int) bool {
	const full = 70
	if end+1 >= len(text) || end-from < 1 {
		return false
	}
	last, next := text[end-1], text[end+1]
	if strings.ContainsRune(".!?:;", last) || !unicode.IsLetter(next) {
		return false
	}
	return end-from >= full || unicode.IsLower(next) && (last == ',' || last == '-' || unicode.IsLower(last) && end-from > full/2)
}

func endsSentence(text []rune, start, i int) bool {
	if i+2 >= len(text) || !unicode.IsSpace(text[i+1]) || i-start < 12 {
		return false
	}
	next := text[i+2]
	return (unicode.IsUpper(next) || unicode.IsSpace(next)) && !isAbbreviation(string(text[start:i]))
}

// markTitles finds the segments that name jobs: short ones at the top of a
// document and next to a period of work.
func (p *Applicant) markTitles() {
	const top, maxTitleRunes = 2, 90
	for i := range p.segments {
		s := &p.segments[i]
		near := len(s.spans) > 0 || i > 0 && len(p.segments[i-1].spans) > 0 || i+1 < len(p.segments) && len(p.segments[i+1].spans) > 0
		first := i < top || i >= top && p.segments[i-top].source != s.source
		s.titled = (near || first) && utf8.RuneCountInString(s.text) <= maxTitleRunes
	}
}

// weighFields sums up what the documents speak of, by field of work. Saying a
// thing ten times counts little more than twice; naming it as a job counts
// titleFactor times.
func (p *Applicant) weighFields() {
	const titleFactor = 3.0
	titled := map[int]bool{}
	for _, s := range p.segments {
		if s.titled {
			for key := range s.terms {
				if id, ok := conceptOf(key); ok {
					titled[id] = true
				}
			}
		}
	}
	p.shares = make([]float64, len(p.lexicon.fields))
	total := 0.0
	for key, n := range p.counts {
		id, ok := conceptOf(key)
		if !ok {
			continue
		}
		f := p.lexicon.concepts[id].field
		if !p.lexicon.fields[f].occupational() {
			continue
		}
		mass := 1 + math.Log(n)
		if titled[id] {
			mass *= titleFactor
		}
		p.shares[f] += mass
		total += mass
	}
	for f := range p.shares {
		p.shares[f] /= max(total, 1)
	}
}

var school = regexp.MustCompile(`(?i)universit|hochschule|akademie|academy|college|school|schule\b|institute? of`)

// readEntries assigns each segment to the period of work it stands under.
func (p *Applicant) readEntries() {
	var spans []span
	for i, s := range p.segments {
		for _, sp := range s.spans {
			first := i
			if i > 0 && p.segments[i-1].titled {
				first = i - 1
			}
			if n := len(p.entries); n > 0 && p.entries[n-1].last >= first {
				p.entries[n-1].last = max(p.entries[n-1].first, first-1)
			}
			p.entries = append(p.entries, entry{first: first, last: len(p.segments) - 1, span: sp, studied: degreeIn(s.text) > degreeNone && school.MatchString(s.text)})
			spans = append(spans, sp)
		}
	}
	p.years = unionYears(spans)
	for i := range p.entries {
		p.describe(&p.entries[i])
	}
}

func (p *Applicant) describe(e *entry) {
	e.terms, e.fields = map[string]bool{}, map[int]bool{}
	for _, s := range p.segments[e.first : e.last+1] {
		for key := range s.terms {
			e.terms[key] = true
		}
		for f := range s.fields {
			e.fields[f] = true
		}
	}
}

// fieldShare is how much of the documents belongs to any of the fields, 0 to
// 1; a third of it makes an occupation.
func (p *Applicant) fieldShare(fields map[int]float64) float64 {
	const occupation = 1.0 / 3
	sum, weights := 0.0, 0.0
	for f, w := range fields {
		sum += w * min(1, p.shares[f]/occupation)
		weights += w
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}
