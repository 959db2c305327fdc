package photo

import (
	"image"
	"image/draw"
)

// shrink returns a copy on white paper, no side of which is longer than most: each
// pixel is the mean of the area that it stands for. One row of the picture is held
// at a time: a whole one would take hundreds of MiB in the form it is summed up in.
func shrink(img image.Image, most int) *image.RGBA {
	from := img.Bounds()
	out := image.NewRGBA(image.Rectangle{Max: fit(from.Size(), most)})
	columns, rows := shares(from.Dx(), out.Rect.Dx()), shares(from.Dy(), out.Rect.Dy())
	row := image.NewRGBA(image.Rect(0, 0, from.Dx(), 1))
	line, sums := make([]uint64, 3*out.Rect.Dx()), make([]uint64, 3*out.Rect.Dx())
	area := uint64(from.Dx()) * uint64(from.Dy())
	for y, r := range rows {
		draw.Draw(row, row.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(row, row.Rect, img, image.Pt(from.Min.X, from.Min.Y+y), draw.Over)
		squeeze(line, row.Pix, columns)
		add(sums, line, r.here)
		if r.last {
			put(out.Pix[r.at*out.Stride:], sums, area)
			clear(sums)
			add(sums, line, r.next)
		}
	}
	return out
}

// fit is a size of the same shape, no side of which is longer than most.
func fit(size image.Point, most int) image.Point {
	longest := max(size.X, size.Y)
	if longest <= most {
		return size
	}
	return image.Pt(max(size.X*most/longest, 1), max(size.Y*most/longest, 1))
}

// share says where one of n pixels in a row goes when they become fewer: so much of
// it to one, and the rest to the next.
type share struct {
	at         int
	here, next uint64
	last       bool // nothing more goes there
}

// shares are those of n pixels that become m; each of the m gets n in all.
func shares(n, m int) []share {
	all := make([]share, n)
	for i := range all {
		at := i * m / n
		here := min(m, (at+1)*n-i*m)
		all[i] = share{at: at, here: uint64(here), next: uint64(m - here), last: (i+1)*m >= (at+1)*n}
	}
	return all
}

// squeeze sums the pixels of a row up in the columns that they go to.
func squeeze(line []uint64, pix []uint8, columns []share) {
	clear(line)
	for x, c := range columns {
		for i := range 3 {
			v := uint64(pix[4*x+i])
			line[3*c.at+i] += v * c.here
			if c.next > 0 {
				line[3*c.at+3+i] += v * c.next
			}
		}
	}
}

func add(sums, line []uint64, times uint64) {
	for i, v := range line {
		sums[i] += v * times
	}
}

// put writes a row of means.
func put(pix []uint8, sums []uint64, area uint64) {
	for i, sum := range sums {
		pix[i/3*4+i%3] = uint8((sum + area/2) / area)
	}
	for i := 3; i < len(sums)/3*4; i += 4 {
		pix[i] = 0xFF
	}
}
