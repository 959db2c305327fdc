package story

import (
	"fmt"
	"time"

	"generalbackend/internal/domain"
)

// months in the languages that texts of ours are in.
var months = map[string][]string{
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// wording is the language of ours that is nearest to one: de or en.
func wording(language string) string {
	if language == "de" {
		return "de"
	}
	return "en"
}

// When says a period in words: the teller's own where there are some.
func When(p domain.Period, language string) string {
	if p.Label != "" {
		return p.Label
	}
	german := wording(language) == "de"
	switch p.Precision {
	case domain.PrecisionDay:
		return dayText(p.Earliest, german)
	case domain.PrecisionMonth:
		return monthText(p.Earliest, german)
	case domain.PrecisionYear:
		return fmt.Sprint(p.Earliest.Year())
	case domain.PrecisionDecade:
		if german {
			return fmt.Sprintf("%der Jahre", p.Earliest.Year())
		}
		return fmt.Sprintf("the %ds", p.Earliest.Year())
	case domain.PrecisionRange:
		return spanText(p, german)
	case domain.PrecisionCirca:
		return aboutText(p, german)
	}
	if german {
		return "ohne Datum"
	}
	return "undated"
}

func dayText(t time.Time, german bool) string {
	if german {
		return fmt.Sprintf("%d. %s %d", t.Day(), months["de"][t.Month()-1], t.Year())
	}
	return fmt.Sprintf("%d %s %d", t.Day(), months["en"][t.Month()-1], t.Year())
}

func monthText(t time.Time, german bool) string {
	language := "en"
	if german {
		language = "de"
	}
	return fmt.Sprintf("%s %d", months[language][t.Month()-1], t.Year())
}

// spanText says both ends, as finely as they are known.
func spanText(p domain.Period, german bool) string {
	end := p.Latest.AddDate(0, 0, 1)
	switch {
	case p.Earliest.Equal(p.Latest):
		return dayText(p.Earliest, german)
	case p.Earliest.YearDay() == 1 && end.YearDay() == 1 && p.Earliest.Year() == p.Latest.Year():
		return fmt.Sprint(p.Earliest.Year())
	case p.Earliest.YearDay() == 1 && end.YearDay() == 1:
		return fmt.Sprintf("%d–%d", p.Earliest.Year(), p.Latest.Year())
	case p.Earliest.Day() == 1 && end.Day() == 1:
		return monthText(p.Earliest, german) + " – " + monthText(p.Latest, german)
	}
	return dayText(p.Earliest, german) + " – " + dayText(p.Latest, german)
}

func aboutText(p domain.Period, german bool) string {
	about := "about "
	if german {
		about = "um "
	}
	middle := p.Earliest.Add(p.Latest.Sub(p.Earliest) / 2)
	const year = 365 * 24 * time.Hour
	switch length := p.Latest.Sub(p.Earliest); {
	case length < year/6:
		return about + dayText(middle, german)
	case length < year:
		return about + monthText(middle, german)
	case length < 6*year:
		return about + fmt.Sprint(middle.Year())
	}
	return about + fmt.Sprintf("%d–%d", p.Earliest.Year(), p.Latest.Year())
}
