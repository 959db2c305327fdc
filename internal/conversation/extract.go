package conversation

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"generalbackend/internal/chunking"
	"generalbackend/internal/domain"
)

// sentence is one of a passage that may answer.
type sentence struct {
	passage int // number
	text    string
	score   float64
}

// quote answers with the sentences of the passages that fit the question best,
// or says that none fits.
func (r *run) quote(ctx context.Context) error {
	wanted := weigh(r.question, r.passages)
	if wanted.best(r.passages) < answerable {
		r.refuse()
		return nil
	}
	lines := []string{wordingOf(r.answer.Metadata.Language).offline}
	for _, s := range wanted.sentences(r.passages) {
		lines = append(lines, fmt.Sprintf("%s [%d]", strings.Join(strings.Fields(s.text), " "), s.passage))
	}
	for i, line := range lines {
		if i > 0 {
			line = "\n\n" + line
		}
		r.typing.write(line)
	}
	r.answer.Metadata.Timings.FirstTokenMS = r.typing.firstAfter(r.started)
	return r.finish(ctx, strings.Join(lines, "\n\n"))
}

// answerable is the share of a question's weight that one passage must hold to
// answer it. TestCorpus measures what it lets through.
const answerable = 0.42

// mostSentences of an answer without a model.
const mostSentences = 3

// weighed is what a text is about: the keys of its words, each with what it tells.
type weighed []weight

type weight struct {
	key  string
	much float64
}

// byLength weighs keys by their letters: longer ones are rarer.
func byLength(keys []string) weighed {
	var w weighed
	for _, k := range keys {
		w = append(w, weight{k, float64(utf8.RuneCountInString(k))})
	}
	return w
}

// weigh weighs the words of a question by how rare each is among the passages
// found. A word that no passage holds is the rarest of all. Where few passages were found, others are supposed to hold
// none of the words.
func weigh(question string, passages []domain.Passage) weighed {
	var w weighed
	var sets []map[string]bool
	for _, p := range passages {
		sets = append(sets, keysOf(p.Title+" "+p.Content))
	}
	of := float64(max(len(sets), mostPassages))
	for _, k := range subject(question) {
		n := 0
		for _, set := range sets {
			if set[k] {
				n++
			}
		}
		w = append(w, weight{k, math.Log(1 + (of-float64(n)+0.5)/(float64(n)+0.5))})
	}
	return w
}

// share is how much of it a text with these keys holds, 0 to 1.
func (w weighed) share(there map[string]bool) float64 {
	var all, found float64
	for _, k := range w {
		all += k.much
		if there[k.key] {
			found += k.much
		}
	}
	if all == 0 {
		return 0
	}
	return found / all
}

// best is the largest share that one passage holds.
func (w weighed) best(passages []domain.Passage) float64 {
	best := 0.0
	for _, p := range passages {
		best = max(best, w.share(keysOf(p.Title+" "+p.Content)))
	}
	return best
}

// sentences returns those that hold most of the question, the best first. A
// sentence of a passage that fits as a whole is worth more.
func (w weighed) sentences(passages []domain.Passage) []sentence {
	var all []sentence
	for i, p := range passages {
		whole := w.share(keysOf(p.Title + " " + p.Content))
		for text := range chunking.Sentences(p.Content) {
			if strings.TrimSpace(text) == "" {
				continue
			}
			all = append(all, sentence{i + 1, text, w.share(keysOf(text)) + whole/2})
		}
	}
	slices.SortStableFunc(all, func(a, b sentence) int { return cmp.Compare(b.score, a.score) })
	var kept []sentence
	for _, s := range all {
		if len(kept) == mostSentences || len(kept) > 0 && s.score < kept[0].score/2 {
			break
		}
		if !slices.ContainsFunc(kept, func(k sentence) bool { return k.text == s.text }) {
			kept = append(kept, s)
		}
	}
	return kept
}
