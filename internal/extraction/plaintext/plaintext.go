// Package plaintext reads text files of unknown encoding.
package plaintext

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/saintfish/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"generalbackend/internal/extraction/content"
)

// pageBytes is the length at which a text file, which has no pages, is cut into
// pages of whole lines.
const pageBytes = 1 << 20

// Read decodes a text file, at most maxText bytes of it. A form feed ends a
// page.
func Read(data []byte, maxText int) (content.Document, error) {
	text, name := Decode(data)
	b := content.NewBuilder(maxText)
	for page := range strings.SplitSeq(text, "\f") {
		for len(page) > pageBytes {
			cut := strings.LastIndexByte(page[:pageBytes], '\n') + 1
			if cut == 0 {
				break
			}
			b.Write(page[:cut])
			b.Break()
			page = page[cut:]
		}
		b.Write(page)
		b.Break()
	}
	doc := content.Document{Pages: b.Pages(), Metadata: map[string]string{"encoding": name}}
	return doc, b.Err()
}

// Decode turns the bytes of a text file into UTF-8 and names their encoding:
// by their mark, as UTF-8 where they are valid, by the place of zero bytes, and
// then by what the bytes look like.
func Decode(data []byte) (text, name string) {
	if e, name := marked(data); e != nil {
		return convert(e, data), name
	}
	if utf8.Valid(data) && !wide(data) {
		return string(data), "utf-8"
	}
	if wide(data) {
		order, name := unicode.LittleEndian, "utf-16le"
		if zeros(data, 0) > zeros(data, 1) {
			order, name = unicode.BigEndian, "utf-16be"
		}
		return convert(unicode.UTF16(order, unicode.IgnoreBOM), data), name
	}
	return eightBit(data)
}

// Plausible reports whether the beginning of a file looks like text: hardly any
// control characters once zero bytes of wide encodings are set aside.
func Plausible(head []byte) bool {
	if e, _ := marked(head); e == nil && !wide(head) && bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	text, name := Decode(head)
	controls, n := 0, 0
	for _, r := range text {
		n++
		if r < 0x20 && !strings.ContainsRune("\t\n\r\f\x1b", r) || r == 0x7F {
			controls++
		}
	}
	return name == "ebcdic" || controls*50 <= n+100
}

func marked(data []byte) (encoding.Encoding, string) {
	for _, m := range []struct {
		mark string
		e    encoding.Encoding
		name string
	}{
		{"\x00\x00\xFE\xFF", utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM), "utf-32be"},
		{"\xFF\xFE\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.ExpectBOM), "utf-32le"},
		{"\xFE\xFF", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM), "utf-16be"},
		{"\xFF\xFE", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM), "utf-16le"},
		{"\xEF\xBB\xBF", unicode.UTF8BOM, "utf-8"},
	} {
		if bytes.HasPrefix(data, []byte(m.mark)) {
			return m.e, m.name
		}
	}
	return nil, ""
}

// wide reports whether text has so many zero bytes on one side of each pair
// that it must be UTF-16.
func wide(data []byte) bool {
	if len(data) < 2 {
		return false
	}
	even, odd := zeros(data, 0), zeros(data, 1)
	pairs := len(data) / 2
	return (even*10 > pairs*3 && odd*20 < pairs) || (odd*10 > pairs*3 && even*20 < pairs)
}

func zeros(data []byte, offset int) int {
	n := 0
	for i := offset; i < len(data); i += 2 {
		if data[i] == 0 {
			n++
		}
	}
	return n
}

// sample bounds how much of a file is looked at to guess its encoding.
const sample = 64 << 10

// confident is the confidence, of 100, from which a guess is taken. Below it
// the bytes are read as windows-1252.
const confident = 40

func eightBit(data []byte) (text, name string) {
	head := data[:min(len(data), sample)]
	if nearlyUTF8(head) {
		return string(data), "utf-8"
	}
	if ebcdic(head) {
		return convert(charmap.CodePage1140, data), "ebcdic"
	}
	if e := cyrillic(head); e != nil {
		return convert(e, data), strings.ToLower(e.String())
	}
	guess, err := chardet.NewTextDetector().DetectBest(head)
	if err == nil && guess.Confidence >= confident {
		if e, err := htmlindex.Get(guess.Charset); err == nil {
			return convert(e, data), strings.ToLower(guess.Charset)
		}
	}
	return convert(charmap.Windows1252, data), "windows-1252"
}

// nearlyUTF8 accepts a few bad bytes in what is otherwise UTF-8 beyond ASCII.
func nearlyUTF8(data []byte) bool {
	good, bad := 0, 0
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		data = data[n:]
	}
	return good > 20*bad
}

// ebcdic recognises EBCDIC: its space is 0x40 and its letters lie beyond ASCII,
// while ASCII's space is a control character that texts do not use.
func ebcdic(data []byte) bool {
	letters := 0
	for _, c := range data {
		if c >= 0x81 && c <= 0xA9 || c >= 0xC1 && c <= 0xE9 {
			letters++
		}
	}
	n := len(data)
	return n > 64 && bytes.Count(data, []byte{0x40})*20 > n && bytes.Count(data, []byte{0x20})*100 < n && letters*2 > n
}

// cyrillic returns the Cyrillic alphabet in which a text reads best, or nil when
// it does not read well in any: when its letters beyond ASCII are not mostly the
// common small ones of Slavic languages.
func cyrillic(data []byte) *charmap.Charmap {
	var best *charmap.Charmap
	high, most := 0, 0
	for _, c := range data {
		if c >= 0x80 {
			high++
		}
	}
	for _, e := range []*charmap.Charmap{charmap.Windows1251, charmap.KOI8R, charmap.CodePage866, charmap.ISO8859_5} {
		common := 0
		for _, c := range data {
			if c >= 0x80 && strings.ContainsRune("оеаинтсрвлкмдпуыіяь", e.DecodeByte(c)) {
				common++
			}
		}
		if common > most {
			best, most = e, common
		}
	}
	if high < 20 || high*4 < len(data) || most*3 < high*2 {
		return nil
	}
	return best
}

func convert(e encoding.Encoding, data []byte) string {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return string(bytes.ToValidUTF8(data, []byte("\uFFFD")))
	}
	return string(out)
}
