package matching

import "slices"

// cover tells how much of a demand's meaning the documents hold: in the best
// single passage and over all.
func (a *Applicant) cover(d demand) finding {
	f := finding{asked: d.years}
	if d.total == 0 {
		return f
	}
	whole := 0.0
	for _, t := range d.terms {
		switch {
		case a.counts[t.key] > 0:
			whole += t.weight
			f.found = append(f.found, t.label)
		case t.weight >= plainWeight:
			f.lacking = append(f.lacking, t.label)
		}
	}
	first, second := a.bestSegments(d)
	f.strength = whole / 2 / d.total
	if first >= 0 {
		f.strength += a.segments[first].coverage(d) / 2 / d.total
		f.segments = []int{first}
	}
	if second >= 0 {
		f.segments = append(f.segments, second)
	}
	return f
}

// bestSegments are the segment that says most of the demand and the one that
// adds most to it; -1 where there is none.
func (a *Applicant) bestSegments(d demand) (first, second int) {
	first, best := a.richest(d.terms)
	if best == 0 {
		return -1, -1
	}
	var rest []term
	for _, t := range d.terms {
		if !a.segments[first].terms[t.key] {
			rest = append(rest, t)
		}
	}
	second, best = a.richest(rest)
	if best <= plainWeight/2 { // generic words alone are not worth a quote
		return first, -1
	}
	return first, second
}

// richest is the first segment that holds most of the terms, by weight.
func (a *Applicant) richest(terms []term) (at int, weight float64) {
	sums := map[int]float64{}
	for _, t := range terms {
		for _, i := range a.where[t.key] {
			sums[i] += t.weight
			if s := sums[i]; s > weight || s == weight && i < at {
				at, weight = i, s
			}
		}
	}
	return at, weight
}

func (s *segment) coverage(d demand) float64 {
	sum := 0.0
	for _, t := range d.terms {
		if s.terms[t.key] {
			sum += t.weight
		}
	}
	return sum
}

// coverTitle is the share of a job title found in one of the applicant's.
func (a *Applicant) coverTitle(d demand) float64 {
	best := 0.0
	for i := range a.segments {
		if a.segments[i].titled {
			best = max(best, a.segments[i].coverage(d))
		}
	}
	if d.total == 0 {
		return 0
	}
	return best / d.total
}

// inFields are segments that speak of the fields, those that name a job first.
func (a *Applicant) inFields(fields map[int]float64) []int {
	var out []int
	for i, s := range a.segments {
		for f := range s.fields {
			if fields[f] > 0 {
				out = append(out, i)
				break
			}
		}
	}
	slices.SortStableFunc(out, func(x, y int) int {
		switch {
		case a.segments[x].titled == a.segments[y].titled:
			return 0
		case a.segments[x].titled:
			return -1
		}
		return 1
	})
	return out
}

// findYears weighs the time spent in fitting work against the time asked for.
func (a *Applicant) findYears(d demand, f *finding) {
	if d.years == 0 {
		return
	}
	var spans []span
	for i := range a.entries {
		if e := &a.entries[i]; e.fits(d) && !e.studied {
			spans = append(spans, e.span)
			f.segments = append(f.segments, e.first)
		}
	}
	f.years = unionYears(spans)
	for _, at := range f.segments {
		f.years = max(f.years, yearsIn(a.segments[at].text))
	}
	f.strength = 0.75*f.strength + 0.25*min(1, f.years/d.years)*min(1, f.strength*2)
	if f.years > 0 && f.years < enoughYears*d.years {
		f.strength = min(f.strength, fullFrom-0.01)
	}
}

// enoughYears is the share of the years asked for that passes for them.
const enoughYears = 0.8

// fits reports whether a period of work has to do with the demand: a quarter
// of its words, or its field.
func (e *entry) fits(d demand) bool {
	sum := 0.0
	for _, t := range d.terms {
		if e.terms[t.key] {
			sum += t.weight
		}
	}
	for f := range d.fields {
		if e.fields[f] {
			return true
		}
	}
	return d.total > 0 && sum/d.total >= 0.25
}

// findDegree weighs the level of education and, where one is named, its
// subject.
func (a *Applicant) findDegree(d demand, f *finding, lexical, related float64) {
	level := 0.0
	switch {
	case a.degree >= d.degree:
		level = 1
	case a.degree > degreeNone:
		level = 0.4
	}
	if a.degreeAt >= 0 {
		f.segments = append([]int{a.degreeAt}, f.segments...)
		f.found = append(f.found, a.segments[a.degreeAt].text)
	}
	if len(d.fields) == 0 {
		f.strength = blend(level, related, 0.25)
		return
	}
	f.strength = 0.4*level + 0.3*lexical + 0.3*related
}
