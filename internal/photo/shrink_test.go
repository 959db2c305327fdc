package photo_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"

	"generalbackend/internal/photo"
)

// encoded is a picture as PNG, quickly.
func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMemory: making a picture smaller takes little more memory than the picture,
// also where it is partly transparent.
func TestMemory(t *testing.T) {
	large := image.NewNRGBA(image.Rect(0, 0, 3000, 3000))
	for i := range large.Pix {
		large.Pix[i] = byte(i >> 14)
	}
	data := encoded(t, large)
	decoded := uint64(len(large.Pix))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := photo.New(data)
	runtime.ReadMemStats(&after)
	if err != nil || p.Width != 2000 || p.Height != 2000 {
		t.Fatalf("%d by %d, %v", p.Width, p.Height, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 2*decoded {
		t.Errorf("%d MiB for a picture of %d MiB", took>>20, decoded>>20)
	}
}

// TestMeans: a pixel is the mean of what it stands for, whatever does not come out
// even, and what is transparent is white paper.
func TestMeans(t *testing.T) {
	t.Parallel()
	stripes := image.NewNRGBA(image.Rect(0, 0, 4001, 3))
	for y := range 3 {
		for x := range 4001 {
			stripes.SetNRGBA(x, y, color.NRGBA{R: 255 * uint8(x%2), G: 255, A: 255 * uint8(y%2)})
		}
	}
	p, err := photo.New(encoded(t, stripes))
	if err != nil || p.Width != 2000 || p.Height != 1 {
		t.Fatalf("%d by %d, %v", p.Width, p.Height, err)
	}
	img, err := jpeg.Decode(bytes.NewReader(p.Full))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []int{0, 700, 1999} { // one row of three is half red; two are paper
		if r, g, b, _ := img.At(x, 0).RGBA(); r>>8 < 206 || r>>8 > 219 || g>>8 < 250 || b>>8 < 164 || b>>8 > 176 {
			t.Errorf("at %d: %d %d %d", x, r>>8, g>>8, b>>8)
		}
	}
}
