package matching_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

// TestRerunIsIdenticalToTheByte, without a request to the model; fresh asks it
// again, and whatever the result depends on asks it as well.
func TestRerunIsIdenticalToTheByte(t *testing.T) {
	t.Parallel()
	store, asked := bakery(bakerCV), baker()
	run := func(change func(*domain.Match)) []byte {
		t.Helper()
		store.match.ID = uuid.New()
		change(&store.match)
		if err := work(t, store, asked, matching.Options{}); err != nil {
			t.Fatal(err)
		}
		c := store.last(t).Candidates[0]
		c.Cached = false
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	first := run(func(*domain.Match) {})
	requests := len(asked.requests)
	if second := run(func(*domain.Match) {}); string(second) != string(first) {
		t.Errorf("results differ:\n%s\n%s", first, second)
	}
	if !store.last(t).Candidates[0].Cached || len(asked.requests) != requests {
		t.Errorf("%d requests for a result that was known", len(asked.requests)-requests)
	}
	for name, change := range map[string]func(*domain.Match){
		"fresh":     func(m *domain.Match) { m.Fresh = true },
		"masked":    func(m *domain.Match) { m.Fresh, m.Masked = false, true },
		"language":  func(m *domain.Match) { m.Masked, m.Language = false, "fr" },
		"model":     func(m *domain.Match) { m.Language, m.Model = "en", "other" },
		"stability": func(m *domain.Match) { m.Model, m.Stability = "", 2 },
	} {
		before := store.match
		before.Fresh, before.Masked, before.Language, before.Model, before.Stability = false, false, "en", "", 0
		store.match = before
		requests := len(asked.requests)
		run(change)
		if len(asked.requests) == requests || store.last(t).Candidates[0].Cached {
			t.Errorf("%s: the model was not asked", name)
		}
	}
	store.match.Fresh, store.match.Masked, store.match.Language, store.match.Model, store.match.Stability = false, false, "en", "", 0
	requests = len(asked.requests)
	run(func(*domain.Match) {})
	if len(asked.requests) != requests {
		t.Error("the first result is no longer known")
	}
}

// TestStandInIsNamedAndNotCached: what another provider judged is not taken for
// the work of the one that was asked.
func TestStandInIsNamedAndNotCached(t *testing.T) {
	t.Parallel()
	store, asked := bakery(bakerCV), baker()
	asked.standIn, store.match.Model = "anthropic", "small"
	if err := work(t, store, asked, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	c := store.last(t).Candidates[0]
	if want := []domain.Judged{{Provider: "anthropic", Model: "small"}}; !slices.Equal(c.JudgedBy, want) {
		t.Errorf("judged by %v, want %v", c.JudgedBy, want)
	}
	if c.CacheKey != "" || !slices.Contains(c.Flags, domain.FlagOtherModel) {
		t.Errorf("key %q, flags %v", c.CacheKey, c.Flags)
	}
	asked.standIn = ""
	requests := len(asked.requests)
	if err := work(t, store, asked, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	c = store.last(t).Candidates[0]
	if len(asked.requests) == requests || c.CacheKey == "" || c.JudgedBy[0].Provider != "ollama" {
		t.Errorf("judged by %v from cache, key %q", c.JudgedBy, c.CacheKey)
	}
}

// TestStabilityReportsTheSpread of judgements that differ.
func TestStabilityReportsTheSpread(t *testing.T) {
	t.Parallel()
	store, asked := bakery(bakerCV), baker()
	store.match.Stability = 3
	asks := 0
	asked.verdicts = func(user string) string {
		table := bakerVerdicts()
		if asks++; asks == 2 {
			table["r2"] = said{Level: "missing", Confidence: 90}
		}
		return verdictsFor(user, table)
	}
	var total int
	w := matching.NewWorker(store, nil, registry(asked), matching.Options{Temperature: 0.7})
	task := domain.Task{Job: domain.Job{ResourceID: store.match.ID}, Progress: func(p domain.Progress) { total = p.Total }}
	if err := w.Work(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	m := store.last(t)
	c := m.Candidates[0]
	s := c.Stability
	if s == nil || len(s.Scores) != 3 || s.Scores[0] != s.Scores[2] || s.Scores[1] >= s.Scores[0] {
		t.Fatalf("stability = %+v", s)
	}
	if c.Score != s.Scores[0] || s.Min != s.Scores[1] || s.Max != s.Scores[0] || s.Deviation <= 0 || s.Mean <= float64(s.Min) || s.Temperature != 0.7 {
		t.Errorf("score %d, stability = %+v", c.Score, s)
	}
	want := domain.Agreement{RequirementID: "r2", Levels: []domain.Level{"full", "missing", "full"}, Share: 2.0 / 3, Flips: true}
	if diff := gocmp.Diff(want, s.Requirements[1]); diff != "" || s.Flips != 1 {
		t.Errorf("%d flips, of r2 (-want +got):\n%s", s.Flips, diff)
	}
	if total != 3*len(m.Requirements) || asked.calls(`"category"`) != 1 || asks != 3 {
		t.Errorf("progress of %d, posting read %d times, %d judgements", total, asked.calls(`"category"`), asks)
	}
	for _, r := range asked.requests {
		if r.Temperature != 0.7 {
			t.Errorf("asked at temperature %v", r.Temperature)
		}
	}
	if err := work(t, store, asked, matching.Options{Temperature: 0.7}); err != nil {
		t.Fatal(err)
	}
	store.match.ID = uuid.New()
	before := asks
	if err := work(t, store, asked, matching.Options{Temperature: 0.7}); err != nil {
		t.Fatal(err)
	}
	if asks != before+3 {
		t.Errorf("another stability run made %d judgements, want 3", asks-before)
	}
}

// TestStabilityWithoutAModel is perfect: rules do not change their mind.
func TestStabilityWithoutAModel(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	store.match.Stability = 10
	if err := work(t, store, offline(), matching.Options{Temperature: 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range store.last(t).Candidates {
		if s := c.Stability; len(s.Scores) != 10 || s.Deviation != 0 || s.Min != s.Max || s.Agreement != 1 || s.Flips != 0 || s.Temperature != 0 {
			t.Errorf("stability = %+v", s)
		}
	}
}

// TestAnotherAttemptGoesOn where the first one ended, also when everything is to
// be judged anew.
func TestAnotherAttemptGoesOn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*domain.Match){
		"as usual": func(*domain.Match) {}, "fresh": func(m *domain.Match) { m.Fresh = true }, "stability": func(m *domain.Match) { m.Stability = 2 },
	} {
		store, asked := bakery(bakerCV), baker()
		store.match.ApplicantDocuments = append(store.match.ApplicantDocuments, store.add("bert.pdf", bakerCV+"Bert\n"))
		change(&store.match)
		judged := 0
		answer := asked.verdicts
		asked.verdicts = func(user string) string {
			if judged++; judged == 1+max(1, store.match.Stability) {
				asked.err = domain.Errorf(domain.CodeModelTimeout, "Too slow.")
			}
			return answer(user)
		}
		if err := work(t, store, asked, matching.Options{}); domain.CodeOf(err) != domain.CodeModelTimeout {
			t.Fatalf("%s: error = %v", name, err)
		}
		asked.err = nil
		if err := work(t, store, asked, matching.Options{}); err != nil {
			t.Fatal(err)
		}
		if want := 1 + 2*max(1, store.match.Stability); judged != want || asked.calls(`"category"`) != 1 {
			t.Errorf("%s: %d judgements, want %d; posting read %d times", name, judged, want, asked.calls(`"category"`))
		}
		for _, c := range store.last(t).Candidates {
			if c.Cached {
				t.Errorf("%s: what the same match judged counts as cached", name)
			}
		}
	}
}

// resolving are providers that know who answers where none is named.
type resolving struct{ matching.Providers }

func (resolving) Resolve(_ context.Context, provider, model string) (string, string, error) {
	return cmp.Or(provider, "ollama"), cmp.Or(model, "of the day"), nil
}

// TestWhoAnswersIsResolved and recorded; the model itself is asked for only
// where the match names one.
func TestWhoAnswersIsResolved(t *testing.T) {
	t.Parallel()
	for named, want := range map[string]string{"": "of the day", "mine": "mine"} {
		store, asked := bakery(bakerCV), baker()
		store.match.Model = named
		w := matching.NewWorker(store, nil, resolving{registry(asked)}, matching.Options{})
		if err := w.Work(t.Context(), domain.Task{}); err != nil {
			t.Fatal(err)
		}
		if m := store.last(t); m.Provider != "ollama" || m.Model != want || asked.requests[0].Model != named {
			t.Errorf("judged by %s, %s; asked for %q", m.Provider, m.Model, asked.requests[0].Model)
		}
	}
}

// TestLongMatchesTakeTurns: half-way through its time an attempt ends with what
// it judged, at no cost, and the next goes on.
func TestLongMatchesTakeTurns(t *testing.T) {
	t.Parallel()
	store, asked := bakery(bakerCV), baker()
	for range 3 {
		store.match.ApplicantDocuments = append(store.match.ApplicantDocuments, store.add("more.pdf", bakerCV+uuid.NewString()))
	}
	w := matching.NewWorker(store, nil, registry(asked), matching.Options{})
	turns := 0
	for ; len(store.saved) == 0; turns++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond) // the fakes do not look at it
		err := w.Work(ctx, domain.Task{Job: domain.Job{ResourceID: store.match.ID}})
		cancel()
		if err != nil && domain.CodeOf(err) != domain.CodeUnavailable {
			t.Fatal(err)
		}
	}
	if n := asked.calls(`"verdicts"`); turns != 4 || n != 4 {
		t.Errorf("%d turns and %d judgements, want one of each for each of 4 applicants", turns, n)
	}
}
