package photo_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/photo"
	"generalbackend/internal/photo/phototest"
)

func TestLocationAndDateAreTakenOut(t *testing.T) {
	t.Parallel()
	data := phototest.JPEG(t, phototest.Corners(64, 48), phototest.Exif{Orientation: 1, TakenAt: "1999:12:24 18:30:00", GPS: true})
	if !bytes.Contains(data, []byte("GPSMARK")) {
		t.Fatal("the test's photo has no location")
	}
	p, err := photo.New(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string][]byte{"full": p.Full, "thumbnail": p.Thumbnail} {
		for _, trace := range []string{"Exif", "GPSMARK", "1999", "http://ns.adobe.com"} {
			if bytes.Contains(out, []byte(trace)) {
				t.Errorf("%s still holds %q", name, trace)
			}
		}
	}
	if want := time.Date(1999, 12, 24, 18, 30, 0, 0, time.UTC); !p.TakenAt.Equal(want) {
		t.Errorf("taken at %v, want %v", p.TakenAt, want)
	}
}

// TestOrientations: whichever way the camera was held, red ends up top left,
// green top right, blue bottom left.
func TestOrientations(t *testing.T) {
	t.Parallel()
	for orientation := range 10 {
		stored := phototest.Turned(phototest.Corners(96, 64), orientation)
		p, err := photo.New(phototest.JPEG(t, stored, phototest.Exif{Orientation: orientation}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.Decode(bytes.NewReader(p.Full))
		if err != nil {
			t.Fatal(err)
		}
		if p.Width != 96 || p.Height != 64 || got.Bounds().Dx() != 96 || got.Bounds().Dy() != 64 {
			t.Errorf("orientation %d: %d by %d", orientation, p.Width, p.Height)
			continue
		}
		for name, at := range map[string]image.Point{"red": {10, 10}, "green": {85, 10}, "blue": {10, 53}} {
			if c := nearest(got.At(at.X, at.Y)); c != name {
				t.Errorf("orientation %d: %v is %s, want %s", orientation, at, c, name)
			}
		}
	}
}

func nearest(c color.Color) string {
	r, g, b, _ := c.RGBA()
	switch {
	case r > 0x9000 && g > 0x9000 && b > 0x9000:
		return "white"
	case r > g && r > b:
		return "red"
	case g > r && g > b:
		return "green"
	}
	return "blue"
}

func TestFormats(t *testing.T) {
	t.Parallel()
	clear := image.NewNRGBA(image.Rect(0, 0, 20, 10)) // transparent
	var asPNG, asGIF bytes.Buffer
	if err := png.Encode(&asPNG, clear); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&asGIF, phototest.Corners(20, 10), nil); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"png on white":     {asPNG.Bytes(), "white"},
		"gif, first frame": {asGIF.Bytes(), "red"},
		"webp":             {phototest.WebP, "white"},
	} {
		p, err := photo.New(tt.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, err := jpeg.Decode(bytes.NewReader(p.Full))
		if err != nil {
			t.Fatal(err)
		}
		if got := nearest(img.At(0, 0)); tt.want != got && name != "webp" {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestLargePhotosAreMadeSmaller(t *testing.T) {
	t.Parallel()
	p, err := photo.New(phototest.JPEG(t, phototest.Corners(4000, 1000), phototest.Exif{Orientation: 6}))
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 500 || p.Height != 2000 {
		t.Errorf("%d by %d", p.Width, p.Height)
	}
	small, err := jpeg.DecodeConfig(bytes.NewReader(p.Thumbnail))
	if err != nil || small.Width != 100 || small.Height != 400 {
		t.Errorf("thumbnail of %d by %d, %v", small.Width, small.Height, err)
	}
}

// progressive is the head of a progressive JPEG whose brightness is sampled so finely.
func progressive(width, height uint16, sampling byte) []byte {
	head := []byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xFF\xC2\x00\x11\x08")
	head = binary.BigEndian.AppendUint16(head, height)
	head = binary.BigEndian.AppendUint16(head, width)
	return append(head, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	good := phototest.JPEG(t, phototest.Corners(64, 48), phototest.Exif{})
	heic := append([]byte("\x00\x00\x00\x18ftypheic"), make([]byte, 40)...)
	for name, tt := range map[string]struct {
		data []byte
		want domain.Code
	}{
		"bomb of 65,535 squared":  {phototest.PNG(65535, 65535, 8), domain.CodePhotoTooLarge},
		"bomb of a long strip":    {phototest.PNG(1, 1<<31-1, 8), domain.CodePhotoTooLarge},
		"bomb of deep pixels":     {phototest.PNG(7000, 7000, 16), domain.CodePhotoTooLarge},
		"progressive, all of it":  {progressive(5000, 5000, 0x11), domain.CodePhotoTooLarge},
		"progressive, as usual":   {progressive(5000, 5000, 0x22), domain.CodePhotoMalformed}, // it ends too early
		"no pixels":               {phototest.PNG(0, 10, 8), domain.CodePhotoMalformed},
		"cut off":                 {good[:len(good)/2], domain.CodePhotoMalformed},
		"head alone":              {good[:20], domain.CodePhotoMalformed},
		"pdf":                     {[]byte("%PDF-1.7 and so on"), domain.CodeUnsupportedType},
		"svg":                     {[]byte("<svg onload='alert(1)'/>"), domain.CodeUnsupportedType},
		"heic":                    {heic, domain.CodeUnsupportedType},
		"nothing":                 {nil, domain.CodeUnsupportedType},
		"gif of an absurd screen": {[]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"), domain.CodePhotoTooLarge},
	} {
		if _, err := photo.New(tt.data); domain.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// FuzzNew: whatever is sent costs an error at most.
func FuzzNew(f *testing.F) {
	f.Add(phototest.JPEG(f, phototest.Corners(8, 8), phototest.Exif{Orientation: 6, TakenAt: "1999:12:24 18:30:00", GPS: true}))
	f.Add(phototest.WebP)
	f.Add(phototest.PNG(3, 3, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := photo.New(data)
		if err == nil && (len(p.Full) == 0 || p.Width < 1 || p.Width > 2000) {
			t.Errorf("%+v", p)
		}
	})
}
