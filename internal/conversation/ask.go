package conversation

import (
	"context"
	"slices"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// ask lets the model answer from the passages, fewer of them where all are too
// many for it.
func (r *run) ask(ctx context.Context) error {
	window := r.window(ctx)
	for {
		messages, shown := r.prompt(window, r.passages)
		r.passages = r.passages[:shown]
		text, err := r.stream(ctx, messages)
		if domain.CodeOf(err) == domain.CodeContextTooLong && r.typing.text() == "" && (shown > 1 || len(r.history) > 0) {
			r.passages, r.history = r.passages[:max(shown/2, 1)], nil
			r.flag(domain.FlagShortHistory)
			continue
		}
		if err != nil {
			return err
		}
		return r.conclude(ctx, text)
	}
}

// conclude tells an answer from the model's word that there is none.
func (r *run) conclude(ctx context.Context, text string) error {
	r.answer.Metadata.Timings.FirstTokenMS = r.typing.firstAfter(r.started)
	text = strings.TrimSpace(text)
	if text == "" || strings.Contains(text, NoAnswer) {
		r.refuse()
		return nil
	}
	return r.finish(ctx, text)
}

// stream asks once and types what may be shown. The returned text is what was
// typed, or the model's word that there is no answer.
func (r *run) stream(ctx context.Context, messages []llm.Message) (string, error) {
	m := &r.answer.Metadata
	f := &filter{passages: len(r.passages)}
	resp, err := r.provider.Stream(ctx, llm.CompleteRequest{
		Model: r.asked, Messages: messages, MaxTokens: answerTokens, Temperature: m.Temperature,
	}, func(piece string) error {
		r.typing.write(f.write(piece))
		return ctx.Err()
	})
	if err != nil {
		r.typing.write(f.rest())
		return "", err
	}
	r.count(resp.Usage)
	m.Provider, m.Model = resp.Provider, resp.Model
	if f.refused() {
		return NoAnswer, nil
	}
	r.typing.write(f.rest())
	if f.removed {
		r.flag(domain.FlagUnknownCitation)
	}
	return r.typing.text(), nil
}

// window is how many tokens a model takes: what it says of itself, but no more
// than is configured.
func (r *run) window(ctx context.Context) int {
	limit := r.options.ContextTokens
	model, err := llm.Describe(ctx, r.provider, r.answer.Metadata.Model)
	if err != nil || model.ContextTokens <= 0 { // asking it will tell what is wrong
		return limit
	}
	return min(limit, model.ContextTokens)
}

func (r *run) count(u llm.Usage) {
	usage := &r.answer.Metadata.Usage
	usage.PromptTokens += u.PromptTokens
	usage.CompletionTokens += u.CompletionTokens
	usage.TotalTokens = usage.PromptTokens + usage.CompletionTokens
}

func (r *run) flag(f domain.ChatFlag) {
	if m := &r.answer.Metadata; !slices.Contains(m.Flags, f) {
		m.Flags = append(m.Flags, f)
	}
}
