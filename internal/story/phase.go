package story

import (
	"fmt"
	"time"

	"generalbackend/internal/domain"
)

// Phase is a part of a life: an age when the date of birth is known, else a
// decade. From and To are its first and last day; From is zero before birth.
type Phase struct {
	Key   string // "childhood", "1960s"
	Title string
	From  time.Time
	To    time.Time
}

// ages are the phases of a life: the age at which each begins.
var ages = []struct {
	key    string
	age    int
	de, en string
}{
	{"childhood", 0, "Kindheit", "Childhood"},
	{"youth", 12, "Jugend", "Youth"},
	{"young_adult", 18, "Junge Jahre", "Young years"},
	{"middle", 30, "In der Mitte des Lebens", "Middle years"},
	{"mature", 50, "Reife Jahre", "Mature years"},
	{"old", 65, "Im Alter", "Later years"},
}

const beforeBirth = "before_birth"

// oldest is an age that no life is expected to exceed.
const oldest = 120

// PhasesOf are the phases of a life up to a day, without those before birth.
func PhasesOf(born time.Time, language string, now time.Time) []Phase {
	var phases []Phase
	german := wording(language) == "de"
	for i, a := range ages {
		p := Phase{Key: a.key, Title: a.en, From: born.AddDate(a.age, 0, 0)}
		if german {
			p.Title = a.de
		}
		if p.From.After(now) {
			break
		}
		p.To = born.AddDate(oldest, 0, 0)
		if i+1 < len(ages) {
			p.To = born.AddDate(ages[i+1].age, 0, -1)
		}
		phases = append(phases, p)
	}
	return phases
}

// PhaseOf is where a period belongs: by its begin, or by its middle when it is
// only about right.
func PhaseOf(s domain.Story, p domain.Period, now time.Time) Phase {
	at := p.Earliest
	if p.Precision == domain.PrecisionCirca || p.Precision == domain.PrecisionDecade || p.Precision == domain.PrecisionYear {
		at = p.Earliest.Add(p.Latest.Sub(p.Earliest) / 2)
	}
	if s.BornOn == nil {
		return decadeOf(at, s.Language)
	}
	phase := before(*s.BornOn, s.Language)
	for _, candidate := range PhasesOf(*s.BornOn, s.Language, later(now, at)) {
		if !at.Before(candidate.From) {
			phase = candidate
		}
	}
	return phase
}

func before(born time.Time, language string) Phase {
	p := Phase{Key: beforeBirth, Title: "Before birth", To: born.AddDate(0, 0, -1)}
	if wording(language) == "de" {
		p.Title = "Vor der Geburt"
	}
	return p
}

func decadeOf(t time.Time, language string) Phase {
	begin := t.Year() / 10 * 10
	p := Phase{Key: fmt.Sprintf("%ds", begin), Title: fmt.Sprintf("The %ds", begin), From: date(begin, 1, 1), To: date(begin+9, 12, 31)}
	if wording(language) == "de" {
		p.Title = fmt.Sprintf("Die %der Jahre", begin)
	}
	return p
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
