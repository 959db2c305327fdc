package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/pdf"
)

// cover says the essence on the first page.
func (w *writer) cover() {
	d := w.d
	d.NewPage()
	w.banner()
	w.score()
	w.figures()
	d.Space(6)
	w.heading(w.words.summary, 20)
	d.Text(w.candidate.Summary, body)
	d.Space(2)
	w.facts()
}

// banner is the coloured head with position and candidate.
func (w *writer) banner() {
	d := w.d
	kind := pdf.Style{Family: pdf.Sans, Points: 9.5, Color: pdf.Color{R: 190, G: 208, B: 228}}
	title := pdf.Style{Family: pdf.Sans, Points: 22, Bold: true, Leading: 1.2, Color: paper}
	name := pdf.Style{Family: pdf.Sans, Points: 13, Leading: 1.3, Color: paper}
	text, person := clip(w.title(), 140), clip(w.person(w.candidate), 160)
	height := d.HeightOf(text, title, d.Width()) + d.HeightOf(person, name, d.Width()) + 32
	d.Box(0, 0, d.Size().Width, height, accent)
	y := 13.0
	y += d.TextAt(margin, y, d.Width(), strings.ToUpper(w.words.kind), kind) + 3
	y += d.TextAt(margin, y, d.Width(), text, title) + 2
	d.TextAt(margin, y, d.Width(), person, name)
	d.MoveTo(height + 9)
}

// score is the number, its band and a bar.
func (w *writer) score() {
	d, score, y := w.d, w.candidate.Score, w.d.Y()
	color := colorOf(score)
	number := pdf.Style{Family: pdf.Sans, Points: 40, Bold: true, Leading: 1, Color: color}
	d.TextAt(margin, y, 40, strconv.Itoa(score), number)
	d.TextAt(margin, y+14.5, 40, w.words.score, small)
	band := pdf.Style{Family: pdf.Sans, Points: 14, Bold: true, Leading: 1.1, Color: color}
	d.TextAt(margin+38, y+1, d.Width()-38, w.words.band(score), band)
	w.bar(margin+38, y+10, d.Width()-38, 4, score)
	d.MoveTo(y + 24)
}

func (w *writer) bar(x, y, width, height float64, score int) {
	w.d.Box(x, y, width, height, pdf.Color{R: 228, G: 232, B: 237})
	if score > 0 {
		w.d.Box(x, y, width*float64(score)/100, height, colorOf(score))
	}
}

// figures are the counts side by side.
func (w *writer) figures() {
	rows := w.rows(w.candidate)
	musts := count(rows, isMust)
	metMusts := count(rows, func(r row) bool { return isMust(r) && r.verdict.Level == domain.LevelFull })
	boxes := []struct {
		value, label string
		color        pdf.Color
	}{
		{strconv.Itoa(count(rows, atLevel(domain.LevelFull))), w.words.met, green},
		{strconv.Itoa(count(rows, atLevel(domain.LevelPartial))), w.words.partly, amber},
		{strconv.Itoa(count(rows, atLevel(domain.LevelMissing))), w.words.missing, red},
		{fmt.Sprintf("%d / %d", metMusts, musts), w.words.musts, ink},
		{w.words.risks[w.candidate.RiskAssessment.OverallRisk], w.words.risk, ink},
	}
	const gap, height = 3.0, 19.0
	d, y := w.d, w.d.Y()
	width := (d.Width() - gap*float64(len(boxes)-1)) / float64(len(boxes))
	for i, b := range boxes {
		x := margin + float64(i)*(width+gap)
		d.Box(x, y, width, height, pale)
		d.Box(x, y, width, 0.9, b.color)
		value := pdf.Style{Family: pdf.Sans, Points: 15, Bold: true, Leading: 1.1, Color: b.color, Align: pdf.Center}
		label := small
		label.Align, label.Points = pdf.Center, 7.5
		d.TextAt(x, y+4, width, b.value, value)
		d.TextAt(x+1, y+11.5, width-2, b.label, label)
	}
	d.MoveTo(y + height)
}

