package extraction

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"generalbackend/internal/domain"
)

// received is all that a child sent.
type received struct {
	pages   []domain.Page
	summary summary
}

// receive reads frames up to the last one. What a child sends is as little
// trusted as the document it read: pages must come in order, as many as were
// announced, and all of it within the limits.
func receive(r io.Reader, limits Limits, progress func(done, total int)) (received, error) {
	var got received
	total := -1
	room := 2*int64(limits.MaxText) + 16<<20
	for {
		kind, body, err := readFrame(r, room)
		if errors.Is(err, errFrameTooLong) {
			return got, errorFor(domain.CodeDocumentTooComplex).WithCause(err)
		}
		if err != nil {
			return got, errSilent
		}
		room -= int64(len(body))
		switch kind {
		case frameTotal:
			if err := json.Unmarshal(body, &total); err != nil || total > limits.MaxPages {
				return got, errorFor(domain.CodeDocumentTooComplex)
			}
		case framePage:
			if err := got.add(body, total); err != nil {
				return got, err
			}
			progress(len(got.pages), total)
		case frameDone:
			if err := json.Unmarshal(body, &got.summary); err != nil || len(got.pages) != total {
				return got, errSilent
			}
			return got, nil
		case frameError:
			var f failure
			if err := json.Unmarshal(body, &f); err != nil {
				return got, errSilent
			}
			got.summary.Memory = f.Memory
			return got, errorFor(f.Code).WithCause(errors.New(f.Detail))
		default:
			return got, errSilent
		}
	}
}

func (got *received) add(body []byte, total int) error {
	var p domain.Page
	if err := json.Unmarshal(body, &p); err != nil {
		return errSilent
	}
	if len(got.pages) >= total || p.Number != len(got.pages)+1 {
		return errSilent
	}
	p.Text = storable(p.Text)
	got.pages = append(got.pages, p)
	return nil
}

// conclude turns what a child sent into the document's state.
func conclude(got received) (domain.Extraction, error) {
	s := got.summary
	x := domain.Extraction{
		Type:      s.Type,
		Title:     line(s.Title),
		Language:  language(got.pages, s.Language),
		Pages:     got.pages,
		PageCount: len(got.pages),
		State:     domain.DocumentReady,
		Metadata:  map[string]string{},
	}
	for key, value := range s.Metadata {
		if value = line(value); value != "" {
			x.Metadata[storable(key)] = value
		}
	}
	for _, h := range s.Outline {
		h.Title = line(h.Title)
		x.Outline = append(x.Outline, h)
	}
	if !slices.ContainsFunc(got.pages, func(p domain.Page) bool { return p.Quality.Readable }) {
		return domain.Extraction{}, noText(s.Type, got.pages)
	}
	x.Warnings = warnings(s.Type, got.pages)
	if s.Damaged && len(x.Warnings) == 0 {
		x.Warnings = append(x.Warnings, "The file is damaged; text near its end may be missing.")
	}
	if len(x.Warnings) > 0 {
		x.State = domain.DocumentPartial
	}
	return x, nil
}

// line makes a short text fit for one line of a record.
func line(s string) string {
	const longest = 1000
	s = strings.Join(strings.Fields(clean(storable(s))), " ")
	if runes := []rune(s); len(runes) > longest {
		s = string(runes[:longest])
	}
	return s
}

// warnings names the pages whose text is not there or not all there.
func warnings(t domain.DocumentType, pages []domain.Page) []string {
	garbled := "%s: the text is garbled."
	if hasFonts(t) {
		garbled = "%s: the text is garbled; its fonts do not say which characters they show."
	}
	sentences := []struct{ reason, text string }{
		{reasonNoText, "%s: no text, only images or drawings (a scan?)."},
		{reasonGarbled, garbled},
		{reasonTruncated, "%s: damaged; part of the text may be missing."},
		{reasonFailed, "%s: could not be read."},
	}
	var out []string
	for _, s := range sentences {
		var numbers []int
		for _, p := range pages {
			if p.Quality.Reason == s.reason {
				numbers = append(numbers, p.Number)
			}
		}
		if len(numbers) > 0 {
			out = append(out, fmt.Sprintf(s.text, ranges(numbers)))
		}
	}
	return out
}

// ranges writes ascending page numbers as "Pages 1, 4–6".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d–%d", numbers[i], numbers[j]))
		} else {
			parts = append(parts, fmt.Sprint(numbers[i]))
		}
		i = j + 1
	}
	if len(numbers) == 1 {
		return "Page " + parts[0]
	}
	return "Pages " + strings.Join(parts, ", ")
}
