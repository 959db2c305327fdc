package story

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Store keeps stories. Turn answers with what a job is to make, the other being
// nil; the Save methods write it and the end of the job in one transaction.
type Store interface {
	Turn(ctx context.Context, id uuid.UUID) (*domain.Question, *domain.Refinement, error)
	Story(ctx context.Context, userID, id uuid.UUID) (domain.Story, error)
	All(ctx context.Context, userID, storyID uuid.UUID) (domain.Story, []domain.Memory, error)
	Memory(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Memory, error)
	Questions(ctx context.Context, userID, storyID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Question, error)
	SaveQuestion(ctx context.Context, lease domain.Lease, q domain.Question) error
	SaveRefinement(ctx context.Context, lease domain.Lease, r domain.Refinement) error
}

// Providers finds language models by name; "" asks for the default. Resolve tells
// who answers for a provider and a model, either of which may be empty, while
// nothing is down.
type Providers interface {
	Provider(name string) (llm.Provider, error)
	Resolve(ctx context.Context, provider, model string) (string, string, error)
}

// Offline is the provider that stands for working without a model.
const Offline = "offline"

// Worker does the story stage.
type Worker struct {
	store     Store
	providers Providers
	options   Options
}

// Options of a Worker.
type Options struct {
	// ContextTokens is the window of the models; 0 means 8192.
	ContextTokens int
	// Now is the time; nil for the clock's.
	Now func() time.Time
	Log *slog.Logger
}

// NewWorker joins the stage's parts.
func NewWorker(store Store, providers Providers, options Options) *Worker {
	options.ContextTokens = cmp.Or(options.ContextTokens, 8192)
	if options.Now == nil {
		options.Now = func() time.Time { return time.Now().UTC() }
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{store: store, providers: providers, options: options}
}

// Work makes the question or the refinement that the task's job names.
func (w *Worker) Work(ctx context.Context, task domain.Task) error {
	ctx = llm.WithCaller(ctx, llm.Caller{
		UserID: task.Job.UserID, ProjectID: task.Job.ProjectID, JobID: &task.Job.ID, Purpose: "story",
	})
	question, refinement, err := w.store.Turn(ctx, task.Job.ResourceID)
	switch {
	case err != nil:
		return err
	case question != nil:
		return w.ask(ctx, task.Lease, *question)
	}
	return w.refine(ctx, task, *refinement)
}

// choose finds the provider to ask and tells who answers for it, while nothing is
// down. It is asked for no more than the job names, so that another may answer.
func (w *Worker) choose(ctx context.Context, name, model string) (provider llm.Provider, who string, err error) {
	if provider, err = w.providers.Provider(name); err != nil {
		return nil, "", err
	}
	who, _, err = w.providers.Resolve(ctx, name, model)
	return provider, who, err
}

// told is a story as far as it was told.
type told struct {
	story    domain.Story
	memories []domain.Memory
	asked    []domain.Question // ready ones, newest first
}

// remembered is how many questions are looked at to not repeat one.
const remembered = 500

func (w *Worker) told(ctx context.Context, q domain.Question) (told, error) {
	s, memories, err := w.store.All(ctx, q.UserID, q.StoryID)
	if err != nil {
		return told{}, err
	}
	t := told{story: s, memories: memories}
	asked, err := w.store.Questions(ctx, q.UserID, q.StoryID, nil, remembered)
	for _, earlier := range asked {
		if earlier.ID != q.ID && earlier.State == domain.TurnReady {
			t.asked = append(t.asked, earlier)
		}
	}
	return t, err
}

func (w *Worker) ask(ctx context.Context, lease domain.Lease, q domain.Question) error {
	told, err := w.told(ctx, q)
	if err != nil {
		return err
	}
	provider, who, err := w.choose(ctx, q.Provider, q.Model)
	if err != nil {
		return err
	}
	topics := Topics(told.story, told.memories, NewTimeline(told.story, told.memories, w.options.Now()), told.asked)
	topic := topics[0]
	if who != Offline {
		text, answered, err := w.phrase(ctx, provider, q.Model, topic, told)
		if err != nil && !bad(err) {
			return err
		}
		if fault := QuestionFault(text, told.story.Language, told.asked); err == nil && fault == "" {
			q.Text, q.AskedBy, q.Model = text, domain.ByModel, answered
		} else {
			w.options.Log.InfoContext(ctx, "model's question not asked", "question_id", q.ID, "fault", fault, "code", domain.CodeOf(err))
		}
	}
	if q.Text == "" {
		topic = fresh(topics, told)
		q.Text, q.AskedBy = topic.Template(told.story.Language), domain.ByOffline
	}
	q.Topic, q.Subject, q.Reason = topic.Kind, topic.Subject, topic.Reason(told.story.Language)
	return w.store.SaveQuestion(ctx, lease, q)
}

// bad reports whether a model answered, but of no use.
func bad(err error) bool {
	switch domain.CodeOf(err) {
	case domain.CodeModelMalformed, domain.CodeModelRefused, domain.CodeContextTooLong:
		return true
	}
	return false
}

// fresh is the first topic whose template was not asked in nearly these words;
// the first of all when each was.
func fresh(topics []Topic, told told) Topic {
	for _, t := range topics {
		if fault := QuestionFault(t.Template(told.story.Language), wording(told.story.Language), told.asked); fault == "" {
			return t
		}
	}
	return topics[0]
}
