package extraction

import (
	"cmp"
	"context"
	"io"
	"log/slog"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Store is where a Worker finds documents and leaves their text.
type Store interface {
	Document(ctx context.Context, id uuid.UUID) (domain.Document, error)
	// Original opens the stored bytes of a document of any type but url.
	Original(ctx context.Context, id uuid.UUID) (io.ReadCloser, error)
	// SaveExtraction stores the pages and moves the job to the next stage, in
	// one transaction under the lease.
	SaveExtraction(ctx context.Context, lease domain.Lease, documentID uuid.UUID, x domain.Extraction) error
}

// Worker does the extract stage.
type Worker struct {
	store   Store
	sandbox *Sandbox
	fetcher *Fetcher
	log     *slog.Logger
}

// NewWorker returns the worker of the extract stage.
func NewWorker(store Store, sandbox *Sandbox, fetcher *Fetcher, log *slog.Logger) *Worker {
	return &Worker{store: store, sandbox: sandbox, fetcher: fetcher, log: log}
}

// Work implements domain.Worker.
func (w *Worker) Work(ctx context.Context, task domain.Task) error {
	doc, err := w.store.Document(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	progress := func(done, total int) {
		if task.Progress != nil {
			task.Progress(domain.Progress{Done: done, Total: total, Unit: "pages"})
		}
	}
	x, err := w.extract(ctx, doc, progress)
	if err != nil {
		return err
	}
	if x.Title == "" {
		x.Title = cmp.Or(doc.Title, doc.Filename, x.FinalURL)
	}
	w.log.InfoContext(ctx, "document extracted", "job", task.Job.ID, "document", doc.ID,
		"type", x.Type, "pages", x.PageCount, "state", x.State, "language", x.Language)
	return w.store.SaveExtraction(ctx, task.Lease, doc.ID, x)
}

func (w *Worker) extract(ctx context.Context, doc domain.Document, progress func(done, total int)) (domain.Extraction, error) {
	if doc.Type == domain.TypeURL {
		return w.extractURL(ctx, doc, progress)
	}
	open := func(ctx context.Context) (io.ReadCloser, error) { return w.store.Original(ctx, doc.ID) }
	return w.sandbox.Extract(ctx, Source{Owner: doc.UserID.String(), Type: doc.Type, Open: open}, progress)
}

// extractURL fetches a page and keeps what was fetched as the original.
func (w *Worker) extractURL(ctx context.Context, doc domain.Document, progress func(done, total int)) (domain.Extraction, error) {
	got, err := w.fetcher.Fetch(ctx, doc.URL)
	if err != nil {
		return domain.Extraction{}, err
	}
	x, err := w.sandbox.Extract(ctx, Source{
		Owner: doc.UserID.String(), Type: got.Type, Open: Bytes(got.Body), ContentType: got.ContentType, URL: got.URL,
	}, progress)
	if err != nil {
		return domain.Extraction{}, err
	}
	x.Metadata["fetched_as"] = string(x.Type)
	x.Type, x.FinalURL, x.Original = domain.TypeURL, got.URL, got.Body
	return x, nil
}
