package odf

import (
	"encoding/xml"
	"strconv"
	"strings"

	"generalbackend/internal/extraction/archive"
)

// level is how one level of a list style numbers its items. An empty format
// means that it does not.
type level struct {
	format string
	suffix string
	first  int // the number before the first
}

// list is an open list.
type list struct {
	id    string
	style string
	depth int
	item  int
	label bool // the current item still needs its number
}

// lists numbers the items of lists as a reader of the document sees them.
type lists struct {
	styles map[string]map[int]level
	open   []list
	last   map[string]int // the last number of each ended list, by style and depth
	ids    map[string]int // the same, by the list's own id
}

func newLists(a *archive.Archive) (*lists, error) {
	l := &lists{styles: map[string]map[int]level{}, last: map[string]int{}, ids: map[string]int{}}
	for _, part := range []string{"styles.xml", "content.xml"} {
		dec, err := a.XML(part)
		if err != nil {
			return nil, err
		}
		if dec != nil {
			l.readStyles(dec)
		}
	}
	return l, nil
}

func (l *lists) readStyles(dec *xml.Decoder) {
	name := ""
	for {
		tok, err := dec.Token()
		if err != nil {
			return
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch el.Name.Local {
		case "list-style":
			name = attribute(el, "name")
			l.styles[name] = map[int]level{}
		case "list-level-style-number":
			if levels := l.styles[name]; levels != nil {
				depth, _ := strconv.Atoi(attribute(el, "level"))
				first, _ := strconv.Atoi(attribute(el, "start-value"))
				levels[depth] = level{
					format: attribute(el, "num-format"), suffix: attribute(el, "num-suffix"), first: max(first-1, 0),
				}
			}
		case "body":
			return
		}
	}
}

func (l *lists) start(el xml.StartElement) {
	opened := list{id: attribute(el, "id"), style: attribute(el, "style-name"), depth: len(l.open) + 1}
	if opened.style == "" && len(l.open) > 0 {
		opened.style = l.open[len(l.open)-1].style
	}
	switch {
	case attribute(el, "continue-list") != "":
		opened.item = l.ids[attribute(el, "continue-list")]
	case attribute(el, "continue-numbering") == "true":
		opened.item = l.last[opened.key()]
	default:
		opened.item = l.styles[opened.style][opened.depth].first
	}
	l.open = append(l.open, opened)
}

func (l *lists) end() {
	if n := len(l.open); n > 0 {
		o := l.open[n-1]
		l.last[o.key()], l.ids[o.id] = o.item, o.item
		l.open = l.open[:n-1]
	}
}

func (o list) key() string { return o.style + "/" + strconv.Itoa(o.depth) }

func (l *lists) startItem(el xml.StartElement) {
	if n := len(l.open); n > 0 {
		o := &l.open[n-1]
		o.item++
		if v, err := strconv.Atoi(attribute(el, "start-value")); err == nil {
			o.item = v
		}
		o.label = true
	}
}

// label returns the number to write before a paragraph, or "".
func (l *lists) label() string {
	n := len(l.open)
	if n == 0 || !l.open[n-1].label {
		return ""
	}
	o := &l.open[n-1]
	o.label = false
	style := l.styles[o.style][o.depth]
	if style.format == "" {
		return ""
	}
	return ordinal(o.item, style.format) + style.suffix + " "
}

// ordinal writes a number in one of OpenDocument's formats.
func ordinal(n int, format string) string {
	switch {
	case n < 1 || n > 3999:
	case format == "a" || format == "A":
		return strings.Repeat(string(rune(format[0])+rune((n-1)%26)), min((n-1)/26+1, 8))
	case format == "i":
		return strings.ToLower(roman(n))
	case format == "I":
		return roman(n)
	}
	return strconv.Itoa(n)
}

func roman(n int) string {
	var out strings.Builder
	for _, d := range []struct {
		value int
		sign  string
	}{
		{1000, "M"},
		{900, "CM"},
		{500, "D"},
		{400, "CD"},
		{100, "C"},
		{90, "XC"},
		{50, "L"},
		{40, "XL"},
		{10, "X"},
		{9, "IX"},
		{5, "V"},
		{4, "IV"},
		{1, "I"},
	} {
		for ; n >= d.value; n -= d.value {
			out.WriteString(d.sign)
		}
	}
	return out.String()
}

func attribute(el xml.StartElement, local string) string {
	for _, a := range el.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}
