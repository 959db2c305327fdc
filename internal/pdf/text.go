package pdf

// Text writes paragraphs, which are apart by line breaks. No page begins with
// the last line of a paragraph or ends with its first.
func (d *Document) Text(text string, s Style) {
	all := paragraphs(text)
	for i, p := range all {
		indent := s.Indent
		if i == 0 {
			indent = 0
		}
		d.flow(d.breakLines(p, s, d.Width(), indent), s)
		if i < len(all)-1 {
			d.Space(s.Between)
		}
	}
	d.Space(s.After)
}

func (d *Document) flow(lines []line, s Style) {
	for len(lines) > 0 {
		d.Need(s.line())
		n := min(int(d.room()/s.line()), len(lines))
		n = max(unbroken(n, len(lines), d.atTop()), 0)
		if n == 0 {
			d.NewPage()
			continue
		}
		for _, l := range lines[:n] {
			d.drawLine(l, s, d.Left(), d.y, d.Width())
			d.y += s.line()
		}
		lines = lines[n:]
	}
}

// unbroken is how many of the lines that fit may stay on the page, so that none
// is left alone on either side.
func unbroken(fit, all int, top bool) int {
	switch {
	case fit >= all:
		return all
	case fit == all-1 && fit > 2:
		return fit - 1
	case fit < 2 || fit == all-1:
		if top {
			return max(fit, 1)
		}
		return 0
	}
	return fit
}

// Heading writes a heading and keeps it on the page of what follows, for which
// it leaves at least follow millimetres.
func (d *Document) Heading(text string, s Style, key string, level int, follow float64) {
	lines := d.lay(text, s, d.Width())
	d.Need(float64(len(lines))*s.line() + s.After + follow)
	if key != "" {
		d.Mark(key, text, level)
	}
	for _, l := range lines {
		d.drawLine(l, s, d.Left(), d.y, d.Width())
		d.y += s.line()
	}
	d.Space(s.After)
}

// lay breaks all paragraphs of a text without indenting them.
func (d *Document) lay(text string, s Style, width float64) []line {
	var lines []line
	for _, p := range paragraphs(text) {
		lines = append(lines, d.breakLines(p, s, width, 0)...)
	}
	return lines
}

// HeightOf is how high a text would be in a width.
func (d *Document) HeightOf(text string, s Style, width float64) float64 {
	return float64(len(d.lay(text, s, width))) * s.line()
}

// TextAt writes a text into a box of a width without regard to page ends, and
// returns the height it took.
func (d *Document) TextAt(x, y, width float64, text string, s Style) float64 {
	lines := d.lay(text, s, width)
	for i, l := range lines {
		d.drawLine(l, s, x, y+float64(i)*s.line(), width)
	}
	return float64(len(lines)) * s.line()
}

// WidthOf is how wide a text would be in one line.
func (d *Document) WidthOf(text string, s Style) float64 {
	return d.fonts.width(printable(text), s.face(), s.points())
}
