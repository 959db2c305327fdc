package story

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/pdf"
)

// The look of the book: large enough for old eyes.
var (
	ink   = pdf.Color{R: 30, G: 27, B: 24}
	faded = pdf.Color{R: 112, G: 102, B: 92}
	gold  = pdf.Color{R: 172, G: 140, B: 92}

	bookTitle   = pdf.Style{Points: 30, Leading: 1.2, Color: ink, Align: pdf.Center}
	bookSubject = pdf.Style{Points: 16, Italic: true, Color: ink, Align: pdf.Center}
	coverSmall  = pdf.Style{Points: 11, Color: faded, Align: pdf.Center}

	chapterTitle = pdf.Style{Points: 24, Leading: 1.2, Color: ink, Align: pdf.Center, After: 1.5}
	chapterYears = pdf.Style{Points: 12, Italic: true, Color: faded, Align: pdf.Center}
	memoryTitle  = pdf.Style{Points: 14.5, Bold: true, Leading: 1.25, Color: ink, After: 0.8}
	memoryWhen   = pdf.Style{Points: 10.5, Italic: true, Color: faded, After: 2}
	body         = pdf.Style{Points: 11.5, Leading: 1.45, Color: ink, Align: pdf.Justify, Indent: 5, After: 4}
	caption      = pdf.Style{Points: 9.5, Italic: true, Color: faded, Align: pdf.Center, After: 5}
	running      = pdf.Style{Points: 9, Italic: true, Color: faded}
	pageNumber   = pdf.Style{Points: 9.5, Color: faded, Align: pdf.Center}

	contentsChapter = pdf.Style{Points: 12, Bold: true, Color: ink}
	contentsMemory  = pdf.Style{Points: 11, Color: ink}
)

// MostPrinted is how many characters are printed: some 1,500 pages. Setting them
// takes a hundred times their size in memory.
const MostPrinted = 3_000_000

// PDF prints the book, unless it is longer than MostPrinted: CodeTooLarge. load
// brings the JPEG of a photo.
func (b Book) PDF(ctx context.Context, load func(photo uuid.UUID) ([]byte, error)) ([]byte, error) {
	if b.length() > MostPrinted {
		return nil, domain.Errorf(domain.CodeTooLarge, "The story is too long for one printed book: %d characters are possible.", MostPrinted).
			WithHint("Get it as text.")
	}
	p := &printer{Book: b, done: ctx.Err, load: load}
	return pdf.Render(pdf.Options{
		Size: pdf.A5, Margins: pdf.Margins{Top: 22, Bottom: 22, Inner: 21, Outer: 17}, Bound: true,
		Title: b.Title, Author: b.Subject, Language: wording(b.Language), Created: b.Made, Furniture: p.furniture,
	}, p.print)
}

// length is that of all texts, in characters.
func (b Book) length() int {
	n := 0
	for _, c := range b.Chapters {
		for _, m := range c.Memories {
			n += utf8.RuneCountInString(m.Text)
		}
	}
	return n
}

// printer prints one book, twice: see pdf.Render.
type printer struct {
	Book
	done    func() error // whether nobody waits for it any more
	load    func(photo uuid.UUID) ([]byte, error)
	chapter string // the running head; empty for none
	opening bool   // a chapter begins on this page
	photos  int    // so far
}

// mostPhotos is how many a book holds, because all of them are in memory.
const mostPhotos = 500

// furniture is the running head, title left and chapter right, and the number.
func (p *printer) furniture(d *pdf.Document, page int) {
	d.TextAt(d.Left(), d.Size().Height-14, d.Width(), fmt.Sprint(page), pageNumber)
	if p.opening || p.chapter == "" {
		return
	}
	head, style := p.chapter, running
	if page%2 == 0 {
		head = p.Title
	} else {
		style.Align = pdf.Right
	}
	d.TextAt(d.Left(), 11, d.Width(), d.Shorten(head, style, d.Width()), style)
}

func (p *printer) print(d *pdf.Document) error {
	p.chapter, p.photos = "", 0
	p.cover(d)
	p.contents(d)
	for i, c := range p.Chapters {
		if err := p.printChapter(d, i, c); err != nil {
			return err
		}
	}
	p.colophon(d)
	return nil
}

func (p *printer) cover(d *pdf.Document) {
	d.BlankPage()
	width := d.Width()
	high := d.HeightOf(p.Title, bookTitle, width)
	y := max(d.Size().Height*0.4-high, 25)
	d.Frame(9, 9, d.Size().Width-18, d.Size().Height-18, 0.35, gold)
	d.Frame(10.5, 10.5, d.Size().Width-21, d.Size().Height-21, 0.15, gold)
	y += d.TextAt(d.Left(), y, width, p.Title, bookTitle) + 6
	p.ornament(d, y)
	y += 7
	y += d.TextAt(d.Left(), y, width, p.Subject, bookSubject) + 1.5
	d.TextAt(d.Left(), y, width, p.birth(), coverSmall)
	d.TextAt(d.Left(), d.Size().Height-32, width, p.madeIn(), coverSmall)
	d.BlankPage() // the back of the cover
}

