package matching

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// reader chooses what of an applicant's documents the model sees: all of it
// where it fits, else the passages that retrieval and the rules find for the
// requirements at hand.
type reader struct {
	judge     *modelJudge
	sources   []*Source
	posting   domain.Posting
	limit     int
	whole     string
	applicant *Applicant
}

func (j *modelJudge) newReader(sources []*Source, posting domain.Posting) *reader {
	r := &reader{judge: j, sources: sources, posting: posting, limit: textBudget(j.context)}
	var texts []string
	for _, s := range sources {
		texts = append(texts, strings.TrimSpace(s.Visible()))
	}
	r.whole = strings.Join(texts, domain.PageSeparator)
	return r
}

// excerpt is a span of a source.
type excerpt struct{ source, from, to int }

// text is what the model reads to judge the batch.
func (r *reader) text(ctx context.Context, batch []domain.Requirement) (string, error) {
	limit := r.limit - utf8.RuneCountInString(listRequirements(batch))
	if utf8.RuneCountInString(r.whole) <= limit {
		return r.whole, nil
	}
	lists := make([][]excerpt, len(batch))
	for i, req := range batch {
		found, err := r.passages(ctx, req)
		if err != nil {
			return "", err
		}
		lists[i] = found
	}
	return r.render(r.fit(lists, limit)), nil
}

// passages finds where a requirement may be answered, best first.
func (r *reader) passages(ctx context.Context, req domain.Requirement) ([]excerpt, error) {
	var out []excerpt
	if r.judge.retriever != nil {
		var ids []uuid.UUID
		for _, s := range r.sources {
			ids = append(ids, s.ID)
		}
		found, err := r.judge.retriever.Passages(ctx, r.judge.userID, ids, req.Text, passagesPerItem)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if e, ok := r.locate(p); ok {
				out = append(out, e)
			}
		}
	}
	return append(out, r.inMemory(req)...), nil
}

// locate turns a passage into an excerpt; one that does not lie in the sources
// is dropped.
func (r *reader) locate(p domain.Passage) (excerpt, bool) {
	i := slices.IndexFunc(r.sources, func(s *Source) bool { return s.ID == p.DocumentID })
	if i < 0 || p.CharFrom < 0 || p.CharFrom >= p.CharTo || p.CharTo > len(r.sources[i].text) {
		return excerpt{}, false
	}
	return excerpt{i, p.CharFrom, p.CharTo}, true
}

// inMemory finds segments by the rules, with what stands around them.
func (r *reader) inMemory(req domain.Requirement) []excerpt {
	if r.applicant == nil {
		r.applicant = r.judge.rules.ReadApplicant(r.sources, time.Time{})
	}
	const around = 200
	d := r.judge.rules.demand(req.Text, r.posting.Language)
	var out []excerpt
	for _, at := range append(r.applicant.cover(d).segments, r.applicant.inFields(d.fields)...) {
		if len(out) == passagesPerItem {
			break
		}
		s := r.applicant.segments[at]
		out = append(out, excerpt{slices.Index(r.sources, s.source), max(0, s.from-around), min(len(s.source.text), s.to+around)})
	}
	return out
}

// fit takes from the lists in turn while there is room, so that every
// requirement keeps its best passages; what overlaps is joined.
func (r *reader) fit(lists [][]excerpt, limit int) []excerpt {
	var taken []excerpt
	for round := 0; ; round++ {
		any := false
		for _, list := range lists {
			if round >= len(list) {
				continue
			}
			any = true
			if joined := join(append(slices.Clone(taken), list[round])); size(joined) <= limit {
				taken = joined
			}
		}
		if !any {
			return taken
		}
	}
}

func join(excerpts []excerpt) []excerpt {
	slices.SortFunc(excerpts, func(a, b excerpt) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.from, b.from))
	})
	var out []excerpt
	for _, e := range excerpts {
		if n := len(out); n > 0 && out[n-1].source == e.source && e.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, e.to)
			continue
		}
		out = append(out, e)
	}
	return out
}

const excerptBreak = "\n[...]\n"

func size(excerpts []excerpt) int {
	n := 0
	for _, e := range excerpts {
		n += e.to - e.from + len(excerptBreak)
	}
	return n
}

func (r *reader) render(excerpts []excerpt) string {
	var parts []string
	for _, e := range excerpts {
		parts = append(parts, strings.TrimSpace(r.sources[e.source].visible(e.from, e.to)))
	}
	return strings.Join(parts, excerptBreak)
}
