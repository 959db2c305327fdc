package matching

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Store keeps matches. CachedCandidate answers nil when it has none, and looks
// at one match alone where that is given. KeepCandidate saves what is judged, so
// that another attempt goes on from there; place counts from 0. SaveMatch writes
// result, cache and the end of the job in one transaction.
type Store interface {
	Match(ctx context.Context, id uuid.UUID) (domain.Match, error)
	Source(ctx context.Context, userID, documentID uuid.UUID) (domain.Document, []domain.Page, error)
	CachedCandidate(ctx context.Context, userID uuid.UUID, key string, match *uuid.UUID) (*domain.Candidate, error)
	KeepCandidate(ctx context.Context, lease domain.Lease, m domain.Match, place int, c domain.Candidate) error
	SaveMatch(ctx context.Context, lease domain.Lease, m domain.Match) error
}

// Providers finds language models by name; "" asks for the default. Resolve tells
// who answers for a provider and a model, either of which may be empty, while
// nothing is down.
type Providers interface {
	Provider(name string) (llm.Provider, error)
	Resolve(ctx context.Context, provider, model string) (string, string, error)
}

// Offline is the provider that stands for the judge without a model.
const Offline = "offline"

// Worker does the match stage.
type Worker struct {
	store     Store
	retriever Retriever
	providers Providers
	rules     *Rules
	masker    *masker
	options   Options
}

// Options of a Worker.
type Options struct {
	// ContextTokens is the window of the models; 0 means 8192.
	ContextTokens int
	// Temperature at which models judge, 0 to 2.
	Temperature float64
	Log         *slog.Logger
}

// NewWorker joins the stage's parts. The retriever may be nil: then passages
// of long documents are found in memory.
func NewWorker(store Store, retriever Retriever, providers Providers, options Options) *Worker {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	rules := NewRules()
	return &Worker{
		store: store, retriever: retriever, providers: providers, rules: rules, masker: newMasker(rules), options: options,
	}
}

