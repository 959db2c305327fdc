package photo

import (
	"encoding/binary"
	"iter"
)

// segments are those of a JPEG before its picture, by marker.
func segments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for at := 2; at+4 <= len(data) && data[at] == 0xFF; {
			marker := data[at+1]
			size := int(binary.BigEndian.Uint16(data[at+2:]))
			end := at + 2 + size
			if marker == 0xDA || size < 2 || end > len(data) || !yield(marker, data[at+4:end]) {
				return
			}
			at = end
		}
	}
}

// perPixelOfJPEG is how many bytes decoding takes for each pixel. The coefficients of
// a progressive one are all held until its end, four bytes for each sample.
func perPixelOfJPEG(data []byte) int {
	const sequential, most = 4, 15
	for marker, frame := range segments(data) {
		switch {
		case marker == 0xC0, marker == 0xC1:
			return sequential
		case marker == 0xC2 && len(frame) > 6:
			return max(sequential, progressive(frame[6:]))
		}
	}
	return most
}

// progressive reads from the components of a frame, three bytes each, how finely
// each is sampled, against the finest.
func progressive(components []byte) int {
	samples, across, down := 0, 1, 1
	for ; len(components) >= 3; components = components[3:] {
		h, v := int(components[1]>>4), int(components[1]&15)
		samples, across, down = samples+h*v, max(across, h), max(down, v)
	}
	const held = 5 // the coefficient and the sample itself
	return (held*samples + across*down - 1) / (across * down)
}
