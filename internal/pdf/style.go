package pdf

// Align says how lines fill the width.
type Align int

// The alignments.
const (
	Left Align = iota
	Justify
	Center
	Right
)

// Color is red, green and blue, 0 to 255 each.
type Color struct{ R, G, B uint8 }

// Style is how text looks. Lengths are in millimetres, sizes in points.
type Style struct {
	Family  Family // Serif when empty
	Bold    bool   // goes before Italic
	Italic  bool
	Points  float64 // 11 when zero
	Leading float64 // from line to line, in sizes; 1.35 when zero
	Color   Color
	Align   Align
	Indent  float64 // of the first line of each paragraph but the first
	Between float64 // after each paragraph but the last
	After   float64 // after the text
}

func (s Style) face() face {
	f := face{family: s.Family}
	if f.family == "" {
		f.family = Serif
	}
	switch {
	case s.Bold:
		f.cut = "B"
	case s.Italic:
		f.cut = "I"
	}
	return f
}

func (s Style) points() float64 {
	if s.Points == 0 {
		return 11
	}
	return s.Points
}

const millimetresPerPoint = 25.4 / 72

// line is the height of a line in millimetres.
func (s Style) line() float64 {
	leading := s.Leading
	if leading == 0 {
		leading = 1.35
	}
	return s.points() * leading * millimetresPerPoint
}

// baseline is how far below the top of its line text stands.
func (s Style) baseline() float64 {
	const ascent = 0.75 // of the size, about that of capitals with accents
	size := s.points() * millimetresPerPoint
	return (s.line()-size)/2 + size*ascent + 0.05*size
}