// facts say what was compared, by whom, and how far it can be relied on.
func (w *writer) facts() {
	w.d.Need(40)
	facts := [][2]string{
		{w.words.posting, w.title() + "\n" + w.named(w.Match.EmployerDocuments)},
		{w.words.documents, w.named(w.candidate.Documents)},
		{w.words.judged, w.judges()},
		{w.words.quotes, w.quotes()},
		{w.words.masked, w.masks()},
	}
	if s := w.candidate.Stability; s != nil {
		facts = append(facts, [2]string{w.words.stability, w.stability(s)})
	}
	label := cell
	label.Bold, label.Color = true, muted
	for _, f := range facts {
		if f[1] != "" {
			w.d.Row([]float64{30, 144}, []pdf.Cell{{Text: f[0], Style: label}, {Text: f[1], Style: cell}}, 1.5, rule, nil)
		}
	}
	w.d.Space(3)
	notes := []string{w.words.note}
	for flag, text := range map[domain.Flag]string{
		domain.FlagInstructions: w.words.instructions, domain.FlagOtherModel: w.words.otherProvider, domain.FlagTemplateText: w.words.templateText,
	} {
		if slices.Contains(w.candidate.Flags, flag) {
			notes = append(notes, text)
		}
	}
	slices.Sort(notes[1:])
	w.d.Text(strings.Join(notes, "\n"), small)
}

func (w *writer) judges() string {
	var out []string
	for _, j := range w.candidate.JudgedBy {
		if j.Provider == string(domain.JudgeOffline) {
			out = append(out, w.words.offline)
			continue
		}
		out = append(out, strings.TrimSpace(j.Provider+" · "+j.Model))
	}
	if len(out) == 0 {
		out = append(out, w.Match.Provider+" · "+w.Match.Model)
	}
	at := w.candidate.JudgedAt
	if at.IsZero() {
		at = w.Match.UpdatedAt
	}
	return strings.Join(out, ", ") + " (" + at.Format(w.words.date) + ")"
}

func (w *writer) quotes() string {
	all, verified := 0, 0
	for _, v := range w.candidate.Verdicts {
		for _, e := range v.Evidence {
			all++
			if e.Verified {
				verified++
			}
		}
	}
	switch {
	case all == 0:
		return w.words.noQuotes
	case verified == all:
		return fmt.Sprintf(w.words.allQuotes, all)
	}
	return fmt.Sprintf(w.words.someQuotes, verified, all)
}

func (w *writer) masks() string {
	if !w.Match.Masked {
		return w.words.shown
	}
	var out []string
	for _, m := range w.candidate.Masks {
		out = append(out, w.words.traits[m.Kind])
	}
	if len(out) == 0 {
		out = append(out, w.words.none)
	}
	return fmt.Sprintf(w.words.hidden, strings.Join(out, ", "))
}

func (w *writer) stability(s *domain.Stability) string {
	text := strings.ReplaceAll(w.words.stabilityText, "% ", "%% ")
	out := fmt.Sprintf(text, len(s.Scores), w.decimal(s.Mean), s.Min, s.Max, w.decimal(s.Deviation), 100*s.Agreement)
	var flips []string
	for i, a := range s.Requirements {
		if a.Flips && i < len(w.Match.Requirements) {
			flips = append(flips, strconv.Itoa(i+1))
		}
	}
	if len(flips) > 0 {
		out += " " + fmt.Sprintf(w.words.flips, w.words.number+" "+strings.Join(flips, ", "))
	}
	return out
}

func (w *writer) decimal(x float64) string {
	text := strconv.FormatFloat(x, 'f', 1, 64)
	if w.Language == "de" {
		return strings.ReplaceAll(text, ".", ",")
	}
	return text
}
