package api

import (
	"archive/zip"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// ExportStore reads all that a user owns.
type ExportStore interface {
	BeginExport(ctx context.Context, userID uuid.UUID) (*postgres.Export, error)
}

const (
	exportTime = time.Hour // that one export may take
	exportsMax = 2         // at once in one process; each holds a connection
)

func (s *server) exportOperation() {
	zipped := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	register(s, endpoint{
		id: "export-user-me", method: http.MethodGet, path: "/users/me/export", tag: "accounts", summary: "Get everything I own",
		description: "A zip: `account.json`, one file of JSON lines for each kind of thing, originals and texts of documents, and photos. " +
			"All of it as it was at one moment. Secrets are left out, and so is what follows from the rest, as vectors do.",
		limited: true,
		responses: map[string]*huma.Response{"200": {
			Description: "The export", Content: map[string]*huma.MediaType{"application/zip": zipped},
		}},
	}, s.exportSelf)
}

func (s *server) exportSelf(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	select {
	case s.exports <- struct{}{}:
	default:
		e := domain.Errorf(domain.CodeRateLimited, "Others are exporting at the moment. Try again in a minute.")
		e.RetryAfter = time.Minute
		return nil, e
	}
	account, err := json.MarshalIndent(toUser(principal(ctx).User), "", "  ")
	if err != nil {
		<-s.exports
		return nil, err
	}
	lasting, cancel := context.WithTimeout(unbounded(ctx), exportTime)
	stop := context.AfterFunc(ctx, cancel) // until the first answer of the database
	export, err := s.Own.BeginExport(lasting, userID(ctx))
	stop()
	if err != nil {
		cancel()
		<-s.exports
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { <-s.exports }()
		defer cancel()
		defer export.Close()
		hc.SetHeader("Content-Type", "application/zip")
		hc.SetHeader("Content-Disposition", `attachment; filename="general-backend-export.zip"`)
		hc.SetStatus(http.StatusOK)
		s.writeExport(lasting, humagin.Unwrap(hc).Writer, account, export)
	}}, nil
}

// writeExport cuts the connection when something goes wrong midway, so that nobody
// takes a part for the whole.
func (s *server) writeExport(ctx context.Context, w http.ResponseWriter, account []byte, export *postgres.Export) {
	archive := zip.NewWriter(&patientWriter{ResponseWriter: w, control: http.NewResponseController(w)})
	file, err := archive.Create("account.json")
	if err == nil {
		_, err = file.Write(account)
	}
	if err == nil {
		err = export.WriteTo(archive)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		s.log.WarnContext(ctx, "export cut off", "request_id", requestID(ctx), "error", err)
		panic(http.ErrAbortHandler)
	}
}

// patientWriter lets a client take its time, as long as it goes on reading.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) Write(data []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(writeStall))
	return w.ResponseWriter.Write(data)
}
