package pdf

import (
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansitalic"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// Family is a typeface.
type Family string

// The families. Both cover Latin, Greek and Cyrillic; what they lack is taken
// from a wider one, which adds Armenian, Georgian and symbols.
const (
	Serif Family = "serif"
	Sans  Family = "sans"
)

// wide is the family that stands in for characters the others lack.
const wide Family = "wide"

// missing stands for a character that no family has.
const missing = '□'

// face is one cut of a family: a style of fpdf, "", "B" or "I".
type face struct {
	family Family
	cut    string
}

func faces() map[face][]byte {
	return map[face][]byte{
		{Serif, ""}: liberationserifregular.TTF, {Serif, "B"}: liberationserifbold.TTF, {Serif, "I"}: liberationserifitalic.TTF,
		{Sans, ""}: liberationsansregular.TTF, {Sans, "B"}: liberationsansbold.TTF, {Sans, "I"}: liberationsansitalic.TTF,
		{wide, ""}: dejavusans.TTF,
	}
}

// fonts loads faces into a document as they are needed.
type fonts struct {
	out    *fpdf.Fpdf
	loaded map[face]*sfnt.Font
	buffer sfnt.Buffer
	lacks  map[rune]bool
}

func newFonts(out *fpdf.Fpdf) *fonts {
	return &fonts{out: out, loaded: map[face]*sfnt.Font{}, lacks: map[rune]bool{}}
}

func (f *fonts) load(want face) (*sfnt.Font, error) {
	if font, ok := f.loaded[want]; ok {
		return font, nil
	}
	data := faces()[want]
	font, err := sfnt.Parse(data)
	if err != nil {
		return nil, err
	}
	f.out.AddUTF8FontFromBytes(string(want.family), want.cut, data)
	f.loaded[want] = font
	return font, f.out.Error()
}

// has reports whether a face can show a character. The writer knows the basic
// plane only.
func (f *fonts) has(want face, r rune) bool {
	font, err := f.load(want)
	if err != nil || r > 0xFFFF {
		return false
	}
	glyph, err := font.GlyphIndex(&f.buffer, r)
	return err == nil && glyph != 0
}

// run is text in one face.
type run struct {
	face face
	text string
}

// runs cuts text where the face has to change.
func (f *fonts) runs(text string, want face) []run {
	var out []run
	for _, r := range text {
		in, shown := f.pick(want, r)
		if n := len(out); n > 0 && out[n-1].face == in {
			out[n-1].text += string(shown)
			continue
		}
		out = append(out, run{in, string(shown)})
	}
	return out
}

func (f *fonts) pick(want face, r rune) (face, rune) {
	stand := face{family: wide}
	switch {
	case f.has(want, r):
		return want, r
	case f.has(stand, r):
		return stand, r
	}
	f.lacks[r] = true
	return stand, missing
}

// width of text in millimetres.
func (f *fonts) width(text string, want face, points float64) float64 {
	w := 0.0
	for _, r := range f.runs(text, want) {
		f.out.SetFont(string(r.face.family), r.face.cut, points)
		w += f.out.GetStringWidth(r.text)
	}
	return w
}

// draw writes text at a baseline and returns where it ends.
func (f *fonts) draw(x, y float64, text string, want face, points float64) float64 {
	for _, r := range f.runs(text, want) {
		f.out.SetFont(string(r.face.family), r.face.cut, points)
		f.out.Text(x, y, r.text)
		x += f.out.GetStringWidth(r.text)
	}
	return x
}

// printable composes accents, so that one glyph shows them, and drops what has
// no shape.
func printable(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n':
			return r
		case r < ' ', r == 0x7F, r == '\u00AD', r >= '\u200B' && r <= '\u200F', r >= '\u202A' && r <= '\u202E',
			r >= '\u2060' && r <= '\u206F', r >= '\uFE00' && r <= '\uFE0F', r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}