// ornament is a short rule with a gap, in the middle of the page.
func (p *printer) ornament(d *pdf.Document, y float64) {
	const half, gap = 14.0, 2.0
	middle := d.Left() + d.Width()/2
	d.Rule(middle-gap-half, y, half, 0.3, gold)
	d.Rule(middle+gap, y, half, 0.3, gold)
	d.Box(middle-0.6, y-0.6, 1.2, 1.2, gold)
}

func chapterKey(i int) string { return fmt.Sprint("chapter ", i) }

func (p *printer) contents(d *pdf.Document) {
	d.NewPage()
	d.Space(4)
	d.MoveTo(d.Y() + 8)
	d.Heading(p.say("Inhalt", "Contents"), chapterTitle, "", 0, 0)
	d.MoveTo(d.Y() + 8)
	for i, c := range p.Chapters {
		d.Space(3)
		d.Need(3 * 7)
		p.entry(d, c.Title, chapterKey(i), 0, contentsChapter)
		for _, m := range c.Memories {
			d.Need(6)
			p.entry(d, m.Title, m.ID.String(), 5, contentsMemory)
		}
	}
	if len(p.Chapters) == 0 {
		d.Text(p.say("Es wurde noch nichts erzählt.", "Nothing has been told yet."), pdf.Style{Points: 12, Italic: true, Color: faded, Align: pdf.Center})
	}
}

// entry is one line of the contents, with dots up to its page.
func (p *printer) entry(d *pdf.Document, title, key string, indent float64, s pdf.Style) {
	const numbers, least = 9.0, 6.0 // width of the numbers, and of the dots
	from, to := d.Left()+indent, d.Left()+d.Width()-numbers
	title = d.Shorten(title, s, to-from-least)
	right := s
	right.Align = pdf.Right
	height := d.TextAt(from, d.Y(), to-from, title, s)
	d.TextAt(to, d.Y(), numbers, fmt.Sprint(d.PageOf(key)), right)
	dots := pdf.Style{Points: s.Points, Color: faded}
	for x := to - 1; x > from+d.WidthOf(title, s)+1.5; x -= 2 {
		d.TextAt(x, d.Y(), 2, ".", dots)
	}
	d.LinkTo(key, from, d.Y(), d.Width()-indent, height)
	d.MoveTo(d.Y() + height + 0.6)
}

func (p *printer) printChapter(d *pdf.Document, i int, c Chapter) error {
	p.chapter, p.opening = c.Title, true
	d.NewPage()
	p.opening = false
	d.MoveTo(d.Y() + 16)
	d.Heading(c.Title, chapterTitle, chapterKey(i), 0, 0)
	d.Text(c.Years, chapterYears)
	p.ornament(d, d.Y()+4)
	d.MoveTo(d.Y() + 16)
	for _, m := range c.Memories {
		if err := p.memory(d, m); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) memory(d *pdf.Document, m domain.Memory) error {
	if err := p.done(); err != nil {
		return err
	}
	const threeLines = 3 * 11.5 * 1.45 * 25.4 / 72
	when := p.when(m.Period)
	d.Space(4)
	d.Heading(m.Title, memoryTitle, m.ID.String(), 1, d.HeightOf(when, memoryWhen, d.Width())+memoryWhen.After+threeLines)
	d.Text(when, memoryWhen)
	d.Text(m.Text, body)
	for _, photo := range m.Photos {
		if err := p.picture(d, photo); err != nil {
			return err
		}
	}
	return nil
}

// picture prints a photo as wide as the text, unless its pixels would show.
func (p *printer) picture(d *pdf.Document, photo domain.Photo) error {
	const millimetresPerPixel = 25.4 / 110
	if p.photos++; p.photos > mostPhotos {
		return nil
	}
	jpeg := pdf.JPEG{Width: photo.Width, Height: photo.Height}
	if d.Total() > 0 { // the first time only places are found
		var err error
		if jpeg.Bytes, err = p.load(photo.ID); err != nil {
			return err
		}
	}
	d.Space(1)
	d.Picture(jpeg, min(d.Width(), float64(photo.Width)*millimetresPerPixel), d.Height()*0.58, photo.Caption, caption)
	return nil
}

// colophon says what could not be printed.
func (p *printer) colophon(d *pdf.Document) {
	var lines []string
	if missing := d.Missing(); len(missing) > 0 {
		var codes []string
		for _, r := range missing[:min(len(missing), 40)] {
			codes = append(codes, fmt.Sprintf("U+%04X", r))
		}
		lines = append(lines, p.say("Die Schrift dieses Buchs hat nicht alle Zeichen. □ steht für: ", "The type of this book lacks some characters. □ stands for: ")+
			strings.Join(codes, ", ")+".")
	}
	if more := p.photos - mostPhotos; more > 0 {
		lines = append(lines, fmt.Sprintf(p.say("Weitere Fotos, die nicht gedruckt wurden: %d.", "Photos that were not printed: %d."), more))
	}
	if len(lines) == 0 {
		return
	}
	p.chapter = ""
	d.NewPage()
	d.Text(strings.Join(lines, "\n"), pdf.Style{Points: 9, Color: faded})
}
