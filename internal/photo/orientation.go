package photo

import "image"

// upright turns and mirrors a picture as Exif's orientation, 1 to 8, says.
func upright(img *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return img
	}
	size := img.Bounds().Size()
	turned := size
	if orientation >= 5 {
		turned.X, turned.Y = size.Y, size.X
	}
	out := image.NewRGBA(image.Rectangle{Max: turned})
	for y := range size.Y {
		for x := range size.X {
			tx, ty := place(x, y, size, orientation)
			from, to := img.PixOffset(x, y), out.PixOffset(tx, ty)
			copy(out.Pix[to:to+4], img.Pix[from:from+4])
		}
	}
	return out
}

// place is where a pixel of the stored picture belongs in the upright one.
func place(x, y int, size image.Point, orientation int) (int, int) {
	right, bottom := size.X-1, size.Y-1
	switch orientation {
	case 2: // mirrored
		return right - x, y
	case 3: // upside down
		return right - x, bottom - y
	case 4:
		return x, bottom - y
	case 5:
		return y, x
	case 6: // the camera was held with its right side up
		return bottom - y, x
	case 7:
		return bottom - y, right - x
	}
	return y, right - x
}
