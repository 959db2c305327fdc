package report

import (
	"generalbackend/internal/domain"
	"generalbackend/internal/pdf"
)

const margin = 18.0 // millimetres, left and right

var (
	ink    = pdf.Color{R: 33, G: 37, B: 41}
	muted  = pdf.Color{R: 100, G: 108, B: 116}
	accent = pdf.Color{R: 24, G: 62, B: 104}
	rule   = pdf.Color{R: 208, G: 213, B: 219}
	paper  = pdf.Color{R: 255, G: 255, B: 255}
	pale   = pdf.Color{R: 241, G: 244, B: 248}
	green  = pdf.Color{R: 24, G: 115, B: 70}
	amber  = pdf.Color{R: 158, G: 98, B: 0}
	red    = pdf.Color{R: 170, G: 38, B: 46}
)

var (
	body    = pdf.Style{Family: pdf.Sans, Points: 10, Leading: 1.4, Color: ink, Between: 1.6, After: 3}
	small   = pdf.Style{Family: pdf.Sans, Points: 8, Leading: 1.3, Color: muted}
	section = pdf.Style{Family: pdf.Sans, Points: 13, Bold: true, Color: accent, After: 2}
	minor   = pdf.Style{Family: pdf.Sans, Points: 10, Bold: true, Color: ink, After: 1}
	cell    = pdf.Style{Family: pdf.Sans, Points: 8.5, Leading: 1.32, Color: ink}
	head    = pdf.Style{Family: pdf.Sans, Points: 8.5, Bold: true, Leading: 1.32, Color: paper}
)

// fills are paler than the words on them.
func colorsOf(level domain.Level) (words, fill pdf.Color) {
	switch level {
	case domain.LevelFull:
		return green, pdf.Color{R: 226, G: 243, B: 234}
	case domain.LevelPartial:
		return amber, pdf.Color{R: 253, G: 242, B: 219}
	}
	return red, pdf.Color{R: 251, G: 230, B: 231}
}

// Score bands, as on screen.
const (
	strongFrom = 70
	mediumFrom = 40
)

func colorOf(score int) pdf.Color {
	switch {
	case score >= strongFrom:
		return green
	case score >= mediumFrom:
		return amber
	}
	return red
}

func (w wording) band(score int) string {
	switch {
	case score >= strongFrom:
		return w.strong
	case score >= mediumFrom:
		return w.medium
	}
	return w.weak
}
