package matching

import (
	"context"
	"slices"
	"time"

	"generalbackend/internal/domain"
)

// judge reads postings, gives verdicts and writes the texts of a candidate.
type judge interface {
	readPosting(ctx context.Context, text, language string) (domain.Posting, error)
	// verdicts answers one verdict per requirement, in order; done is called
	// with how many more are settled.
	verdicts(ctx context.Context, posting domain.Posting, sources []*Source, language string, done func(int)) ([]domain.Verdict, error)
	describe(ctx context.Context, c *domain.Candidate, posting domain.Posting, language string) error
	// answered says who answered since it was last asked.
	answered() []domain.Judged
}

// rulesJudge is the judge without a model.
type rulesJudge struct {
	rules *Rules
	now   time.Time
}

func (rulesJudge) answered() []domain.Judged {
	return []domain.Judged{{Provider: Offline, Model: Offline}}
}

func (j rulesJudge) readPosting(_ context.Context, text, language string) (domain.Posting, error) {
	return j.rules.ReadPosting(text, language), nil
}

func (j rulesJudge) verdicts(ctx context.Context, posting domain.Posting, sources []*Source, language string, done func(int)) ([]domain.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := j.rules.Prepare(posting).Judge(j.rules.ReadApplicant(sources, j.now), language)
	done(len(out))
	return out, nil
}

func (j rulesJudge) describe(_ context.Context, c *domain.Candidate, posting domain.Posting, language string) error {
	Describe(c, posting, language)
	return nil
}

// union keeps the first of each, in order.
func union(lists ...[]domain.Judged) []domain.Judged {
	out := []domain.Judged{}
	for _, j := range slices.Concat(lists...) {
		if !slices.Contains(out, j) {
			out = append(out, j)
		}
	}
	return out
}
