package rtf

import (
	"bytes"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// word obeys a control word.
func (r *reader) word(word string, param int, has bool) {
	if word == "u" {
		r.unicode(param)
		return
	}
	r.flush()
	r.pending = 0
	if dest, ok := destinations[word]; ok {
		r.state.dest, r.state.key = dest, word
		r.ignore = false
		return
	}
	if r.ignore { // \* and a word that is unknown here
		r.state.dest = toNowhere
		r.ignore = false
		return
	}
	if s, ok := characters[word]; ok {
		r.text(s)
		return
	}
	r.setting(word, param, !has || param != 0)
}

func (r *reader) setting(word string, param int, on bool) {
	switch word {
	case "uc":
		r.state.skip = min(max(param, 0), 16)
	case "ansicpg":
		r.base = codepage(param)
		r.state.encoding = r.base
	case "mac":
		r.base = charmap.Macintosh
		r.state.encoding = r.base
	case "pc":
		r.base = charmap.CodePage437
		r.state.encoding = r.base
	case "f":
		r.font(param)
	case "fcharset":
		if e := charset(param); e != nil && r.state.dest == toFonts {
			r.fonts[r.state.font] = e
		}
	case "plain":
		r.state.hidden = false
	case "v", "deleted":
		r.state.hidden = on
	case "bin":
		r.pos = min(len(r.data), r.pos+max(param, 0))
	case "page", "pagebb":
		if r.state.dest == toBody {
			r.b.Break()
		}
	}
}

// font changes the encoding with the font, unless the font table is being read.
func (r *reader) font(number int) {
	r.state.font = number
	if r.state.dest == toFonts {
		return
	}
	if e, ok := r.fonts[number]; ok {
		r.state.encoding = e
		return
	}
	r.state.encoding = r.base
}

// destinations are the groups that are not body text, and those marked with \*
// that are.
var destinations = map[string]destination{
	"fonttbl": toFonts, "colortbl": toNowhere, "stylesheet": toNowhere, "info": toNowhere,
	"title": toInfo, "author": toInfo, "subject": toInfo, "keywords": toInfo,
	"pict": toNowhere, "object": toNowhere, "fldinst": toNowhere, "filetbl": toNowhere,
	"listtable": toNowhere, "listoverridetable": toNowhere, "revtbl": toNowhere,
	"rsidtbl": toNowhere, "themedata": toNowhere, "colorschememapping": toNowhere,
	"datastore": toNowhere, "latentstyles": toNowhere, "generator": toNowhere,
	"xmlnstbl": toNowhere, "mmathPr": toNowhere, "pntxta": toNowhere, "pntxtb": toNowhere,
	"nonshppict": toNowhere, "shprslt": toNowhere, "objdata": toNowhere, "objclass": toNowhere,
	"bkmkstart": toNowhere, "bkmkend": toNowhere, "atnid": toNowhere, "atnref": toNowhere,
	"atrfstart": toNowhere, "atrfend": toNowhere, "pgdsctbl": toNowhere, "operator": toNowhere,
	"company": toNowhere, "doccomm": toNowhere, "hlinkbase": toNowhere, "falt": toNowhere,
	"panose": toNowhere, "template": toNowhere, "userprops": toNowhere, "wgrffmtfilter": toNowhere,
	"result": toBody, "shptxt": toBody, "annotation": toBody, "atnauthor": toNowhere,
	"fldrslt": toBody, "footnote": toBody, "shpinst": toNowhere, "sp": toNowhere,
}

// characters are control words that stand for text.
var characters = map[string]string{
	"par": "\n", "line": "\n", "sect": "\n", "row": "\n", "nestrow": "\n", "column": "\n", "softline": "\n",
	"tab": "\t", "cell": "\t", "nestcell": "\t",
	"emdash": "\u2014", "endash": "\u2013", "bullet": "\u2022",
	"lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
	"emspace": "\u2003", "enspace": "\u2002", "qmspace": "\u2005",
}

// charset maps a font's character set to its encoding; nil means the
// document's own.
func charset(number int) encoding.Encoding {
	pages := map[int]int{
		77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258,
		177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 255: 437,
	}
	if page, ok := pages[number]; ok {
		return codepage(page)
	}
	return nil
}

// codepage maps a Windows code page to its encoding.
func codepage(number int) encoding.Encoding {
	if e, ok := map[int]encoding.Encoding{
		437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 866: charmap.CodePage866,
		874: charmap.Windows874, 932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR,
		950: traditionalchinese.Big5, 1250: charmap.Windows1250, 1251: charmap.Windows1251,
		1253: charmap.Windows1253, 1254: charmap.Windows1254, 1255: charmap.Windows1255,
		1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
		10000: charmap.Macintosh, 65001: unicode.UTF8,
	}[number]; ok {
		return e
	}
	return charmap.Windows1252
}

// decode turns bytes into text. Writers put single bytes of the Windows
// alphabet, such as bullets, under fonts of other alphabets.
func decode(e encoding.Encoding, b []byte) string {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil || len(b) == 1 && bytes.Equal(out, []byte("\uFFFD")) {
		out, err = charmap.Windows1252.NewDecoder().Bytes(b)
	}
	if err != nil {
		return string(bytes.ToValidUTF8(b, []byte("\uFFFD")))
	}
	return string(out)
}
