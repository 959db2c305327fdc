package extraction_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

func TestSandboxReadsPages(t *testing.T) {
	t.Parallel()
	box := newSandbox(t, extraction.Limits{})
	var seen []int
	x, err := box.Extract(t.Context(), extraction.Source{
		Type: domain.TypePDF,
		Open: extraction.Bytes(pdf([]string{"First page", "of two"}, []string{"Second page"})),
	}, func(done, total int) { seen = append(seen, done, total) })
	if err != nil {
		t.Fatal(err)
	}
	want := []domain.Page{
		{Number: 1, Text: "First page\nof two", Quality: domain.PageQuality{Chars: 14, Readable: true}},
		{Number: 2, Text: "Second page", Quality: domain.PageQuality{Chars: 10, Readable: true}},
	}
	if diff := cmp.Diff(want, x.Pages); diff != "" {
		t.Error(diff)
	}
	if x.State != domain.DocumentReady || x.PageCount != 2 || x.Type != domain.TypePDF {
		t.Errorf("state %s, %d pages, type %s", x.State, x.PageCount, x.Type)
	}
	if diff := cmp.Diff([]int{1, 2, 2, 2}, seen); diff != "" {
		t.Errorf("progress: %s", diff)
	}
	if box.PeakMemory() == 0 {
		t.Error("no memory was measured")
	}
}

func TestSandboxFailures(t *testing.T) {
	t.Parallel()
	good := pdf([]string{"text"})
	failing := errors.New("disk on fire")
	tests := []struct {
		name   string
		limits extraction.Limits
		source extraction.Source
		want   domain.Code
	}{
		{"crash", extraction.Limits{MaxEntries: entriesToCrash}, extraction.Source{Type: domain.TypePDF, Open: extraction.Bytes(good)}, domain.CodeDocumentMalformed},
		{"hang", extraction.Limits{MaxEntries: entriesToHang, Wall: 50 * time.Millisecond}, extraction.Source{Type: domain.TypePDF, Open: extraction.Bytes(good)}, domain.CodeTimedOut},
		{"too many pages", extraction.Limits{MaxPages: 1}, extraction.Source{Type: domain.TypePDF, Open: extraction.Bytes(pdf([]string{"a"}, []string{"b"}))}, domain.CodeDocumentTooComplex},
		{"too much text", extraction.Limits{MaxText: 10}, extraction.Source{Type: domain.TypeTXT, Open: extraction.Bytes([]byte("more than ten bytes"))}, domain.CodeDocumentTooComplex},
		{"too large", extraction.Limits{MaxBytes: 10}, extraction.Source{Type: domain.TypePDF, Open: extraction.Bytes(good)}, domain.CodeTooLarge},
		{"truncated", extraction.Limits{}, extraction.Source{Type: domain.TypePDF, Open: extraction.Bytes(good[:80])}, domain.CodeDocumentMalformed},
		{"not what it says", extraction.Limits{}, extraction.Source{Type: domain.TypeDOCX, Open: extraction.Bytes(good)}, domain.CodeDocumentMalformed},
		{"blank", extraction.Limits{}, extraction.Source{Type: domain.TypePDF, Open: extraction.Bytes(pdf(nil, nil))}, domain.CodeNoTextFound},
		{"unknown type", extraction.Limits{}, extraction.Source{Type: "exe", Open: extraction.Bytes(good)}, domain.CodeDocumentMalformed},
		{"source fails", extraction.Limits{}, extraction.Source{Type: domain.TypePDF, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("%PDF-"), broken{failing})), nil
		}}, domain.CodeInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newSandbox(t, tt.limits).Extract(t.Context(), tt.source, nil)
			if got := domain.CodeOf(err); got != tt.want {
				t.Errorf("code %q, want %q (%v)", got, tt.want, err)
			}
			if tt.name == "source fails" && !errors.Is(err, failing) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestSandboxTriesACrashTwice(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	source := extraction.Source{Type: domain.TypePDF, Open: func(ctx context.Context) (io.ReadCloser, error) {
		opened.Add(1)
		return extraction.Bytes(pdf([]string{"text"}))(ctx)
	}}
	_, err := newSandbox(t, extraction.Limits{MaxEntries: entriesToCrash}).Extract(t.Context(), source, nil)
	if err == nil || opened.Load() != 2 {
		t.Errorf("opened %d times: %v", opened.Load(), err)
	}
}

func TestSandboxCancelled(t *testing.T) {
	t.Parallel()
	cause := errors.New("the job was cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	box := newSandbox(t, extraction.Limits{MaxEntries: entriesToHang})
	source := extraction.Source{Type: domain.TypePDF, Open: func(ctx context.Context) (io.ReadCloser, error) {
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		return extraction.Bytes(pdf([]string{"text"}))(ctx)
	}}
	if _, err := box.Extract(ctx, source, nil); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if _, err := box.Extract(ctx, source, nil); !errors.Is(err, cause) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func TestSandboxStopsAtClose(t *testing.T) {
	t.Parallel()
	box := extraction.NewSandbox(extraction.Limits{}, 1, slog.New(slog.DiscardHandler))
	source := extraction.Source{Type: domain.TypeTXT, Open: extraction.Bytes([]byte("text"))}
	if _, err := box.Extract(t.Context(), source, nil); err != nil {
		t.Fatal(err)
	}
	box.Close()
	if _, err := box.Extract(t.Context(), source, nil); err != nil {
		t.Errorf("a document in hand at the end is still read: %v", err)
	}
	box.Close()
}

func TestConfinedProcessCannotEscape(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/proc/self/exe", "confined")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat("/tmp/extraction-escape"); err == nil {
		t.Error("a file was written")
	}
}

func TestSandboxServesManyOwners(t *testing.T) {
	t.Parallel()
	box := newSandbox(t, extraction.Limits{})
	for i := range 20 {
		owner, text := "ada", "Text of Ada"
		if i%3 == 0 {
			owner, text = "bob", "Text of Bob"
		}
		source := extraction.Source{Owner: owner, Type: domain.TypePDF, Open: extraction.Bytes(pdf([]string{text}))}
		x, err := box.Extract(t.Context(), source, nil)
		if err != nil || x.Pages[0].Text != text {
			t.Fatalf("document %d of %s: %v %v", i, owner, err, x.Pages)
		}
		// A document that fails ends its child and leaves the next one unharmed.
		source.Open = extraction.Bytes([]byte("%PDF-"))
		if _, err := box.Extract(t.Context(), source, nil); domain.CodeOf(err) != domain.CodeDocumentMalformed {
			t.Fatalf("damaged document %d: %v", i, err)
		}
	}
}
