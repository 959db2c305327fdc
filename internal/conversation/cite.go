package conversation

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"generalbackend/internal/chunking"
	"generalbackend/internal/domain"
)

// cite looks up what the numbers of an answer stand for: one citation for each
// passage that is named, quoting the sentence that carries the best supported
// of the claims made with it.
func (r *run) cite(ctx context.Context, text string) ([]domain.Citation, error) {
	var cited []domain.Citation
	best := map[int]float64{}
	places := map[int]int{} // number to index in cited
	for _, c := range claims(text) {
		if c.number > len(r.passages) {
			continue
		}
		p := r.passages[c.number-1]
		from, to, support := bestSentence(p.Content, c.text)
		place, known := places[c.number]
		if !known {
			place, places[c.number] = len(cited), len(cited)
			cited = append(cited, domain.Citation{})
		}
		weak := support < enoughSupport || !hasNumbers(p.Content, c.text)
		if known && support <= best[c.number] {
			if weak {
				cited[place].Support = domain.SupportWeak
			}
			continue
		}
		wasWeak := known && cited[place].Support == domain.SupportWeak
		best[c.number] = support
		var err error
		if cited[place], err = r.citation(ctx, c.number, p, from, to); err != nil {
			return nil, err
		}
		if weak || wasWeak {
			cited[place].Support = domain.SupportWeak
		}
	}
	return cited, nil
}

// citation places a sentence of a passage, in bytes, in its document and checks
// that it stands there.
func (r *run) citation(ctx context.Context, number int, p domain.Passage, from, to int) (domain.Citation, error) {
	quote := p.Content[from:to]
	c := domain.Citation{
		Number: number, DocumentID: p.DocumentID, Filename: p.Filename, Title: p.Title, Page: p.PageFrom,
		CharFrom: p.CharFrom + utf8.RuneCountInString(p.Content[:from]), Quote: quote, Support: domain.SupportStrong,
	}
	c.CharTo = c.CharFrom + utf8.RuneCountInString(quote)
	words, page, err := r.store.WordsAt(ctx, r.answer.UserID, p.DocumentID, c.CharFrom, c.CharTo)
	if domain.CodeOf(err) == domain.CodeNotFound { // deleted since it was found
		c.Quote, c.Deleted = "", true
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if words == quote {
		c.Verified, c.Page = true, page
	}
	return c, nil
}

// claim is what an answer says with a number behind it.
type claim struct {
	number int
	text   string
}

// claims finds the numbers of an answer, each with the sentence before it.
func claims(text string) []claim {
	var out []claim
	for _, at := range citation.FindAllStringSubmatchIndex(text, -1) {
		number, err := strconv.Atoi(text[at[2]:at[3]])
		if err != nil || number < 1 {
			continue
		}
		out = append(out, claim{number, lastSentence(citation.ReplaceAllString(text[:at[0]], ""))})
	}
	return out
}

func lastSentence(text string) string {
	last := ""
	for s := range chunking.Sentences(text) {
		if strings.TrimSpace(s) != "" {
			last = s
		}
	}
	return last
}

// enoughSupport is the share of a claim's telling words that its sentence must
// hold.
const enoughSupport = 0.5

// bestSentence returns the place, in bytes, of the sentence that holds most of a
// claim, and the share of the claim it holds.
func bestSentence(passage, claim string) (from, to int, support float64) {
	wanted := byLength(subject(claim))
	support = -1
	start := 0
	for s := range chunking.Sentences(passage) {
		begin, end := trimmed(passage, start, start+len(s))
		start += len(s)
		if begin == end {
			continue
		}
		if share := wanted.share(keysOf(passage[begin:end])); share > support {
			from, to, support = begin, end, share
		}
	}
	if support < 0 {
		return 0, len(passage), 0
	}
	return from, to, support
}

func trimmed(text string, from, to int) (int, int) {
	s := text[from:to]
	from += len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
	return from, max(from, to-(len(s)-len(strings.TrimRightFunc(s, unicode.IsSpace))))
}

// hasNumbers reports whether every number of a claim is in the passage.
func hasNumbers(passage, claim string) bool {
	there := keysOf(passage)
	for _, word := range words(claim) {
		if isNumber(word) && !there[word] {
			return false
		}
	}
	return true
}
