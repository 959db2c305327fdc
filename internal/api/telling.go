package api

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/story"
)

// Timeline is a story in the order of the life.
type Timeline struct {
	Phases  []TimelinePhase `json:"phases" doc:"Ages when the date of birth is known, else decades; in order"`
	Gaps    []TimelineGap   `json:"gaps" doc:"Runs of three years and more that no memory speaks of, in order"`
	Undated []Memory        `json:"undated" doc:"Memories whose time is unknown, as they were told. Memories come without their versions"`
}

// TimelinePhase is a part of a life with what was told of it.
type TimelinePhase struct {
	Key      string   `json:"key" doc:"before_birth, childhood, youth, young_adult, middle, mature, old; or a decade" example:"childhood"`
	Title    string   `json:"title" doc:"In the story's language" example:"Childhood"`
	From     *string  `json:"from" format:"date" nullable:"true" doc:"Null before birth" example:"1938-05-17"`
	To       string   `json:"to" format:"date" example:"1950-05-16"`
	Memories []Memory `json:"memories" doc:"In order, without their versions; none where nothing was told"`
}

// TimelineGap is a run of whole years without a memory.
type TimelineGap struct {
	FromYear int        `json:"from_year" doc:"The first year in the gap" example:"1951"`
	ToYear   int        `json:"to_year" doc:"The last year in the gap" example:"1955"`
	After    *uuid.UUID `json:"after" format:"uuid" nullable:"true" doc:"The memory before the gap; null at the begin of the life" example:"0198c5b1-0000-7000-8000-000000000011"`
	Before   *uuid.UUID `json:"before" format:"uuid" nullable:"true" doc:"The memory after the gap; null when it lasts until today" example:"0198c5b1-0000-7000-8000-000000000017"`
}

// FoundMemory is a memory that a search found.
type FoundMemory struct {
	Memory  Memory  `json:"memory" doc:"Without its versions"`
	Score   float64 `json:"score" doc:"For ordering; higher is better" example:"0.6"`
	Snippet string  `json:"snippet" doc:"The part of the text that fits best" example:"My mother had sewn me a blue dress."`
}

// MemoriesFound are the results of a search, best first.
type MemoriesFound struct {
	Results []FoundMemory `json:"results"`
}

type timelineOutput struct {
	Body Timeline
}

type searchMemoriesInput struct {
	StoryPath
	Query string `query:"query" required:"true" minLength:"1" maxLength:"500" doc:"Words, \"phrases\", OR, -without" example:"blue dress"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20" example:"20"`
}

type memoriesFoundOutput struct {
	Body MemoriesFound
}

type bookInput struct {
	StoryPath
	Format string `query:"format" enum:"pdf,text" default:"pdf" doc:"text is Markdown" example:"pdf"`
}

const bookTimeout = 5 * time.Minute

func (s *server) tellingOperations() {
	missing := []domain.Code{domain.CodeNotFound}
	register(s, endpoint{
		id: "get-timeline", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/timeline", tag: storiesTag, summary: "Get a story in the order of the life",
		description: "And where nothing was told yet.", codes: missing,
	}, s.timeline)
	register(s, endpoint{
		id: "search-memories", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/search", tag: storiesTag, summary: "Search in a story",
		description: "Words in any inflection in titles, texts and names, and beginnings of titles and names.", codes: missing,
	}, s.searchMemories)
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	register(s, endpoint{
		id: "get-book", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/book", tag: storiesTag, summary: "Get a story as a book",
		codes:       []domain.Code{domain.CodeNotFound, domain.CodeTooLarge},
		description: "The current version of every memory, in chapters by age or decade, with its photos. A5, to be printed on both sides, and at most 3,000,000 characters; longer ones come as text.",
		timeout:     bookTimeout,
		responses: map[string]*huma.Response{"200": {
			Description: "The book",
			Content: map[string]*huma.MediaType{
				"application/pdf": {Schema: binary}, "text/markdown": {Schema: &huma.Schema{Type: huma.TypeString}},
			},
		}},
	}, s.book)
}

func (s *server) timeline(ctx context.Context, in *StoryPath) (*timelineOutput, error) {
	told, memories, err := s.Stories.All(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return nil, err
	}
	return &timelineOutput{Body: toTimeline(told, story.NewTimeline(told, memories, time.Now().UTC()))}, nil
}

func toTimeline(told domain.Story, t story.Timeline) Timeline {
	show := func(memories []domain.Memory) []Memory {
		shown := make([]Memory, len(memories))
		for i, m := range memories {
			shown[i] = toListedMemory(m, told.Language)
		}
		return shown
	}
	out := Timeline{Phases: []TimelinePhase{}, Gaps: []TimelineGap{}, Undated: show(t.Undated)}
	for _, p := range t.Phases {
		phase := TimelinePhase{Key: p.Key, Title: p.Title, To: p.To.Format(time.DateOnly), Memories: show(p.Memories)}
		if !p.From.IsZero() {
			phase.From = new(p.From.Format(time.DateOnly))
		}
		out.Phases = append(out.Phases, phase)
	}
	for _, g := range t.Gaps {
		gap := TimelineGap{FromYear: g.From, ToYear: g.To}
		if g.After != nil {
			gap.After = &g.After.ID
		}
		if g.Before != nil {
			gap.Before = &g.Before.ID
		}
		out.Gaps = append(out.Gaps, gap)
	}
	return out
}

func (s *server) searchMemories(ctx context.Context, in *searchMemoriesInput) (*memoriesFoundOutput, error) {
	parent, err := s.Stories.Story(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return nil, err
	}
	rows, err := s.Stories.SearchMemories(ctx, userID(ctx), in.StoryID, in.Query, in.Limit)
	found := MemoriesFound{Results: []FoundMemory{}}
	for _, r := range rows {
		found.Results = append(found.Results, FoundMemory{Memory: toListedMemory(r.Memory, parent.Language), Score: r.Score, Snippet: r.Snippet})
	}
	return &memoriesFoundOutput{Body: found}, err
}

// book writes the whole book before the first byte is sent, so that what fails
// is told.
func (s *server) book(ctx context.Context, in *bookInput) (*huma.StreamResponse, error) {
	told, memories, err := s.Stories.All(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return nil, err
	}
	book := story.NewBook(told, memories, time.Now().UTC())
	data, kind, name := []byte(book.Markdown()), "text/markdown; charset=utf-8", told.Title+".md"
	if in.Format == "pdf" {
		leave, err := s.heavy.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		load := func(id uuid.UUID) ([]byte, error) {
			return s.Stories.PhotoBytes(ctx, told.UserID, id, domain.PhotoFull)
		}
		if data, err = book.PDF(ctx, load); err != nil {
			return nil, err
		}
		kind, name = "application/pdf", told.Title+".pdf"
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", kind)
		hc.SetHeader("Content-Length", strconv.Itoa(len(data)))
		hc.SetHeader("Cache-Control", "private, no-cache")
		hc.SetHeader("Content-Security-Policy", "default-src 'none'; sandbox")
		if disposition := mime.FormatMediaType("inline", map[string]string{"filename": name}); disposition != "" {
			hc.SetHeader("Content-Disposition", disposition)
		}
		hc.SetStatus(http.StatusOK)
		_, _ = hc.BodyWriter().Write(data) // a client that is gone needs no answer
	}}, nil
}