// Work judges the match that the task's job names and saves the result.
func (w *Worker) Work(ctx context.Context, task domain.Task) error {
	m, err := w.store.Match(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	ctx = llm.WithCaller(ctx, llm.Caller{UserID: m.UserID, ProjectID: m.ProjectID, JobID: &task.Job.ID, Purpose: "match"})
	run, err := w.prepare(ctx, m)
	if err != nil {
		return err
	}
	run.progress, run.lease = task.Progress, task.Lease
	if err := run.judgeAll(ctx); err != nil {
		return err
	}
	w.options.Log.InfoContext(ctx, "match judged", "match_id", m.ID, "judge", run.match.Judge,
		"candidates", len(run.match.Candidates), "requirements", len(run.match.Requirements))
	return w.store.SaveMatch(ctx, task.Lease, run.match)
}

// run is one match under way.
type run struct {
	store    Store
	judge    judge
	settings Settings
	match    domain.Match
	posting  []*Source
	people   [][]*Source
	lease    domain.Lease
	progress func(domain.Progress)
	done     int
	read     []domain.Judged // by whom the posting was read, where that was now
	began    time.Time
	kept     int  // candidates that another attempt need not judge
	lost     bool // some cannot be kept
}

func (w *Worker) prepare(ctx context.Context, m domain.Match) (*run, error) {
	if len(m.EmployerDocuments) == 0 || len(m.ApplicantDocuments) == 0 {
		return nil, domain.Errorf(domain.CodeInvalid, "A match needs at least one posting and one applicant document.")
	}
	r := &run{store: w.store, match: m, began: time.Now()}
	var err error
	if r.posting, err = w.sources(ctx, m.UserID, m.EmployerDocuments); err != nil {
		return nil, err
	}
	applicants, err := w.sources(ctx, m.UserID, m.ApplicantDocuments)
	if err != nil {
		return nil, err
	}
	r.people = people(applicants, m.Combine)
	if m.Masked {
		w.mask(r)
	}
	return r, w.choose(ctx, r)
}

// mask hides who the applicants are, before anything is judged.
func (w *Worker) mask(r *run) {
	for _, sources := range r.people {
		w.masker.maskPerson(sources)
	}
	for _, s := range r.posting {
		w.masker.maskContacts(s)
	}
}

func people(applicants []*Source, combine bool) [][]*Source {
	if combine {
		return [][]*Source{applicants}
	}
	var out [][]*Source
	for _, s := range applicants {
		out = append(out, []*Source{s})
	}
	return out
}

// choose picks the judge and settles what the match left open.
func (w *Worker) choose(ctx context.Context, r *run) error {
	m := &r.match
	if m.Language == "" {
		m.Language = cmp.Or(r.posting[0].Language, w.rules.lexicon.guessLanguage([]rune(r.posting[0].Visible())))
	}
	provider, err := w.providers.Provider(m.Provider)
	if err != nil {
		return err
	}
	asked := m.Model // no more than was named, so that another may answer
	if m.Provider, m.Model, err = w.providers.Resolve(ctx, m.Provider, m.Model); err != nil {
		return err
	}
	if m.Provider == Offline {
		now := m.CreatedAt
		if now.IsZero() {
			now = time.Now()
		}
		m.Judge, m.Model, m.PromptVersion = domain.JudgeOffline, Offline, RulesVersion
		r.judge = rulesJudge{w.rules, now}
	} else {
		m.Judge, m.PromptVersion = domain.JudgeLLM, PromptVersion
		r.judge = &modelJudge{
			provider: provider, model: asked, retriever: w.retriever, rules: w.rules,
			userID: m.UserID, context: w.options.ContextTokens, temperature: w.options.Temperature,
		}
	}
	r.settings = Settings{
		Judge: m.Judge, Provider: m.Provider, Model: m.Model, Version: m.PromptVersion, Language: m.Language,
		Masked: m.Masked, Stability: m.Stability, Temperature: w.options.Temperature,
	}
	if m.Judge == domain.JudgeOffline {
		r.settings.Temperature = 0
	}
	return nil
}

// sources loads documents; one that is still being read asks for patience, one
// that cannot be read ends the match.
func (w *Worker) sources(ctx context.Context, userID uuid.UUID, documents []uuid.UUID) ([]*Source, error) {
	var out []*Source
	for _, id := range documents {
		doc, pages, err := w.store.Source(ctx, userID, id)
		if err != nil {
			return nil, err
		}
		if err := usable(doc); err != nil {
			return nil, err
		}
		s := NewSource(doc, pages)
		if strings.TrimSpace(s.Text()) == "" {
			return nil, domain.Errorf(domain.CodeEmptyDocument, "The document %q has no text to match.", s.Filename)
		}
		out = append(out, s)
	}
	return out, nil
}

func usable(doc domain.Document) error {
	switch {
	case doc.State.Usable():
		return nil
	case doc.State == domain.DocumentFailed:
		return domain.Errorf(domain.CodeInvalid, "The document %q could not be read, so it cannot be matched.", nameOf(doc)).
			WithHint("See the document for the reason, upload it again, and start the match anew.")
	}
	return domain.Errorf(domain.CodeNotReady, "The document %q is still being read.", nameOf(doc))
}

// judgeAll fills in candidates and requirements, from the cache where it can.
func (r *run) judgeAll(ctx context.Context) error {
	hits, err := r.lookUp(ctx)
	if err != nil {
		return err
	}
	posting, err := r.readPosting(ctx, hits)
	if err != nil {
		return err
	}
	m := &r.match
	m.JobTitle, m.Requirements, m.Candidates = posting.Title, posting.Requirements, nil
	for i, sources := range r.people {
		if hit := hits[i]; hit != nil && sameRequirements(hit.Posting, posting) {
			m.Candidates = append(m.Candidates, rebind(*hit, sources))
			r.advance(len(posting.Requirements) * max(1, m.Stability))
			continue
		}
		if r.turnIsOver(ctx) {
			return domain.Errorf(domain.CodeUnavailable, "%d of %d applicants are judged; the others follow.", i, len(r.people))
		}
		c, err := r.judgeOne(ctx, posting, sources)
		if err != nil {
			return err
		}
		if len(r.people) > 1 {
			if err := r.store.KeepCandidate(ctx, r.lease, *m, i, c); err != nil {
				return err
			}
			r.kept, r.lost = r.kept+1, r.lost || c.CacheKey == ""
		}
		m.Candidates = append(m.Candidates, c)
	}
	rank(m.Candidates)
	m.State = domain.MatchReady
	return nil
}

// turnIsOver reports that half of the attempt's time is used up. What it judged
// is kept, so another attempt goes on from there, after others had their turn.
func (r *run) turnIsOver(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && r.kept > 0 && !r.lost && time.Until(deadline) < deadline.Sub(r.began)/2
}

// lookUp finds results that need not be judged again: what an earlier attempt
// left, and, unless all is to be judged anew, what other matches did.
func (r *run) lookUp(ctx context.Context) ([]*domain.Candidate, error) {
	hits := make([]*domain.Candidate, len(r.people))
	for i, sources := range r.people {
		key := CacheKey(r.settings, r.posting, sources)
		hit, err := r.store.CachedCandidate(ctx, r.match.UserID, key, &r.match.ID)
		if err != nil {
			return nil, err
		}
		if hit == nil && !r.match.Fresh && r.match.Stability == 0 {
			if hit, err = r.store.CachedCandidate(ctx, r.match.UserID, key, nil); err != nil {
				return nil, err
			}
			if hit != nil {
				hit.Cached = true
			}
		}
		hits[i] = hit
	}
	return hits, nil
}

// readPosting takes the requirements of a cached candidate, so that all
// candidates are held against the same ones, or reads them from the posting.
func (r *run) readPosting(ctx context.Context, hits []*domain.Candidate) (domain.Posting, error) {
	for _, hit := range hits {
		if hit != nil && len(hit.Posting.Requirements) > 0 {
			return hit.Posting, nil
		}
	}
	var texts []string
	for _, s := range r.posting {
		texts = append(texts, s.Visible())
	}
	posting, err := r.judge.readPosting(ctx, strings.Join(texts, domain.PageSeparator), r.posting[0].Language)
	r.read = r.judge.answered()
	if err == nil && len(posting.Requirements) == 0 {
		err = domain.Errorf(domain.CodeInvalid, "No requirements were found in the posting.").
			WithHint("Check that the employer documents are the posting itself.")
	}
	return posting, err
}

func sameRequirements(a, b domain.Posting) bool {
	return slices.EqualFunc(a.Requirements, b.Requirements, func(x, y domain.Requirement) bool {
		return x.ID == y.ID && x.Text == y.Text && x.Weight == y.Weight
	})
}

func (r *run) judgeOne(ctx context.Context, posting domain.Posting, sources []*Source) (domain.Candidate, error) {
	c := domain.Candidate{
		Documents: ids(sources), Name: nameAll(sources), Posting: posting, Flags: []domain.Flag{},
		CacheKey: CacheKey(r.settings, r.posting, sources), Masks: countMasks(sources),
	}
	if slices.ContainsFunc(sources, func(s *Source) bool { return len(s.withheld) > 0 }) {
		c.Flags = append(c.Flags, domain.FlagInstructions)
	}
	if err := r.judgeRuns(ctx, &c, sources); err != nil {
		return c, err
	}
	err := r.judge.describe(ctx, &c, posting, r.match.Language)
	r.sign(&c)
	return c, err
}

// judgeRuns gives the verdicts once, or as often as a stability run wants them
// and keeps those whose score is in the middle.
func (r *run) judgeRuns(ctx context.Context, c *domain.Candidate, sources []*Source) error {
	var runs [][]domain.Verdict
	var scores []int
	for range max(1, r.match.Stability) {
		verdicts, err := r.judge.verdicts(ctx, c.Posting, sources, r.match.Language, r.advance)
		if err != nil {
			return err
		}
		runs, scores = append(runs, verdicts), append(scores, Score(c.Posting.Requirements, verdicts))
	}
	at := median(scores)
	c.Verdicts, c.Score = runs[at], scores[at]
	if r.match.Stability > 0 {
		c.Stability = stabilityOf(c.Posting.Requirements, runs, scores, r.settings.Temperature)
	}
	return nil
}

// sign says who judged and when. What another provider than the one asked for
// had a part in is not to be found in that one's cache.
func (r *run) sign(c *domain.Candidate) {
	c.JudgedAt = time.Now().UTC()
	c.JudgedBy = union(r.read, r.judge.answered())
	if slices.ContainsFunc(c.JudgedBy, func(j domain.Judged) bool { return j.Provider != r.match.Provider }) {
		c.Flags = append(c.Flags, domain.FlagOtherModel)
		c.CacheKey = ""
	}
}

func (r *run) advance(n int) {
	r.done += n
	if r.progress != nil {
		total := len(r.match.Requirements) * len(r.people) * max(1, r.match.Stability)
		r.progress(domain.Progress{Done: r.done, Total: total, Unit: "requirements"})
	}
}

// rank orders candidates by score, equal ones as they were handed in.
func rank(candidates []domain.Candidate) {
	slices.SortStableFunc(candidates, func(a, b domain.Candidate) int { return cmp.Compare(b.Score, a.Score) })
	for i := range candidates {
		candidates[i].Rank = i + 1
	}
}
