package pdf

import (
	"bytes"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// Size is that of a page in millimetres.
type Size struct{ Width, Height float64 }

// The sizes of paper.
var (
	A4 = Size{210, 297}
	A5 = Size{148, 210}
)

// Margins of a page in millimetres. Inner and Outer change sides from page to
// page when the document is bound.
type Margins struct{ Top, Bottom, Inner, Outer float64 }

// Options of a document.
type Options struct {
	Size     Size
	Margins  Margins
	Bound    bool // printed on both sides: odd pages have the inner margin left
	Title    string
	Author   string
	Language string
	Created  time.Time
	// Furniture draws what is on every page apart from its text, such as its
	// number. It may be nil.
	Furniture func(d *Document, page int)
}

// Document is written from top to bottom; pages follow by themselves.
type Document struct {
	options Options
	out     *fpdf.Fpdf
	fonts   *fonts
	y       float64
	pages   map[string]int // where marks are, this time
	known   map[string]int // where they were the last time
	total   int
}

// Render writes a document by calling build twice, so that the second time
// PageOf knows the pages of all marks. build must do the same both times.
func Render(o Options, build func(*Document) error) ([]byte, error) {
	var known map[string]int
	var data []byte
	total := 0
	for range 2 {
		d := newDocument(o, known, total)
		if err := build(d); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := d.out.Output(&b); err != nil {
			return nil, err
		}
		known, total, data = d.pages, d.out.PageNo(), b.Bytes()
	}
	return data, nil
}

func newDocument(o Options, known map[string]int, total int) *Document {
	out := fpdf.NewCustom(&fpdf.InitType{
		OrientationStr: "P", UnitStr: "mm", Size: fpdf.SizeType{Wd: o.Size.Width, Ht: o.Size.Height},
	})
	out.SetAutoPageBreak(false, 0)
	out.SetCatalogSort(true)
	out.SetCreationDate(o.Created)
	out.SetModificationDate(o.Created)
	out.SetProducer("General Backend", true)
	out.SetTitle(printable(o.Title), true)
	out.SetAuthor(printable(o.Author), true)
	if o.Language != "" {
		out.SetLang(o.Language)
	}
	return &Document{options: o, out: out, fonts: newFonts(out), pages: map[string]int{}, known: known, total: total}
}

// Page is the number of the page being written, from 1; 0 before the first.
func (d *Document) Page() int { return d.out.PageNo() }

// Total is how many pages there are; 0 the first time the document is written.
func (d *Document) Total() int { return d.total }

// Width of the text.
func (d *Document) Width() float64 {
	return d.options.Size.Width - d.options.Margins.Inner - d.options.Margins.Outer
}

// Height of the text on a full page.
func (d *Document) Height() float64 {
	return d.options.Size.Height - d.options.Margins.Top - d.options.Margins.Bottom
}

// Size of the page.
func (d *Document) Size() Size { return d.options.Size }

// Left is where text begins on this page.
func (d *Document) Left() float64 {
	if d.options.Bound && d.Page()%2 == 0 {
		return d.options.Margins.Outer
	}
	return d.options.Margins.Inner
}

// Y is where the next line begins.
func (d *Document) Y() float64 { return d.y }

// MoveTo sets where the next line begins on this page.
func (d *Document) MoveTo(y float64) { d.y = y }

// Space leaves room, but none at the top of a page.
func (d *Document) Space(height float64) {
	if !d.atTop() {
		d.y += height
	}
}

// NewPage begins a page with its furniture.
func (d *Document) NewPage() {
	d.blank()
	if d.options.Furniture != nil {
		d.options.Furniture(d, d.Page())
	}
	d.y = d.options.Margins.Top
}

// BlankPage begins a page without furniture.
func (d *Document) BlankPage() { d.blank() }

func (d *Document) blank() {
	d.out.AddPage()
	d.y = d.options.Margins.Top
}

func (d *Document) atTop() bool { return d.y <= d.options.Margins.Top }

// Left over on this page.
func (d *Document) room() float64 {
	if d.Page() == 0 {
		return 0
	}
	return d.options.Size.Height - d.options.Margins.Bottom - d.y
}

// Need begins a new page when less than height is left, unless a page is empty
// or nothing could hold so much.
func (d *Document) Need(height float64) {
	if d.Page() == 0 || d.room() < height && !d.atTop() {
		d.NewPage()
	}
}

// Mark remembers this page under a key and, with a title, lists it in the
// reader's outline at a level that counts from 0.
func (d *Document) Mark(key, title string, level int) {
	d.pages[key] = d.Page()
	if title != "" {
		d.out.Bookmark(printable(title), level, d.y)
	}
}

// PageOf is the page of a mark; 0 as long as it is not known.
func (d *Document) PageOf(key string) int { return d.known[key] }

// LinkTo makes an area of this page lead to a mark.
func (d *Document) LinkTo(key string, x, y, width, height float64) {
	page := d.PageOf(key)
	if page == 0 {
		return
	}
	link := d.out.AddLink()
	d.out.SetLink(link, 0, page)
	d.out.Link(x, y, width, height, link)
}

// Missing are the characters that no font here has; each is printed as a box.
func (d *Document) Missing() []rune {
	var out []rune
	for r := range d.fonts.lacks {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}
