package conversation

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Store keeps the turns. SaveAnswer writes the answer and the end of its job in
// one transaction; SavePartial keeps the words of an attempt that was broken
// off, also while its job is being cancelled. WordsAt reads a place of a
// document's text, in runes, and tells the page.
type Store interface {
	Turn(ctx context.Context, answerID uuid.UUID) (domain.ChatTurn, error)
	History(ctx context.Context, answer domain.ChatMessage, limit int) ([]domain.ChatExchange, error)
	SaveAnswer(ctx context.Context, lease domain.Lease, answer domain.ChatMessage) error
	SavePartial(ctx context.Context, lease domain.Lease, answerID uuid.UUID, content string) error
	WordsAt(ctx context.Context, userID, documentID uuid.UUID, from, to int) (words string, page int, err error)
}

// Searcher finds passages in the documents of a project, best first; mode says
// by what: "hybrid" or "keyword".
type Searcher interface {
	ProjectPassages(ctx context.Context, userID, projectID uuid.UUID, documents []uuid.UUID, query string, limit int) (passages []domain.Passage, mode string, err error)
}

// Providers finds language models by name; "" asks for the default. Resolve tells
// who answers for a provider and a model, either of which may be empty, while
// nothing is down.
type Providers interface {
	Provider(name string) (llm.Provider, error)
	Resolve(ctx context.Context, provider, model string) (string, string, error)
}

// Tokens takes the pieces of an answer as they come. It never blocks, and what
// it loses is no loss: the answer is saved as a whole.
type Tokens interface {
	PublishToken(e domain.TokenEvent)
}

// Offline is the provider that stands for answering without a model.
const Offline = "offline"

// Worker does the chat stage.
type Worker struct {
	store     Store
	searcher  Searcher
	providers Providers
	tokens    Tokens
	options   Options
}

// Options of a Worker.
type Options struct {
	// ContextTokens is the most that is sent to a model; 0 means 8192.
	ContextTokens int
	// Patience is how long after its question an answer may still wait for a
	// provider that is down; 0 means 10 minutes.
	Patience time.Duration
	Log      *slog.Logger
}

// NewWorker joins the stage's parts.
func NewWorker(store Store, searcher Searcher, providers Providers, tokens Tokens, options Options) *Worker {
	options.ContextTokens = cmp.Or(options.ContextTokens, defaultContext)
	options.Patience = cmp.Or(options.Patience, 10*time.Minute)
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{store: store, searcher: searcher, providers: providers, tokens: tokens, options: options}
}

