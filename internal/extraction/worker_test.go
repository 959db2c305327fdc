package extraction_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

// memory is a Store of one document.
type memory struct {
	doc      domain.Document
	original []byte
	lease    domain.Lease
	saved    *domain.Extraction
	saveErr  error
}

func (m *memory) Document(_ context.Context, id uuid.UUID) (domain.Document, error) {
	if id != m.doc.ID {
		return domain.Document{}, domain.Errorf(domain.CodeNotFound, "There is no such document.")
	}
	return m.doc, nil
}

func (m *memory) Original(ctx context.Context, _ uuid.UUID) (io.ReadCloser, error) {
	return extraction.Bytes(m.original)(ctx)
}

func (m *memory) SaveExtraction(_ context.Context, lease domain.Lease, id uuid.UUID, x domain.Extraction) error {
	if id != m.doc.ID || lease != m.lease {
		return domain.ErrLeaseLost
	}
	m.saved = &x
	return m.saveErr
}

const article = `<html lang="en"><head><title>The old mill</title></head><body><nav><a href="/">Home</a><a href="/about">About us</a></nav><article><h1>The old mill</h1>
<p>The mill by the river has stood empty for forty years, and yet its wheel still turns whenever the water is high enough to reach it.</p>
<p>Last week the town decided to restore it. The work will take two years, and the first visitors are expected in the spring of the third.</p>
<p>Until then the wheel will be taken apart, plank by plank, and put together again in the workshop of a carpenter who has done this before.</p>
</article><footer>Imprint and cookies</footer></body></html>`

func TestWorker(t *testing.T) {
	t.Parallel()
	base, fetcher := site(t, extraction.FetchOptions{}, map[string]http.HandlerFunc{
		"/mill": serve("text/html; charset=utf-8", article), "/cv.pdf": serve("application/pdf", string(pdf([]string{"Ada Example"}))),
	})
	tests := []struct {
		name     string
		doc      domain.Document
		original string
		title    string
		text     string
	}{
		{"file", domain.Document{Type: domain.TypePDF, Filename: "cv.pdf"}, string(pdf([]string{"Ada Example"})), "cv.pdf", "Ada Example"},
		{"text", domain.Document{Type: domain.TypeText, Title: "Note"}, "Remember the milk.", "Note", "Remember the milk."},
		{"page", domain.Document{Type: domain.TypeURL, URL: base + "/mill"}, "", "The old mill", "restore it"},
		{"file from the web", domain.Document{Type: domain.TypeURL, URL: base + "/cv.pdf"}, "", base + "/cv.pdf", "Ada Example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.doc.ID = uuid.New()
			store := &memory{doc: tt.doc, original: []byte(tt.original), lease: domain.Lease{JobID: uuid.New(), Fence: 3}}
			var last domain.Progress
			err := newWorker(t, store, fetcher).Work(t.Context(), domain.Task{
				Job: domain.Job{ResourceID: tt.doc.ID}, Lease: store.lease, Progress: func(p domain.Progress) { last = p },
			})
			if err != nil {
				t.Fatal(err)
			}
			x := store.saved
			if x.Type != tt.doc.Type || x.Title != tt.title || !strings.Contains(x.Pages[0].Text, tt.text) {
				t.Errorf("type %s, title %q, text %q", x.Type, x.Title, x.Pages[0].Text)
			}
			if diff := cmp.Diff(domain.Progress{Done: 1, Total: 1, Unit: "pages"}, last); diff != "" {
				t.Error(diff)
			}
			if fetched := tt.doc.Type == domain.TypeURL; fetched != (len(x.Original) > 0) || fetched != (x.FinalURL != "") {
				t.Errorf("kept %d bytes of %q", len(x.Original), x.FinalURL)
			}
		})
	}
}

func TestWorkerLeavesOutBoilerplate(t *testing.T) {
	t.Parallel()
	base, fetcher := site(t, extraction.FetchOptions{}, map[string]http.HandlerFunc{"/mill": serve("text/html", article)})
	store := &memory{doc: domain.Document{ID: uuid.New(), Type: domain.TypeURL, URL: base + "/mill"}}
	if err := newWorker(t, store, fetcher).Work(t.Context(), domain.Task{Job: domain.Job{ResourceID: store.doc.ID}}); err != nil {
		t.Fatal(err)
	}
	text := store.saved.Pages[0].Text
	if !strings.HasPrefix(text, "The old mill\n") || strings.Contains(text, "About us") || strings.Contains(text, "cookies") {
		t.Errorf("got %q", text)
	}
	if store.saved.Language != "en" {
		t.Errorf("language %q", store.saved.Language)
	}
}

func TestWorkerFailures(t *testing.T) {
	t.Parallel()
	_, fetcher := site(t, extraction.FetchOptions{}, nil)
	id := uuid.New()
	tests := []struct {
		name  string
		store *memory
		want  domain.Code
	}{
		{"no document", &memory{}, domain.CodeNotFound},
		{"damaged", &memory{doc: domain.Document{ID: id, Type: domain.TypePDF}, original: []byte("%PDF-")}, domain.CodeDocumentMalformed},
		{"forbidden address", &memory{doc: domain.Document{ID: id, Type: domain.TypeURL, URL: "http://10.0.0.1/"}}, domain.CodeURLForbidden},
		{"lost lease", &memory{doc: domain.Document{ID: id, Type: domain.TypeText}, original: []byte("x"), lease: domain.Lease{Fence: 9}}, domain.CodeConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := newWorker(t, tt.store, fetcher).Work(t.Context(), domain.Task{Job: domain.Job{ResourceID: id}})
			if got := domain.CodeOf(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
			if tt.store.saved != nil {
				t.Error("something was saved")
			}
		})
	}
}

func newWorker(t *testing.T, store extraction.Store, fetcher *extraction.Fetcher) *extraction.Worker {
	return extraction.NewWorker(store, newSandbox(t, extraction.Limits{}), fetcher, slog.New(slog.DiscardHandler))
}
