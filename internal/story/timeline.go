package story

import (
	"slices"
	"time"

	"generalbackend/internal/domain"
)

// Timeline is a story in order. Memories whose time is unknown are apart, oldest
// first as they were told. Gaps are years nothing was told about.
type Timeline struct {
	Phases  []PhaseOfLife
	Gaps    []Gap
	Undated []domain.Memory
}

// PhaseOfLife is a phase and the memories that fall into it, in order; those of
// a life whose begin is known are listed even when nothing was told of them.
type PhaseOfLife struct {
	Phase
	Memories []domain.Memory
}

// Gap is a run of whole years without a memory. After and Before are the
// memories around it; nil at the ends of the life.
type Gap struct {
	From, To int // years, both in the gap
	After    *domain.Memory
	Before   *domain.Memory
}

// shortestGap is how many years without a memory are worth a question.
const shortestGap = 3

// NewTimeline puts memories in order, as of a day.
func NewTimeline(s domain.Story, memories []domain.Memory, now time.Time) Timeline {
	dated, undated := split(memories)
	return Timeline{Phases: phases(s, dated, now), Gaps: gaps(s, dated, now), Undated: undated}
}

// split orders memories by time, equal ones and undated ones as they were told.
func split(memories []domain.Memory) (dated, undated []domain.Memory) {
	all := slices.Clone(memories)
	slices.SortStableFunc(all, func(a, b domain.Memory) int {
		if c := a.Period.Compare(b.Period); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	at := slices.IndexFunc(all, func(m domain.Memory) bool { return !m.Period.Known() })
	if at < 0 {
		return all, nil
	}
	return all[:at], all[at:]
}

func phases(s domain.Story, dated []domain.Memory, now time.Time) []PhaseOfLife {
	var out []PhaseOfLife
	if s.BornOn != nil {
		for _, p := range PhasesOf(*s.BornOn, s.Language, now) {
			out = append(out, PhaseOfLife{Phase: p})
		}
	}
	for _, m := range dated {
		p := PhaseOf(s, m.Period, now)
		at := slices.IndexFunc(out, func(q PhaseOfLife) bool { return q.Key == p.Key })
		if at < 0 {
			at = len(out)
			out = append(out, PhaseOfLife{Phase: p})
		}
		out[at].Memories = append(out[at].Memories, m)
	}
	slices.SortStableFunc(out, func(a, b PhaseOfLife) int { return a.From.Compare(b.From) })
	return out
}

// gaps looks between birth, or the first memory, and today, or the last one.
func gaps(s domain.Story, dated []domain.Memory, now time.Time) []Gap {
	if len(dated) == 0 {
		return nil
	}
	var out []Gap
	last := dated[0].Period.Latest.Year()
	if s.BornOn != nil {
		last = s.BornOn.Year() - 1
	}
	var after *domain.Memory
	for i, m := range dated {
		from, to := m.Period.Earliest.Year(), m.Period.Latest.Year()
		if from-last > shortestGap {
			out = append(out, Gap{From: last + 1, To: from - 1, After: after, Before: &dated[i]})
		}
		if to >= last {
			last, after = to, &dated[i]
		}
	}
	if s.BornOn != nil && now.Before(s.BornOn.AddDate(oldest, 0, 0)) && now.Year()-last >= shortestGap {
		out = append(out, Gap{From: last + 1, To: now.Year(), After: after})
	}
	return out
}
