package pdf_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"strings"
	"testing"
	"time"

	"generalbackend/internal/extraction/mupdf"
	"generalbackend/internal/pdf"
)

var margins = pdf.Margins{Top: 20, Bottom: 20, Inner: 22, Outer: 18}

func options() pdf.Options {
	return pdf.Options{
		Size: pdf.A5, Margins: margins, Bound: true, Title: "Ein Büchlein", Language: "de",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Furniture: func(d *pdf.Document, page int) {
			d.TextAt(d.Left(), d.Size().Height-14, d.Width(), fmt.Sprintf("page %d of %d", page, d.Total()), pdf.Style{Points: 8, Align: pdf.Center})
		},
	}
}

// render writes a document and reads its pages back. With KEEP_PDF set to a
// directory, what was written is kept there to be looked at.
func render(t *testing.T, o pdf.Options, build func(*pdf.Document) error) []string {
	t.Helper()
	data, err := pdf.Render(o, build)
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("KEEP_PDF"); dir != "" {
		if err := os.WriteFile(dir+"/"+strings.ReplaceAll(t.Name(), "/", "_")+".pdf", data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return readBack(t, data)
}

func readBack(t *testing.T, data []byte) []string {
	t.Helper()
	doc, err := mupdf.Open(data, ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	count, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for n := range count {
		text, damaged, err := doc.Text(n)
		if err != nil || damaged {
			t.Fatalf("page %d: damaged %v, %v", n, damaged, err)
		}
		pages = append(pages, text)
	}
	return pages
}

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestTextsOfManyScripts(t *testing.T) {
	t.Parallel()
	text := "Größe, Übermut und Straßenfeger; Łódź, Đorđe, Ångström, çığır. Ελληνικά: Ὀδυσσεύς. Юрий Гагарин. Հայաստան, საქართველო. Ho\u0308he → ½ ✓ „so“ – “so”"
	pages := render(t, options(), func(d *pdf.Document) error {
		d.Text(text, pdf.Style{Align: pdf.Justify})
		if m := d.Missing(); len(m) > 0 {
			t.Errorf("no glyphs for %q", m)
		}
		return nil
	})
	if want := strings.ReplaceAll(text, "o\u0308", "ö"); !strings.Contains(words(pages[0]), want) {
		t.Errorf("read back %q", pages[0])
	}
}

func TestCharactersNoFontHasAreTold(t *testing.T) {
	t.Parallel()
	pages := render(t, options(), func(d *pdf.Document) error {
		d.Text("山 and 😀 and \xff and \uffff done", pdf.Style{})
		if len(d.Missing()) < 2 {
			t.Errorf("missing = %q", d.Missing())
		}
		return nil
	})
	if got := words(pages[0]); !strings.Contains(got, "□ and □ and") || !strings.Contains(got, "done") {
		t.Errorf("read back %q", got)
	}
}

// TestPagesOfParagraphs: no page begins or ends with a lone line of a paragraph,
// nothing is lost, and headings stay with what follows.
func TestPagesOfParagraphs(t *testing.T) {
	t.Parallel()
	var want []string
	pages := render(t, options(), func(d *pdf.Document) error {
		want = nil
		for i := range 40 {
			heading := fmt.Sprintf("Heading-%d", i)
			d.Heading(heading, pdf.Style{Bold: true, Points: 14, After: 2}, heading, 0, 3*5.5)
			text := fmt.Sprintf("Begin%d %s end%d.", i, strings.Repeat("a few words more ", 3+i*7%60), i)
			d.Text(text, pdf.Style{Align: pdf.Justify, Points: 11, After: 4})
			want = append(want, heading, text)
		}
		return nil
	})
	var all []string
	for i, p := range pages {
		body := strings.Replace(p, fmt.Sprintf("page %d of %d", i+1, len(pages)), "", 1)
		lines := strings.Split(strings.TrimSpace(body), "\n")
		if last := lines[len(lines)-1]; strings.HasPrefix(last, "Heading") || strings.HasPrefix(last, "Begin") && !strings.Contains(last, "end") {
			t.Errorf("page %d ends with %q", i+1, last)
		}
		if first := lines[0]; strings.Contains(first, " end") && !strings.HasPrefix(first, "Begin") && !strings.HasPrefix(first, "Heading") {
			t.Errorf("page %d begins with %q", i+1, first)
		}
		all = append(all, words(body))
	}
	if got := strings.Join(all, " "); got != words(strings.Join(want, " ")) {
		t.Errorf("text was lost or moved: %d bytes, want %d", len(got), len(words(strings.Join(want, " "))))
	}
}

func TestPagesOfMarks(t *testing.T) {
	t.Parallel()
	pages := render(t, options(), func(d *pdf.Document) error {
		d.NewPage()
		for i := range 5 {
			key := fmt.Sprint("part", i)
			d.LinkTo(key, d.Left(), d.Y(), d.Width(), 5)
			d.Text(fmt.Sprintf("%s is on %d", key, d.PageOf(key)), pdf.Style{})
		}
		for i := range 5 {
			d.NewPage()
			d.Heading(fmt.Sprintf("Part %d", i), pdf.Style{}, fmt.Sprint("part", i), 0, 0)
		}
		return nil
	})
	for i := range 5 {
		if want := fmt.Sprintf("part%d is on %d", i, i+2); !strings.Contains(pages[0], want) {
			t.Errorf("no %q in %q", want, pages[0])
		}
		if !strings.Contains(pages[i+1], fmt.Sprintf("Part %d", i)) {
			t.Errorf("page %d is %q", i+2, pages[i+1])
		}
	}
}

func TestWordsWiderThanALine(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("Donaudampfschifffahrts", 20)
	pages := render(t, options(), func(d *pdf.Document) error {
		d.Text(word, pdf.Style{Align: pdf.Justify})
		return nil
	})
	if got := strings.Join(strings.Fields(pages[0]), ""); !strings.Contains(got, word) {
		t.Errorf("read back %q", got)
	}
}

func picture(t *testing.T, width, height int) pdf.JPEG {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(i / 7)
	}
	img.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return pdf.JPEG{Bytes: b.Bytes(), Width: width, Height: height}
}

func TestPicturesAndTables(t *testing.T) {
	t.Parallel()
	wide, high := picture(t, 300, 100), picture(t, 100, 900)
	cell, head := pdf.Style{Family: pdf.Sans, Points: 8}, pdf.Style{Family: pdf.Sans, Points: 8, Bold: true}
	grey := pdf.Color{R: 230, G: 230, B: 230}
	pages := render(t, options(), func(d *pdf.Document) error {
		d.Text("Before.", pdf.Style{After: 3})
		d.Picture(wide, 100, 80, "At the sea, 1961", pdf.Style{Italic: true, Points: 9, Align: pdf.Center, After: 4})
		d.Picture(high, 100, 500, "A tower", pdf.Style{Italic: true, Points: 9, Align: pdf.Center, After: 4})
		titles := func() {
			d.Row([]float64{1, 3}, []pdf.Cell{{Text: "Name", Style: head, Fill: &grey}, {Text: "Words", Style: head, Fill: &grey}}, 1.5, pdf.Color{}, nil)
		}
		titles()
		for i := range 30 {
			d.Row([]float64{1, 3}, []pdf.Cell{{Text: fmt.Sprint("row", i), Style: cell}, {Text: strings.Repeat("some words ", i*i%17*20+1), Style: cell}}, 1.5, pdf.Color{}, titles)
		}
		return nil
	})
	all := strings.Join(pages, "\n")
	for i := range 30 {
		if !strings.Contains(all, fmt.Sprint("row", i)) {
			t.Errorf("row %d is missing", i)
		}
	}
	if n := strings.Count(all, "Name"); n < 3 {
		t.Errorf("the head of the table stands on %d pages", n)
	}
	if want := 30; strings.Count(words(all), "some words") < want {
		t.Error("text of the table is missing")
	}
}
