package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"generalbackend/internal/llm/llmtest"
	"github.com/google/uuid"
)

type chatOptions struct {
	users   int
	answers int
	cancels int
}

func chatScenario(flags *flag.FlagSet) scenario {
	var o chatOptions
	flags.IntVar(&o.users, "chat-users", 4, "users who ask at once")
	flags.IntVar(&o.answers, "chat-answers", 200, "answers whose first token is timed, in each round")
	flags.IntVar(&o.cancels, "chat-cancels", 20, "answers that are cancelled, in each round")
	return scenario{"chat", func(ctx context.Context, b *bench) error { return runChat(ctx, b, o) }}
}

// runChat times the way of a token from the model's server to the client, and
// the way of a cancel back, through all processes as they are deployed.
func runChat(ctx context.Context, b *bench, o chatOptions) (err error) {
	settings, stop, err := startStores(ctx, b, "chat")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	t := newTalk()
	defer t.model.Close()
	settings = append(settings,
		"OLLAMA_BASE_URL="+t.model.URL, "LLM_MODEL="+llmtest.ChatModel, "EMBEDDING_PROVIDER=offline", "CHAT_SLOTS=8",
	)
	for _, name := range []string{"api", "extract-worker", "embed-worker", "match-worker"} {
		p, startErr := startProcess(ctx, b, name, settings...)
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, p.stop()) }()
		if name == "api" {
			t.url = p.url
		}
	}
	b.report.set("api and workers as processes of their own, NATS with the bench; %d users at once, %d answers of 20 words, 5 ms between words; %d cancels, one after the other", o.users, o.answers, o.cancels)
	for range b.rounds {
		if err := t.round(ctx, b, o); err != nil {
			return err
		}
	}
	return nil
}

// talk knows when the model's server answered and when it saw a client go.
type talk struct {
	model *llmtest.Server
	url   string

	mu   sync.Mutex
	sent map[int]time.Time // by the number in the question
	next int
	gone chan time.Time
}

var asked = regexp.MustCompile(`question number (\d+)`)

func newTalk() *talk {
	t := &talk{model: llmtest.NewServer(), sent: map[int]time.Time{}, gone: make(chan time.Time, 1)}
	t.model.OnChat(func(in llmtest.ChatRequest) string {
		if found := asked.FindStringSubmatch(in.Messages[len(in.Messages)-1].Content); found != nil {
			number, _ := strconv.Atoi(found[1])
			t.mu.Lock()
			defer t.mu.Unlock()
			t.sent[number] = time.Now()
		}
		return strings.Repeat("word ", 19) + "[1]."
	})
	return t
}

func (t *talk) round(ctx context.Context, b *bench, o chatOptions) error {
	t.model.OnWord(func(ctx context.Context, word int) {
		if word > 0 {
			pause(ctx, 5*time.Millisecond)
		}
	})
	var mu sync.Mutex
	var delays []float64
	err := parallel(ctx, o.users, o.users, func(ctx context.Context, _ int) error {
		s, err := t.seat(ctx)
		if err != nil {
			return err
		}
		for range o.answers / o.users {
			delay, err := s.firstToken(ctx)
			if err != nil {
				return err
			}
			mu.Lock()
			delays = append(delays, delay)
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return err
	}
	spread(b, "first token at the client after the provider sent it", delays)

	t.model.OnWord(func(ctx context.Context, word int) {
		if word == 2 {
			<-ctx.Done()
			t.gone <- time.Now()
		}
	})
	s, err := t.seat(ctx)
	if err != nil {
		return err
	}
	var stops []float64
	for range o.cancels {
		delay, err := s.cancel(ctx)
		if err != nil {
			return err
		}
		stops = append(stops, delay)
	}
	spread(b, "provider sees the cancel", stops)
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// spread adds the median, the 95th percentile and the largest of some values.
func spread(b *bench, subject string, values []float64) {
	slices.Sort(values)
	at := func(share float64) float64 { return values[min(len(values)-1, int(share*float64(len(values))))] }
	b.report.add(subject, "p50 ms", at(0.5))
	b.report.add(subject, "p95 ms", at(0.95))
	b.report.add(subject, "max ms", values[len(values)-1])
}

// seat is a user with a project that has a document.
type seat struct {
	*client
	talk    *talk
	project uuid.UUID
}

func (t *talk) seat(ctx context.Context) (*seat, error) {
	user, err := register(ctx, t.url)
	if err != nil {
		return nil, err
	}
	var project struct {
		ID uuid.UUID `json:"id"`
	}
	if err := user.post(ctx, "/v1/projects", "application/json", strings.NewReader(`{"name": "talk"}`), &project); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`{"content": "A question has a number and a word for an answer.", "project_id": %q}`, project.ID)
	var document struct{ State string }
	// At the root a submit waits for its result.
	if err := user.post(ctx, "/documents/text", "application/json", strings.NewReader(text), &document); err != nil {
		return nil, err
	}
	return &seat{client: user, talk: t, project: project.ID}, nil
}

// firstToken asks and returns how many milliseconds the first token took from
// the model's server to here; it reads the answer to its end.
func (s *seat) firstToken(ctx context.Context) (float64, error) {
	var delay float64
	err := s.ask(ctx, func(event string, number int, _ uuid.UUID) error {
		if event == "token" && delay == 0 {
			now := time.Now()
			s.talk.mu.Lock()
			defer s.talk.mu.Unlock()
			delay = milliseconds(now.Sub(s.talk.sent[number]))
		}
		if event == "failed" {
			return errors.New("an answer failed")
		}
		return nil
	})
	return delay, err
}

// cancel asks, stops the answer at its first token, and returns how many
// milliseconds later the model's server knew.
func (s *seat) cancel(ctx context.Context) (float64, error) {
	var started time.Time
	err := s.ask(ctx, func(event string, _ int, job uuid.UUID) error {
		if event != "token" || !started.IsZero() {
			return nil
		}
		started = time.Now()
		var cancelled struct{ State string }
		return s.post(ctx, "/v1/jobs/"+job.String()+"/cancel", "application/json", nil, &cancelled)
	})
	if err != nil {
		return 0, err
	}
	select {
	case gone := <-s.talk.gone:
		return milliseconds(gone.Sub(started)), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ask reads the stream of an answer and calls on with every event.
func (s *seat) ask(ctx context.Context, on func(event string, number int, job uuid.UUID) error) error {
	s.talk.mu.Lock()
	s.talk.next++
	number := s.talk.next
	s.talk.mu.Unlock()
	body := fmt.Sprintf(`{"message": "Which word does question number %d have for an answer?"}`, number)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/chat/"+s.project.String(), bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("POST /v1/chat: %s", resp.Status)
	}
	var job uuid.UUID
	event := ""
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			event = value
		case "data":
			if event == "accepted" {
				var first accepted
				if err := json.Unmarshal([]byte(value), &first); err != nil {
					return err
				}
				job = first.Job.ID
			}
			if err := on(event, number, job); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
