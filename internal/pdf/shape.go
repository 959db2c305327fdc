package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"codeberg.org/go-pdf/fpdf"
)

// Rule draws a line across part of the page.
func (d *Document) Rule(x, y, width, thickness float64, c Color) {
	d.out.SetDrawColor(int(c.R), int(c.G), int(c.B))
	d.out.SetLineWidth(thickness)
	d.out.Line(x, y, x+width, y)
}

// Box fills a rectangle.
func (d *Document) Box(x, y, width, height float64, c Color) {
	d.out.SetFillColor(int(c.R), int(c.G), int(c.B))
	d.out.Rect(x, y, width, height, "F")
}

// Frame draws the edges of a rectangle.
func (d *Document) Frame(x, y, width, height, thickness float64, c Color) {
	d.out.SetDrawColor(int(c.R), int(c.G), int(c.B))
	d.out.SetLineWidth(thickness)
	d.out.Rect(x, y, width, height, "D")
}

// JPEG is a picture: baseline or progressive JPEG and its size in pixels.
type JPEG struct {
	Bytes         []byte
	Width, Height int
}

// Fit is the largest size of the picture within a box.
func (p JPEG) Fit(width, height float64) (w, h float64) {
	if p.Width <= 0 || p.Height <= 0 {
		return 0, 0
	}
	scale := min(width/float64(p.Width), height/float64(p.Height))
	return float64(p.Width) * scale, float64(p.Height) * scale
}

// PictureAt draws a picture into a box; one without bytes leaves it empty.
func (d *Document) PictureAt(p JPEG, x, y, width, height float64) {
	if len(p.Bytes) == 0 {
		return
	}
	sum := sha256.Sum256(p.Bytes)
	name, options := hex.EncodeToString(sum[:]), fpdf.ImageOptions{ImageType: "JPEG"}
	if d.out.GetImageInfo(name) == nil {
		d.out.RegisterImageOptionsReader(name, options, bytes.NewReader(p.Bytes))
	}
	d.out.ImageOptions(name, x, y, width, height, false, options, 0, "")
}

// smallest is the share of its size that a picture may be made smaller to, so
// that it fits on the page and leaves no hole there.
const smallest = 0.6

// Picture sets a picture with its caption in the middle, whole and on one page.
// It may get smaller to stay on this page.
func (d *Document) Picture(p JPEG, maxWidth, maxHeight float64, caption string, s Style) {
	const gap = 1.5
	below := d.HeightOf(caption, s, d.Width())
	w, h := p.Fit(min(maxWidth, d.Width()), min(maxHeight, d.Height()-below-gap))
	if space := d.room() - gap - below; space < h && space >= smallest*h {
		w, h = w*space/h, space
	}
	d.Need(h + gap + below)
	d.PictureAt(p, d.Left()+(d.Width()-w)/2, d.y, w, h)
	d.y += h + gap
	d.y += d.TextAt(d.Left(), d.y, d.Width(), caption, s)
	d.Space(s.After)
}
