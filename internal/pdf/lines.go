package pdf

import (
	"strings"
	"unicode/utf8"
)

// line is one laid out line of text.
type line struct {
	words  []string
	width  float64 // of its words with ordinary blanks
	indent float64
	last   bool // of its paragraph
}

// paragraphs splits text at line breaks; empty ones are dropped.
func paragraphs(text string) []string {
	var out []string
	for p := range strings.SplitSeq(printable(text), "\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// breakLines fills lines of a width with the words of one paragraph.
func (d *Document) breakLines(text string, s Style, width, indent float64) []line {
	face, points := s.face(), s.points()
	blank := d.fonts.width(" ", face, points)
	var out []line
	now := line{indent: indent}
	for _, word := range strings.Fields(text) {
		for _, piece := range d.pieces(word, face, points, width-indent) {
			w := d.fonts.width(piece, face, points)
			if len(now.words) > 0 && now.indent+now.width+blank+w > width {
				out = append(out, now)
				now = line{}
			}
			if len(now.words) > 0 {
				now.width += blank
			}
			now.words, now.width = append(now.words, piece), now.width+w
		}
	}
	now.last = true
	return append(out, now)
}

// pieces cuts a word that is wider than a line.
func (d *Document) pieces(word string, f face, points, width float64) []string {
	if d.fonts.width(word, f, points) <= width {
		return []string{word}
	}
	var out []string
	from, used := 0, 0.0
	for i, r := range word {
		w := d.fonts.width(string(r), f, points)
		if used+w > width && i > from {
			out = append(out, word[from:i])
			from, used = i, 0
		}
		used += w
	}
	return append(out, word[from:])
}

// loosest is how many ordinary blanks wide a blank of justified text may get;
// lines that would need more stay ragged.
const loosest = 3.2

// drawLine writes a line whose top is y.
func (d *Document) drawLine(l line, s Style, x, y, width float64) {
	face, points := s.face(), s.points()
	blank := d.fonts.width(" ", face, points)
	room := width - l.indent - l.width
	x += l.indent
	switch gaps := float64(len(l.words) - 1); {
	case s.Align == Center:
		x += room / 2
	case s.Align == Right:
		x += room
	case s.Align == Justify && !l.last && gaps > 0 && room/gaps < (loosest-1)*blank:
		blank += room / gaps
	}
	d.out.SetTextColor(int(s.Color.R), int(s.Color.G), int(s.Color.B))
	y += s.baseline()
	for i, word := range l.words {
		if i < len(l.words)-1 {
			d.fonts.draw(x, y, word+" ", face, points) // the blank is for those who copy the text
		} else {
			d.fonts.draw(x, y, word, face, points)
		}
		x += d.fonts.width(word, face, points) + blank
	}
}

// Shorten cuts text to a width in one line, with an ellipsis.
func (d *Document) Shorten(text string, s Style, width float64) string {
	text = strings.Join(strings.Fields(printable(text)), " ")
	if d.fonts.width(text, s.face(), s.points()) <= width {
		return text
	}
	for text != "" && d.fonts.width(text+"…", s.face(), s.points()) > width {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return strings.TrimSpace(text) + "…"
}
