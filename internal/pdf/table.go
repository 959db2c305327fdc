package pdf

// Cell is one cell of a row.
type Cell struct {
	Text  string
	Style Style
	Fill  *Color // behind the text; nil for none
}

// Row writes cells side by side; widths are shares of the text's width. A row
// stays whole unless it is higher than half a page: then its text goes on in a
// row of the next page. head, which may be nil, is drawn again on top of new pages.
func (d *Document) Row(widths []float64, cells []Cell, padding float64, rule Color, head func()) {
	columns, highest := d.columns(widths, cells, padding)
	d.needRow(min(highest+2*padding, d.Height()/2), head)
	for {
		fit := d.rowOf(columns, cells, padding, rule)
		if !fit {
			return
		}
		d.NewPage()
		if head != nil {
			head()
		}
	}
}

// column is where a cell's text goes and what of it is still to be written.
type column struct {
	from, width float64
	lines       []line
}

func (d *Document) columns(widths []float64, cells []Cell, padding float64) (out []column, highest float64) {
	sum, x := 0.0, 0.0
	for _, w := range widths {
		sum += w
	}
	for i, c := range cells {
		w := widths[i] / sum * d.Width()
		lines := d.lay(c.Text, c.Style, w-2*padding)
		out = append(out, column{from: x, width: w, lines: lines})
		highest = max(highest, float64(len(lines))*c.Style.line())
		x += w
	}
	return out, highest
}

func (d *Document) needRow(height float64, head func()) {
	before := d.Page()
	d.Need(height)
	if before != 0 && d.Page() != before && head != nil {
		head()
	}
}

// rowOf writes as much of a row as the page holds and reports whether something
// is left.
func (d *Document) rowOf(columns []column, cells []Cell, padding float64, rule Color) bool {
	space := d.room() - 2*padding
	height, left := 0.0, false
	counts := make([]int, len(cells))
	for i, c := range columns {
		counts[i] = min(max(int(space/cells[i].Style.line()), 1), len(c.lines))
		left = left || counts[i] < len(c.lines)
		height = max(height, float64(counts[i])*cells[i].Style.line())
	}
	height += 2 * padding
	for i := range columns {
		c := &columns[i]
		if fill := cells[i].Fill; fill != nil {
			d.Box(d.Left()+c.from, d.y, c.width, height, *fill)
		}
		for n, l := range c.lines[:counts[i]] {
			d.drawLine(l, cells[i].Style, d.Left()+c.from+padding, d.y+padding+float64(n)*cells[i].Style.line(), c.width-2*padding)
		}
		c.lines = c.lines[counts[i]:]
	}
	d.y += height
	d.Rule(d.Left(), d.y, d.Width(), 0.1, rule)
	return left
}
