package domain_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"generalbackend/internal/domain"
)

// anyDate is a date of some length, from the first to the last year.
func anyDate(t *rapid.T, name string) (time.Time, string) {
	day := time.Date(rapid.IntRange(1000, 9999).Draw(t, name+" year"), 1, 1+rapid.IntRange(0, 364).Draw(t, name+" day"), 0, 0, 0, 0, time.UTC)
	return day, day.Format(rapid.SampledFrom([]string{"2006", "2006-01", time.DateOnly}).Draw(t, name+" form"))
}

// TestPeriodsHoldTheirDates: what comes out holds what went in, is as long as
// its precision says, and goes in again unchanged.
func TestPeriodsHoldTheirDates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.SampledFrom([]domain.Precision{"", "day", "month", "year", "decade", "range", "circa"}).Draw(t, "precision")
		day, earliest := anyDate(t, "earliest")
		latest := ""
		if rapid.Bool().Draw(t, "two") {
			_, latest = anyDate(t, "latest")
		}
		p, err := domain.NewPeriod(precision, earliest, latest, "so")
		if err != nil {
			if domain.CodeOf(err) != domain.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		if p.Latest.Before(p.Earliest) || p.Earliest.After(day) || len(earliest) == 10 && p.Latest.Before(day) {
			t.Fatalf("%+v of %s to %s", p, earliest, latest)
		}
		longest := map[domain.Precision]int{"day": 0, "month": 30, "year": 365, "decade": 3652}
		if days := int(p.Latest.Sub(p.Earliest).Hours() / 24); longest[p.Precision] < days && p.Precision != "range" && p.Precision != "circa" {
			t.Fatalf("a %s of %d days", p.Precision, days)
		}
		again, err := domain.NewPeriod(p.Precision, p.Earliest.Format(time.DateOnly), p.Latest.Format(time.DateOnly), p.Label)
		if err != nil || again != p {
			t.Fatalf("%+v becomes %+v, %v", p, again, err)
		}
		if p.Compare(again) != 0 || p.Compare(domain.Period{}) >= 0 || (domain.Period{}).Compare(p) <= 0 {
			t.Fatalf("%+v is out of order", p)
		}
	})
}

func TestPeriodsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, tt := range [][3]string{
		{"", "gestern", ""},
		{"", "1961-13", ""},
		{"", "1961-02-30", ""},
		{"", "0961", ""},
		{"", "", "1961"},
		{"", "1962", "1961"},
		{"day", "1961", ""},
		{"month", "1961", ""},
		{"day", "1961-01-01", "1961-01-02"},
		{"year", "1961", "1962"},
		{"decade", "1969", "1970"},
		{"range", "1961", ""},
		{"range", "", ""},
		{"unknown", "1961", ""},
		{"century", "1961", ""},
		{"circa", "", ""},
		{"", "19610101", ""},
	} {
		if p, err := domain.NewPeriod(domain.Precision(tt[0]), tt[1], tt[2], ""); domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("%v: %+v, %v", tt, p, err)
		}
	}
}
