// Package phototest makes photos as cameras do.
package phototest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// Corners is a picture that is red top left, green top right, blue bottom left
// and white bottom right.
func Corners(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: 255, A: 255}
			switch left, top := x < width/2, y < height/2; {
			case !left && top:
				c = color.RGBA{G: 255, A: 255}
			case left && !top:
				c = color.RGBA{B: 255, A: 255}
			case !left:
				c = color.RGBA{R: 255, G: 255, B: 255, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// Turned is how a camera stores a picture under an Exif orientation: the upright
// picture is what it shows after turning it back.
func Turned(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	stored := image.Rect(0, 0, w, h)
	if orientation >= 5 && orientation <= 8 {
		stored = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(stored)
	for y := range stored.Dy() {
		for x := range stored.Dx() {
			// Exif names where the stored 0th row and 0th column are in the
			// upright picture: (row, column).
			at := map[int]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {w - 1 - y, x}, 7: {w - 1 - y, h - 1 - x}, 8: {y, h - 1 - x},
			}
			from, ok := at[orientation]
			if !ok {
				from = image.Point{x, y}
			}
			out.SetRGBA(x, y, img.RGBAAt(from.X, from.Y))
		}
	}
	return out
}

// Exif is what a camera notes down. With GPS it says where, in an entry that
// holds the text GPSMARK.
type Exif struct {
	Orientation int
	TakenAt     string // 2006:01:02 15:04:05
	GPS         bool
}

// JPEG encodes a picture with Exif data.
func JPEG(t testing.TB, img image.Image, exif Exif) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	tiff := exif.tiff()
	segment := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(2+6+len(tiff)))
	segment = append(append(segment, "Exif\x00\x00"...), tiff...)
	return append(append([]byte{0xFF, 0xD8}, segment...), b.Bytes()[2:]...)
}

// tiff is the body of the Exif segment: a main directory, the camera's and the
// location's, and then what does not fit into them.
func (e Exif) tiff() []byte {
	const entry, mainAt, mainEntries = 12, 8, 3
	cameraAt := uint32(mainAt + 2 + mainEntries*entry + 4)
	placeAt := cameraAt + 2 + entry + 4
	dateAt := placeAt + 2 + entry + 4
	markAt := dateAt + 20
	var b []byte
	b = append(b, "II*\x00"...)
	b = binary.LittleEndian.AppendUint32(b, mainAt)
	add := func(tag, kind uint16, count, value uint32) {
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint32(b, count)
		b = binary.LittleEndian.AppendUint32(b, value)
	}
	directory := func(entries uint16, body func()) {
		b = binary.LittleEndian.AppendUint16(b, entries)
		body()
		b = binary.LittleEndian.AppendUint32(b, 0)
	}
	directory(mainEntries, func() {
		add(0x0112, 3, 1, uint32(e.Orientation))
		add(0x8769, 4, 1, cameraAt)
		add(0x8825, 4, 1, placeAt)
	})
	directory(1, func() { add(0x9003, 2, 20, dateAt) })
	directory(1, func() { add(0x001D, 2, 8, markAt) })
	b = append(b, (e.TakenAt + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")[:20]...)
	if e.GPS {
		b = append(b, "GPSMARK\x00"...)
	}
	return b
}

// PNG is one that says it is of a size and holds next to nothing.
func PNG(width, height uint32, depth byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1A\n")
	header := binary.BigEndian.AppendUint32(nil, width)
	header = append(binary.BigEndian.AppendUint32(header, height), depth, 6, 0, 0, 0)
	chunk := append([]byte("IHDR"), header...)
	_ = binary.Write(&b, binary.BigEndian, uint32(len(header)))
	b.Write(chunk)
	_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(chunk))
	return b.Bytes()
}

// WebP is a lossless WebP picture of one pixel.
var WebP = decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")

func decode(s string) []byte {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return data
}
