package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report collects what one scenario measured, round by round.
type report struct {
	Scenario string    `json:"scenario"`
	Started  time.Time `json:"started"`
	Command  string    `json:"command"`
	Machine  machine   `json:"machine"`
	Setting  []string  `json:"setting"` // what a reader must know to judge the figures
	Figures  []*figure `json:"figures"`
}

// figure is one measure of one subject, with a value for each round.
type figure struct {
	Subject string    `json:"subject"`
	Measure string    `json:"measure"` // with its unit
	Rounds  []float64 `json:"rounds"`
}

func newReport(scenario string, m machine, command string) *report {
	return &report{Scenario: scenario, Started: time.Now(), Command: command, Machine: m}
}

func (r *report) set(format string, args ...any) {
	r.Setting = append(r.Setting, fmt.Sprintf(format, args...))
}

// add notes a value of this round.
func (r *report) add(subject, measure string, value float64) {
	f := r.find(subject, measure)
	if f == nil {
		f = &figure{Subject: subject, Measure: measure}
		r.Figures = append(r.Figures, f)
	}
	f.Rounds = append(f.Rounds, value)
}

func (r *report) find(subject, measure string) *figure {
	for _, f := range r.Figures {
		if f.Subject == subject && f.Measure == measure {
			return f
		}
	}
	return nil
}

// compare adds, for each round, how often a subject's value contains a peer's.
func (r *report) compare(subject, measure, peer string) {
	ours, theirs := r.find(subject, measure), r.find(peer, measure)
	if ours == nil || theirs == nil {
		return
	}
	for i := range min(len(ours.Rounds), len(theirs.Rounds)) {
		r.add(quotient(subject, peer), measure, ours.Rounds[i]/theirs.Rounds[i])
	}
}

// quotient names a ratio; what both names begin with is said once.
func quotient(subject, peer string) string {
	if set, name, ok := strings.Cut(peer, ", "); ok && strings.HasPrefix(subject, set+", ") {
		peer = name
	}
	return subject + " ÷ " + peer
}

// String lays the medians out as a table, subjects down and measures across,
// with the smallest and largest round behind each.
func (r *report) String() string {
	var subjects, measures []string
	for _, f := range r.Figures {
		if !slices.Contains(subjects, f.Subject) {
			subjects = append(subjects, f.Subject)
		}
		if !slices.Contains(measures, f.Measure) {
			measures = append(measures, f.Measure)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "== %s\n", r.Scenario)
	for _, s := range r.Setting {
		fmt.Fprintf(&b, "   %s\n", s)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\t%s\n", strings.Join(measures, "\t"))
	for _, s := range subjects {
		fmt.Fprint(w, s)
		for _, m := range measures {
			fmt.Fprintf(w, "\t%s", r.find(s, m))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // to memory
	return b.String()
}

func (f *figure) String() string {
	switch {
	case f == nil:
		return ""
	case len(f.Rounds) == 1:
		return short(f.Rounds[0])
	}
	return fmt.Sprintf("%s (%s–%s)", short(quantile(f.Rounds, 0.5)), short(slices.Min(f.Rounds)), short(slices.Max(f.Rounds)))
}

// short prints three significant digits.
func short(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Sprint(v)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return fmt.Sprintf("%.*f", max(digits, 0), v)
}

func (r *report) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s.json", r.Started.UTC().Format("20060102T150405"), r.Scenario)
	return os.WriteFile(filepath.Join(dir, name), append(b, '\n'), 0o644)
}

// quantile returns the smallest value that at least the share q of the values
// do not exceed.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// quantiles adds the median and the 99th percentile of durations, in
// milliseconds.
func (r *report) quantiles(subject, measure string, durations []time.Duration) {
	ms := make([]float64, len(durations))
	for i, d := range durations {
		ms[i] = float64(d) / float64(time.Millisecond)
	}
	r.add(subject, strings.TrimSpace(measure+" p50 ms"), quantile(ms, 0.5))
	r.add(subject, strings.TrimSpace(measure+" p99 ms"), quantile(ms, 0.99))
}
