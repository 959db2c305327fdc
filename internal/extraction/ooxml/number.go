package ooxml

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// number writes a cell's number as a reader would see it, as far as searching
// needs: dates as ISO 8601, everything else as the shortest decimal.
func (s *sheetState) number(text string) string {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return text
	}
	if s.style >= 0 && s.style < len(s.dates) && s.dates[s.style] && v >= 0 && v < 2958466 {
		return serialDate(v)
	}
	if math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// serialDate turns days since the end of 1899 into a date, a time or both.
func serialDate(v float64) string {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	t := time.Unix(epoch+int64(math.Round(v*86400)), 0).UTC()
	switch {
	case v < 1:
		return t.Format("15:04:05")
	case t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0:
		return t.Format("2006-01-02")
	default:
		return t.Format("2006-01-02 15:04:05")
	}
}

// readStyles learns which cell styles show dates.
func (w *workbook) readStyles(part string) error {
	dec, err := w.XML(part)
	if dec == nil || err != nil {
		return err
	}
	custom := map[int]bool{}
	inCells := false
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil
		}
		switch t := tok.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "numFmt":
				id, _ := strconv.Atoi(attr(t, "numFmtId"))
				custom[id] = dateFormat(attr(t, "formatCode"))
			case "cellXfs":
				inCells = true
			case "xf":
				if inCells {
					id, _ := strconv.Atoi(attr(t, "numFmtId"))
					w.dates = append(w.dates, custom[id] || (id >= 14 && id <= 22) || (id >= 45 && id <= 47))
				}
			}
		case xml.EndElement:
			if t.Name.Local == "cellXfs" {
				inCells = false
			}
		}
	}
}

// dateFormat reports whether a format code shows a date or a time: it has one
// of their letters outside quotes, brackets and escapes.
func dateFormat(code string) bool {
	var quoted, bracketed bool
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\\' || c == '_' || c == '*':
			i++
		case c == '[':
			bracketed = true
		case c == ']':
			bracketed = false
		case bracketed:
		case strings.IndexByte("yYdDhHsSmM", c) >= 0:
			return true
		}
	}
	return false
}
