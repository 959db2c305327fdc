package app

import (
	"context"
	"net/netip"
	"time"

	"generalbackend/internal/config"
	"generalbackend/internal/conversation"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/extraction"
	"generalbackend/internal/jobs"
	"generalbackend/internal/llm"
	"generalbackend/internal/matching"
	"generalbackend/internal/postgres"
	"generalbackend/internal/story"
)

// timing is the engine's timing as configured.
func (rt *Runtime) timing() jobs.Timing {
	t := jobs.DefaultTiming()
	t.Lease, t.Heartbeat = rt.Config.Jobs.Lease, rt.Config.Jobs.Heartbeat
	// Attempts get most of the shutdown; the rest is for settling them.
	t.Grace = rt.Config.ShutdownTimeout * 2 / 3
	return t
}

// Workers makes the parts that work stages. One is shared by all stages of a
// process.
type Workers struct {
	rt      *Runtime
	stores  *Stores
	metrics *jobs.Metrics
}

// NewWorkers registers the metrics of the process's stages.
func NewWorkers(rt *Runtime, s *Stores) *Workers {
	return &Workers{rt: rt, stores: s, metrics: jobs.NewMetrics(rt.Metrics)}
}

func (w *Workers) part(stage jobs.Stage) Part {
	stage.Worker = onBehalf{stage.Worker}
	r := jobs.NewRunner(stage, w.stores.Postgres, w.stores.Queue, w.rt.timing(), w.metrics, w.rt.Log)
	return Part{Name: string(stage.Name), Run: r.Run}
}

// onBehalf lets language models be asked on behalf of a job's user.
type onBehalf struct{ domain.Worker }

func (w onBehalf) Work(ctx context.Context, task domain.Task) error {
	job := task.Job
	return w.Worker.Work(llm.WithCaller(ctx, llm.Caller{
		UserID: job.UserID, ProjectID: job.ProjectID, JobID: &job.ID, Purpose: string(job.Stage),
	}), task)
}

// Limits are what reading a document may cost. Its size was judged where it was
// accepted, by the settings of that process.
func Limits(c config.Extraction) extraction.Limits {
	return extraction.Limits{
		MaxPages: c.MaxPages, MaxText: int(c.MaxTextMB << 20), MaxBytes: config.LargestUploadMB << 20,
		Memory: int64(c.MemoryMB) << 20, CPU: time.Duration(c.CPUSeconds) * time.Second,
	}
}

// Extract is the part that works the extract stage; stop ends its idle children.
func (w *Workers) Extract() (part Part, stop func()) {
	c := w.rt.Config
	sandbox := extraction.NewSandbox(Limits(c.Extraction), c.Jobs.ExtractSlots, w.rt.Log)
	fetch := extraction.FetchOptions{
		MaxBytes: c.Extraction.URLMaxMB << 20, MaxRedirects: c.Extraction.URLMaxRedirects, Timeout: c.Extraction.URLTimeout,
		IgnoreRobots: c.Extraction.URLIgnoreRobots,
	}
	if c.Extraction.URLAllowPrivate {
		fetch.AllowAddr = func(netip.Addr) bool { return true }
		fetch.AllowPort = func(uint16) bool { return true }
	}
	worker := extraction.NewWorker(postgres.Ingest{Store: w.stores.Postgres}, sandbox, extraction.NewFetcher(fetch), w.rt.Log)
	return w.part(jobs.Stage{
		Name: domain.StageExtract, Worker: worker, Slots: c.Jobs.ExtractSlots, Timeout: c.Jobs.ExtractTimeout,
	}), sandbox.Close
}

// Embed is the part that works the embed stage.
func (w *Workers) Embed(e *Embedder) Part {
	return w.part(jobs.Stage{
		Name: domain.StageEmbed, Worker: embedStage{w, e}, Paused: e.Down,
		Slots: w.rt.Config.Jobs.EmbedSlots, Timeout: w.rt.Config.Jobs.EmbedTimeout,
	})
}

// embedStage finds the space when the first job comes; until the model's server
// can tell its dimensions, jobs wait at no cost.
type embedStage struct {
	*Workers
	embedder *Embedder
}

func (s embedStage) Work(ctx context.Context, task domain.Task) error {
	batcher, err := s.embedder.Batcher(ctx)
	if err == nil {
		err = s.embedder.models.AdmitEmbedding(ctx, batcher.Space().Provider)
	}
	if err != nil {
		return err
	}
	worker := embedding.Worker{Store: postgres.Ingest{Store: s.stores.Postgres}, Batcher: batcher, Log: s.rt.Log}
	return worker.Work(ctx, task)
}

// Reembed is the part that works the reembed stage. There is one re-embedding at
// a time, and it takes as long as it takes: nobody waits for it, so that it waits
// for its provider.
func (w *Workers) Reembed(e *Embedder) Part {
	const slots, longest, maxWait = 1, 7 * 24 * time.Hour, 90 * 24 * time.Hour
	worker := &embedding.Reembedder{
		Store: postgres.Ingest{Store: w.stores.Postgres.System()}, Batchers: e.In, Admit: e.models.AdmitEmbedding, Log: w.rt.Log,
	}
	return w.part(jobs.Stage{Name: domain.StageReembed, Worker: worker, Slots: slots, Timeout: longest, MaxWait: maxWait})
}

// Match is the part that works the match stage.
func (w *Workers) Match(models *Models, search *Search) Part {
	worker := matching.NewWorker(postgres.Matching{Store: w.stores.Postgres}, search, models, matching.Options{
		ContextTokens: w.rt.Config.Models.LLMContextTokens, Log: w.rt.Log,
	})
	return w.part(jobs.Stage{
		Name: domain.StageMatch, Worker: worker, Slots: w.rt.Config.Jobs.MatchSlots, Timeout: w.rt.Config.Jobs.MatchTimeout,
	})
}

// Chat is the part that works the chat stage.
func (w *Workers) Chat(models *Models, search *Search) Part {
	worker := conversation.NewWorker(postgres.Conversation{Store: w.stores.Postgres}, search, models, w.stores.Queue, conversation.Options{
		ContextTokens: w.rt.Config.Models.LLMContextTokens, Log: w.rt.Log,
	})
	return w.part(jobs.Stage{
		Name: domain.StageChat, Worker: worker, Slots: w.rt.Config.Jobs.ChatSlots, Timeout: w.rt.Config.Jobs.ChatTimeout,
	})
}

// Story is the part that works the story stage.
func (w *Workers) Story(models *Models) Part {
	worker := story.NewWorker(postgres.Telling{Store: w.stores.Postgres}, models, story.Options{
		ContextTokens: w.rt.Config.Models.LLMContextTokens, Log: w.rt.Log,
	})
	return w.part(jobs.Stage{
		Name: domain.StageStory, Worker: worker, Slots: w.rt.Config.Jobs.StorySlots, Timeout: w.rt.Config.Jobs.StoryTimeout,
	})
}

// Dispatch is the part that moves due jobs to the workers.
func (rt *Runtime) Dispatch(s *Stores) Part {
	d := jobs.NewDispatcher(s.Postgres, s.Queue, rt.timing(), rt.Log)
	return Part{Name: "dispatcher", Run: d.Run}
}