// Work answers the question that the task's job names and saves the answer.
func (w *Worker) Work(ctx context.Context, task domain.Task) error {
	turn, err := w.store.Turn(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	ctx = llm.WithCaller(ctx, llm.Caller{
		UserID: turn.Answer.UserID, ProjectID: &turn.Answer.ProjectID, JobID: &task.Job.ID, Purpose: "chat",
	})
	t := newTyping(w.tokens, task.Lease)
	defer t.end()
	r := &run{Worker: w, turn: turn, typing: t, started: time.Now(), answer: turn.Answer}
	if err := r.do(ctx); err != nil {
		w.keep(ctx, task.Lease, turn.Answer.ID, t.text())
		return w.impatient(task.Job, err)
	}
	m := r.answer.Metadata
	w.options.Log.InfoContext(ctx, "question answered", "message_id", turn.Answer.ID, "judge", m.Judge,
		"answered", m.Answered, "passages", len(m.Sources), "citations", len(m.Citations))
	return w.store.SaveAnswer(ctx, task.Lease, r.answer)
}

// keep saves what was written before an attempt broke off; the job's end says
// why it did.
func (w *Worker) keep(ctx context.Context, lease domain.Lease, answerID uuid.UUID, text string) {
	if text == "" {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if err := w.store.SavePartial(ctx, lease, answerID, text); err != nil {
		w.options.Log.WarnContext(ctx, "part of an answer is lost", "message_id", answerID, "error", err)
	}
}

// impatient ends what would wait for a provider longer than anybody waits for an
// answer.
func (w *Worker) impatient(job domain.Job, err error) error {
	if domain.CodeOf(err).Free() && time.Since(job.CreatedAt) > w.options.Patience {
		return domain.Errorf(domain.CodeTimedOut, "The language model did not answer for %s.", w.options.Patience.Round(time.Second)).
			WithHint("Ask again later, or ask another provider.").WithCause(err)
	}
	return err
}

// run is one answer under way.
type run struct {
	*Worker
	turn     domain.ChatTurn
	typing   *typing
	started  time.Time
	provider llm.Provider
	asked    string // the model
	answer   domain.ChatMessage

	history  []domain.ChatExchange // oldest first
	question string                // understandable by itself
	passages []domain.Passage
}

const (
	mostHistory  = 12 // exchanges
	mostPassages = 8
)

func (r *run) do(ctx context.Context) error {
	if err := r.choose(ctx); err != nil {
		return err
	}
	history, err := r.store.History(ctx, r.turn.Answer, mostHistory)
	if err != nil {
		return err
	}
	slices.Reverse(history)
	r.history = history
	r.answer.Metadata.Language = r.language()
	if err := r.understand(ctx); err != nil {
		return err
	}
	if err := r.search(ctx); err != nil {
		return err
	}
	if len(r.passages) == 0 {
		r.refuse()
		return nil
	}
	if r.answer.Metadata.Judge == domain.JudgeOffline {
		return r.quote(ctx)
	}
	return r.ask(ctx)
}

// choose settles who answers. The provider is asked for no more than the question
// names, so that it is free to let another one answer; the reply says who did.
func (r *run) choose(ctx context.Context) error {
	m := &r.answer.Metadata
	*m = domain.ChatMetadata{Provider: m.Provider, Model: m.Model, Temperature: m.Temperature, DocumentIDs: m.DocumentIDs}
	var err error
	if r.provider, err = r.providers.Provider(m.Provider); err != nil {
		return err
	}
	r.asked = m.Model
	if m.Provider, m.Model, err = r.providers.Resolve(ctx, m.Provider, m.Model); err != nil {
		return err
	}
	if m.Provider == Offline {
		m.Judge, m.Model, m.PromptVersion = domain.JudgeOffline, Offline, RulesVersion
		return nil
	}
	m.Judge, m.PromptVersion = domain.JudgeLLM, PromptVersion
	return nil
}

func (r *run) search(ctx context.Context) error {
	m := &r.answer.Metadata
	var err error
	r.passages, m.SearchMode, err = r.searcher.ProjectPassages(ctx, r.answer.UserID, r.answer.ProjectID, m.DocumentIDs, clip(r.question, 2000), mostPassages)
	m.Timings.SearchedMS = r.elapsed()
	return err
}

// finish fills in what follows from the answer's text and the passages that
// were given.
func (r *run) finish(ctx context.Context, text string) error {
	m := &r.answer.Metadata
	r.answer.Content, m.Answered = text, true
	m.Sources = sources(r.passages)
	var err error
	if m.Citations, err = r.cite(ctx, text); err != nil {
		return err
	}
	if len(m.Citations) == 0 {
		m.Flags = append(m.Flags, domain.FlagNoCitation)
	}
	if slices.ContainsFunc(m.Citations, func(c domain.Citation) bool { return c.Support == domain.SupportWeak }) {
		m.Flags = append(m.Flags, domain.FlagWeakSupport)
	}
	m.Timings.DoneMS = r.elapsed()
	return nil
}

// refuse says that the documents do not answer.
func (r *run) refuse() {
	m := &r.answer.Metadata
	r.answer.Content, m.Answered, m.Citations = wordingOf(m.Language).refusal, false, nil
	m.Sources = sources(r.passages)
	r.typing.replace(r.answer.Content)
	m.Timings.FirstTokenMS, m.Timings.DoneMS = r.typing.firstAfter(r.started), r.elapsed()
}

func (r *run) elapsed() int { return int(time.Since(r.started).Milliseconds()) }

func sources(passages []domain.Passage) []domain.ChatSource {
	var out []domain.ChatSource
	for i, p := range passages {
		out = append(out, domain.ChatSource{
			Number: i + 1, DocumentID: p.DocumentID, Filename: p.Filename, Title: p.Title, PageFrom: p.PageFrom, PageTo: p.PageTo,
			CharFrom: p.CharFrom, CharTo: p.CharTo, Relevance: relevance(p.Score, passages[0].Score),
		})
	}
	return out
}

func relevance(score, best float64) float64 {
	if best <= 0 {
		return 0
	}
	return min(max(score/best, 0), 1)
}
