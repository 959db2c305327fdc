// Package chunking cuts a document's text into passages that fit an embedding
// model: at paragraphs where it can, at sentences where it must, inside a
// sentence only where that alone is too long.
package chunking

import (
	"strings"

	"generalbackend/internal/domain"
)

// Options bound the passages. Tokens are estimated, see Tokens.
type Options struct {
	Tokens   int    // most tokens of a passage
	Overlap  int    // most tokens repeated from the passage before
	Language string // of the document, ISO 639-1 or ""
}

// Text is a document's whole text, to which a passage's offsets refer.
func Text(pages []domain.Page) string {
	texts := make([]string, len(pages))
	for i, p := range pages {
		texts[i] = p.Text
	}
	return strings.Join(texts, domain.PageSeparator)
}

// Split cuts the pages into passages, in order. Every character that is not
// white space is in at least one passage; no passage is empty or begins or ends
// with white space.
func Split(pages []domain.Page, o Options) []domain.Chunk {
	o.Tokens = max(o.Tokens, 1)
	text := Text(pages)
	locate := newLocator(text, pages)
	var chunks []domain.Chunk
	for _, s := range pack(units(text, o.Tokens), o) {
		c := locate.chunk(s)
		c.Ordinal, c.Language = len(chunks), o.Language
		chunks = append(chunks, c)
	}
	return chunks
}

// pack fills passages with whole units. A passage that is at least half full
// ends before a paragraph that would not fit whole.
func pack(units []unit, o Options) []span {
	limit := o.Tokens * weightOfToken
	var out []span
	for first := 0; first < len(units); {
		last := fill(units, first, limit)
		out = append(out, span{units[first].from, units[last-1].to})
		if last == len(units) {
			break
		}
		first = overlap(units, first, last, o.Overlap*weightOfToken, limit)
	}
	return out
}

// fill returns the end of the passage that starts at unit first.
func fill(units []unit, first, limit int) int {
	weight, last := units[first].weight, first+1
	for last < len(units) && weight+units[last].weight <= limit {
		if units[last].startsParagraph && weight >= limit/2 && weight+paragraph(units[last:]) > limit {
			break
		}
		weight += units[last].weight
		last++
	}
	return keepHeading(units, first, last)
}

// paragraph weighs the paragraph that units begin with.
func paragraph(units []unit) int {
	weight := units[0].weight
	for _, u := range units[1:] {
		if u.startsParagraph {
			break
		}
		weight += u.weight
	}
	return weight
}

// keepHeading leaves a heading at the end of a passage to the next one, which
// it belongs to.
func keepHeading(units []unit, first, last int) int {
	end := last
	for end > first+1 && end < len(units) && units[end-1].heading {
		end--
	}
	if end > first+1 || !units[first].heading {
		return end
	}
	return last
}

// overlap returns where the passage after the one of units first to last
// starts: some units back, if they fill less than half and the next unit fits.
// A heading opens a passage by itself. It always advances.
func overlap(units []unit, first, last, most, limit int) int {
	if units[last].heading {
		return last
	}
	most = min(most, limit/2-1)
	start, weight := last, 0
	for start > first+1 {
		weight += units[start-1].weight
		if weight > most || weight+units[last].weight > limit {
			break
		}
		start--
	}
	return start
}
