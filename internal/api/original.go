package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"generalbackend/internal/domain"
)

type originalInput struct {
	DocumentPath
	IfNoneMatch string `header:"If-None-Match"`
}

// mediaTypes are the types of originals.
var mediaTypes = map[domain.DocumentType]string{
	domain.TypePDF:  "application/pdf",
	domain.TypeDOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	domain.TypePPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	domain.TypeXLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	domain.TypeODT:  "application/vnd.oasis.opendocument.text",
	domain.TypeRTF:  "application/rtf",
	domain.TypeEPUB: "application/epub+zip",
	domain.TypeXPS:  "application/vnd.ms-xpsdocument",
	domain.TypeMOBI: "application/x-mobipocket-ebook",
	domain.TypeCBZ:  "application/vnd.comicbook+zip",
	domain.TypeTXT:  "text/plain; charset=utf-8",
	domain.TypeText: "text/plain; charset=utf-8",
}

// getOriginal streams the original. Only what cannot run script is shown by the
// browser; everything else is saved.
func (s *server) getOriginal(ctx context.Context, in *originalInput) (*huma.StreamResponse, error) {
	d, err := s.Store.Document(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if d.Size == 0 {
		return nil, domain.Errorf(domain.CodeNotReady, "The document has not been fetched yet. Follow its job.")
	}
	etag := quoted(toSummary(d).SHA256)
	if matchesETag(in.IfNoneMatch, etag) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			ctx.SetHeader("ETag", etag)
			ctx.SetStatus(http.StatusNotModified)
		}}, nil
	}
	original, err := s.Store.Original(unbounded(ctx), d.ID)
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReader(original)
	if _, err := reader.Peek(1); err != nil { // a fault is told before the headers are
		return nil, errors.Join(err, original.Close())
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer original.Close()
		hc.SetHeader("ETag", etag)
		hc.SetHeader("Cache-Control", "private, no-cache")
		hc.SetHeader("Content-Security-Policy", "default-src 'none'; sandbox")
		hc.SetHeader("Content-Length", strconv.FormatInt(d.Size, 10))
		kind, disposition := presentation(d)
		hc.SetHeader("Content-Type", kind)
		hc.SetHeader("Content-Disposition", disposition)
		hc.SetStatus(http.StatusOK)
		s.stream(unbounded(ctx), humagin.Unwrap(hc).Writer, reader)
	}}, nil
}

// presentation is how a browser is to treat an original.
func presentation(d domain.Document) (mediaType, disposition string) {
	mediaType, known := mediaTypes[d.Type]
	if !known {
		mediaType = "application/octet-stream"
	}
	disposition = "attachment"
	if d.Type == domain.TypePDF || d.Type == domain.TypeTXT || d.Type == domain.TypeText {
		disposition = "inline"
	}
	name := d.Filename
	if name == "" {
		name = d.ID.String() + extension(d.Type)
	}
	if full := mime.FormatMediaType(disposition, map[string]string{"filename": name}); full != "" {
		disposition = full
	}
	return mediaType, disposition
}

func extension(t domain.DocumentType) string {
	switch t {
	case domain.TypeText:
		return ".txt"
	case domain.TypeURL:
		return ".bin"
	}
	return "." + string(t)
}

const writeStall = 30 * time.Second

// stream copies to a client that keeps reading. What goes wrong midway cuts the
// connection, so that nobody takes a part for the whole.
func (s *server) stream(ctx context.Context, w http.ResponseWriter, r io.Reader) {
	control := http.NewResponseController(w)
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(writeStall))
			if _, err := w.Write(buffer[:n]); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.log.ErrorContext(ctx, "original cut off", "request_id", requestID(ctx), "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}
