package photo

import (
	"bytes"
	"encoding/binary"
	"time"
)

// facts are all that is taken from what a camera wrote.
type facts struct {
	orientation int
	takenAt     time.Time
}

// readFacts finds Exif data in a file of the given format. Whatever is damaged
// there is as if it were missing.
func readFacts(data []byte, format string) facts {
	switch format {
	case "jpeg":
		return parseExif(exifOfJPEG(data))
	case "png":
		return parseExif(exifOfPNG(data))
	case "webp":
		return parseExif(exifOfWebP(data))
	}
	return facts{}
}

var exifMark = []byte("Exif\x00\x00")

func exifOfJPEG(data []byte) []byte {
	for marker, segment := range segments(data) {
		if rest, ok := bytes.CutPrefix(segment, exifMark); marker == 0xE1 && ok {
			return rest
		}
	}
	return nil
}

func exifOfPNG(data []byte) []byte {
	for at := 8; at+12 <= len(data); {
		size := int(binary.BigEndian.Uint32(data[at:]))
		end := at + 8 + size
		if size < 0 || end+4 > len(data) {
			return nil
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return data[at+8 : end]
		}
		at = end + 4
	}
	return nil
}

func exifOfWebP(data []byte) []byte {
	for at := 12; at+8 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[at+4:]))
		end := at + 8 + size
		if size < 0 || end > len(data) {
			return nil
		}
		if string(data[at:at+4]) == "EXIF" {
			return bytes.TrimPrefix(data[at+8:end], exifMark)
		}
		at = end + size%2
	}
	return nil
}

// The tags that are read, after CIPA DC-008 (Exif 2.32).
const (
	tagOrientation = 0x0112
	tagDateTime    = 0x0132
	tagExifIFD     = 0x8769
	tagOriginal    = 0x9003
)

// directory is a list of tags in TIFF data.
type directory struct {
	data  []byte
	order binary.ByteOrder
	from  uint32
}

func parseExif(data []byte) facts {
	const header = 8
	if len(data) < header {
		return facts{}
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(data[:2]) == "MM" {
		order = binary.BigEndian
	}
	main := directory{data, order, order.Uint32(data[4:])}
	found := facts{takenAt: parseTime(main.text(tagDateTime))}
	if v := main.value(tagOrientation); len(v) >= 2 {
		found.orientation = int(order.Uint16(v))
	}
	if v := main.value(tagExifIFD); len(v) >= 4 {
		exif := directory{data, order, order.Uint32(v)}
		if t := parseTime(exif.text(tagOriginal)); !t.IsZero() {
			found.takenAt = t
		}
	}
	return found
}

// value is what an entry holds itself: four bytes, a value or where it is.
func (d directory) value(tag uint16) []byte {
	const entry = 12
	if uint64(d.from)+2 > uint64(len(d.data)) {
		return nil
	}
	count := int(d.order.Uint16(d.data[d.from:]))
	for i := range count {
		at := uint64(d.from) + 2 + uint64(i)*entry
		if at+entry > uint64(len(d.data)) {
			return nil
		}
		if d.order.Uint16(d.data[at:]) == tag {
			return d.data[at : at+entry][8:]
		}
	}
	return nil
}

// text is an entry of 20 characters, which is how dates are written.
func (d directory) text(tag uint16) string {
	v := d.value(tag)
	if len(v) < 4 {
		return ""
	}
	const length = len("2006:01:02 15:04:05")
	at := uint64(d.order.Uint32(v))
	if at+uint64(length) > uint64(len(d.data)) {
		return ""
	}
	return string(d.data[at : at+uint64(length)])
}

func parseTime(s string) time.Time {
	t, err := time.Parse("2006:01:02 15:04:05", s)
	if err != nil || t.Year() < 1800 {
		return time.Time{}
	}
	return t
}
