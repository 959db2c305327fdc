package domain

import (
	"time"
)

// Precision says how well a time is known.
type Precision string

// The precisions.
const (
	PrecisionDay     Precision = "day"
	PrecisionMonth   Precision = "month"
	PrecisionYear    Precision = "year"
	PrecisionDecade  Precision = "decade"
	PrecisionRange   Precision = "range" // from one day to another
	PrecisionCirca   Precision = "circa" // somewhere about
	PrecisionUnknown Precision = "unknown"
)

// Period is when something happened: between two days, both included, which are
// the same for a known day. Label says it in the teller's words. Days are
// midnights in UTC, and zero when nothing is known.
type Period struct {
	Precision Precision
	Earliest  time.Time
	Latest    time.Time
	Label     string
}

// The years that are accepted.
const (
	firstYear = 1000
	lastYear  = 9999
)

// NewPeriod reads dates written as YYYY, YYYY-MM or YYYY-MM-DD. An empty
// precision follows from them: two dates are a range. Dates that say more than
// the precision are widened to it, so that what comes out goes in unchanged. An
// error's message completes the sentence "The time ...".
func NewPeriod(precision Precision, earliest, latest, label string) (Period, error) {
	p := Period{Precision: precision, Label: label}
	from, fromTo, fine, err := parseDate(earliest)
	if err != nil {
		return p, err
	}
	until, untilTo, fineUntil, err := parseDate(latest)
	if err != nil {
		return p, err
	}
	if p.Precision == "" {
		p.Precision = implied(fine, fineUntil)
	}
	switch {
	case p.Precision == PrecisionUnknown:
		if fine != "" || fineUntil != "" {
			return p, periodError("has a date although it is unknown")
		}
		return p, nil
	case fine == "" && fineUntil == "":
		return p, periodError("needs a date, or the precision unknown")
	case fine == "" || fineUntil == "" && p.Precision == PrecisionRange:
		return p, periodError("needs both dates")
	case fineUntil == "":
		until, untilTo = from, fromTo
	}
	if untilTo.Before(from) {
		return p, periodError("ends before it begins")
	}
	return p.widen(from, until, fromTo, untilTo, fine, fineUntil == "")
}

func periodError(message string) *Error {
	return Errorf(CodeInvalid, "The time %s.", message)
}

func implied(fine, fineUntil Precision) Precision {
	switch {
	case fine == "" && fineUntil == "":
		return PrecisionUnknown
	case fineUntil != "":
		return PrecisionRange
	}
	return fine
}

// widen sets the days that a precision stands for.
func (p Period) widen(from, until, fromTo, untilTo time.Time, fine Precision, single bool) (Period, error) {
	var begin, end func(time.Time) time.Time
	switch p.Precision {
	case PrecisionDay:
		begin, end = same, same
		until = untilTo
		if fine != PrecisionDay {
			return p, periodError("needs a full date to be a day")
		}
	case PrecisionMonth:
		begin, end = monthBegin, monthEnd
		if fine == PrecisionYear {
			return p, periodError("needs a month to be one")
		}
	case PrecisionYear:
		begin, end = yearBegin, yearEnd
	case PrecisionDecade:
		begin, end = decadeBegin, decadeEnd
	case PrecisionRange:
		p.Earliest, p.Latest = from, untilTo
		return p, nil
	case PrecisionCirca:
		p.Earliest, p.Latest = from, untilTo
		if single {
			p.Earliest, p.Latest = around(from, fromTo, fine)
		}
		return p, nil
	default:
		return p, periodError("has an unknown precision")
	}
	p.Earliest, p.Latest = begin(from), end(from)
	if until.After(p.Latest) || untilTo.After(p.Latest) && p.Precision == PrecisionDay {
		return p, periodError("is longer than a " + string(p.Precision))
	}
	return p, nil
}

// around is the leeway of a single date that is only about right.
func around(from, to time.Time, fine Precision) (earliest, latest time.Time) {
	switch fine {
	case PrecisionYear:
		earliest, latest = from.AddDate(-2, 0, 0), to.AddDate(2, 0, 0)
	case PrecisionMonth:
		earliest, latest = from.AddDate(0, -2, 0), monthEnd(from.AddDate(0, 2, 0))
	default:
		earliest, latest = from.AddDate(0, 0, -14), to.AddDate(0, 0, 14)
	}
	if earliest.Year() < firstYear {
		earliest = yearBegin(from)
	}
	if latest.Year() > lastYear {
		latest = yearEnd(to)
	}
	return earliest, latest
}

// parseDate returns the first and last day of a date; "" has none.
func parseDate(s string) (first, last time.Time, fine Precision, err error) {
	switch len(s) {
	case 0:
		return first, last, "", nil
	case len("2006"):
		fine = PrecisionYear
		first, err = time.Parse("2006", s)
		last = yearEnd(first)
	case len("2006-01"):
		fine = PrecisionMonth
		first, err = time.Parse("2006-01", s)
		last = monthEnd(first)
	default:
		fine = PrecisionDay
		first, err = time.Parse(time.DateOnly, s)
		last = first
	}
	if err != nil {
		return first, last, fine, periodError("has a date that is not YYYY, YYYY-MM or YYYY-MM-DD").WithCause(err)
	}
	if y := first.Year(); y < firstYear {
		return first, last, fine, periodError("is before the year 1000")
	}
	return first, last, fine, nil
}

func same(t time.Time) time.Time { return t }

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func monthBegin(t time.Time) time.Time { return day(t.Year(), t.Month(), 1) }

func monthEnd(t time.Time) time.Time { return day(t.Year(), t.Month()+1, 0) }

func yearBegin(t time.Time) time.Time { return day(t.Year(), time.January, 1) }

func yearEnd(t time.Time) time.Time { return day(t.Year(), time.December, 31) }

func decadeBegin(t time.Time) time.Time { return day(t.Year()/10*10, time.January, 1) }

func decadeEnd(t time.Time) time.Time { return day(t.Year()/10*10+9, time.December, 31) }

// Known reports whether the period has days.
func (p Period) Known() bool { return !p.Earliest.IsZero() }

// Compare orders periods by their begin, longer ones first; unknown ones last.
func (p Period) Compare(q Period) int {
	switch {
	case !p.Known() || !q.Known():
		return boolean(!p.Known()) - boolean(!q.Known())
	case !p.Earliest.Equal(q.Earliest):
		return p.Earliest.Compare(q.Earliest)
	}
	return q.Latest.Compare(p.Latest)
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
