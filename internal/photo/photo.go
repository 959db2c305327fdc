// Package photo turns what people upload into pictures that are safe to keep
// and to show: decoded, turned upright, made no larger than needed and encoded
// anew, so that nothing is left of what a camera wrote into them.
package photo

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	_ "image/gif" // registers the format
	"image/jpeg"
	_ "image/png" // registers the format
	"time"

	_ "golang.org/x/image/webp" // registers the format

	"generalbackend/internal/domain"
)

// Photo is a picture in both sizes, as JPEG. TakenAt is what the camera's clock
// said, of no known zone; the zero time where it said nothing.
type Photo struct {
	Full      []byte
	Thumbnail []byte
	Width     int // of Full, pixels
	Height    int
	TakenAt   time.Time
}

// The bounds of what is read and what is made.
const (
	maxSide       = 20_000
	maxDecoded    = 256 << 20 // bytes in memory
	fullSide      = 2000
	thumbnailSide = 400
	quality       = 85
)

var (
	errMalformed = domain.Errorf(domain.CodePhotoMalformed, "The photo is damaged and cannot be shown.")
	errTooLarge  = domain.Errorf(domain.CodePhotoTooLarge, "The photo has too many pixels.").
			WithHint("Make it smaller: 16 megapixels are read in every form, 60 in most.")
	errUnsupported = domain.Errorf(domain.CodeUnsupportedType, "This is no photo that can be read here.").
			WithHint("Send JPEG, PNG, WebP or GIF.")
	errHEIC = domain.Errorf(domain.CodeUnsupportedType, "HEIC and AVIF photos cannot be read here.").
		WithHint("Export the photo as JPEG. An iPhone does so by itself under Settings, Camera, Formats, Most Compatible.")
)

// New reads a JPEG, PNG, WebP or GIF, of which the first frame counts. Size and
// kind are checked before anything is decoded.
func New(data []byte) (Photo, error) {
	if err := known(data); err != nil {
		return Photo{}, err
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Photo{}, malformed(err)
	}
	if err := affordable(config.Width, config.Height, perPixel(config.ColorModel, format, data)); err != nil {
		return Photo{}, err
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return Photo{}, malformed(err)
	}
	facts := readFacts(data, format)
	return encode(upright(shrink(decoded, fullSide), facts.orientation), facts.takenAt)
}

func malformed(err error) error {
	if errors.Is(err, image.ErrFormat) {
		return errUnsupported.WithCause(err)
	}
	return errMalformed.WithCause(err)
}

// known looks at the first bytes only.
func known(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("\xFF\xD8\xFF")), bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1A\n")),
		bytes.HasPrefix(data, []byte("GIF8")),
		len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return nil
	case len(data) > 12 && string(data[4:8]) == "ftyp":
		return errHEIC
	}
	return errUnsupported
}

// perPixel is how many bytes decoding takes for each pixel, or somewhat less.
func perPixel(model color.Model, format string, data []byte) int {
	switch {
	case format == "jpeg":
		return perPixelOfJPEG(data)
	case model == color.RGBA64Model, model == color.NRGBA64Model:
		return 8
	}
	return 4
}

func affordable(width, height, perPixel int) error {
	switch {
	case width <= 0 || height <= 0:
		return errMalformed
	case width > maxSide || height > maxSide || width*height > maxDecoded/perPixel:
		return errTooLarge
	}
	return nil
}

func encode(img *image.RGBA, takenAt time.Time) (Photo, error) {
	p := Photo{Width: img.Bounds().Dx(), Height: img.Bounds().Dy(), TakenAt: takenAt}
	var err error
	if p.Full, err = toJPEG(img); err != nil {
		return Photo{}, err
	}
	p.Thumbnail, err = toJPEG(shrink(img, thumbnailSide))
	return p, err
}

func toJPEG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}
