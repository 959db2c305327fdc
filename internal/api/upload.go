package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// uploadInput takes hold of the body without reading it: files are streamed.
type uploadInput struct {
	Submission
	contentType string
	length      string
	body        io.Reader
}

// Resolve implements huma.Resolver.
func (in *uploadInput) Resolve(ctx huma.Context) []error {
	in.contentType, in.length, in.body = ctx.Header("Content-Type"), ctx.Header("Content-Length"), ctx.BodyReader()
	return nil
}

func (s *server) uploadOperations() {
	const tag = "documents"
	ingest := []domain.Code{
		domain.CodeTooLarge, domain.CodeUnsupportedType, domain.CodeEmptyDocument, domain.CodeDocumentEncrypted,
		domain.CodeDocumentMalformed, domain.CodeDocumentTooComplex, domain.CodeNoTextFound, domain.CodeTimedOut,
		domain.CodeModelUnavailable, domain.CodeModelTimeout, domain.CodeModelMalformed, domain.CodeModelNotFound,
		domain.CodeModelOverloaded, domain.CodeModelRateLimited,
	}
	fetch := append([]domain.Code{
		domain.CodeURLInvalid, domain.CodeURLForbidden, domain.CodeURLRedirectLoop, domain.CodeURLRobotsDenied,
		domain.CodeURLUnreachable, domain.CodeURLStatus,
	}, ingest...)
	upload := submitEndpoint[AcceptedDocument, Document](s, endpoint{
		id: "upload-document", scope: domain.ScopeDocumentsWrite, method: http.MethodPost, path: "/documents/upload", tag: tag, summary: "Upload a file", codes: ingest,
		description: "One file per request. Its bytes decide its type, not its name.",
	})
	upload.timeout = bodyTotal + s.Timeout
	register(s, upload, s.upload)
	register(s, submitEndpoint[AcceptedDocument, Document](s, endpoint{
		id: "add-url", scope: domain.ScopeDocumentsWrite, method: http.MethodPost, path: "/documents/url", tag: tag, summary: "Add a web page or a file on the web", codes: fetch,
	}), s.addURL)
	register(s, submitEndpoint[AcceptedDocument, Document](s, endpoint{
		id: "add-text", scope: domain.ScopeDocumentsWrite, method: http.MethodPost, path: "/documents/text", tag: tag, summary: "Add a text", codes: ingest,
		maxBody: 2*s.textLimit() + jsonLimit, // escapes take room
	}), s.addText)
	s.describeBody("/documents/upload", &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"file"},
			Properties: map[string]*huma.Schema{
				"file":       {Type: huma.TypeString, Format: "binary"},
				"project_id": {Type: huma.TypeString, Format: "uuid"},
			},
		}},
	}})
}

// upload stores the file while it arrives; nothing of it is held but one part.
func (s *server) upload(ctx context.Context, in *uploadInput) (*submitted, error) {
	media, params, err := mime.ParseMediaType(in.contentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return nil, domain.Errorf(domain.CodeUnsupportedType, "Send the file as multipart/form-data, in the field `file`.")
	}
	if length, err := strconv.ParseInt(in.length, 10, 64); err == nil && length > s.MaxUploadBytes+jsonLimit {
		return nil, tooLarge(s.MaxUploadBytes)
	}
	u := &upload{server: s, ctx: ctx, user: userID(ctx)}
	limited := http.MaxBytesReader(nil, io.NopCloser(in.body), s.MaxUploadBytes+jsonLimit)
	err = u.read(multipart.NewReader(limited, params["boundary"]))
	if err == nil { // to its end, so that a hang-up is noticed while we wait
		_, err = io.Copy(io.Discard, limited)
	}
	if err == nil && u.document.ID == uuid.Nil {
		err = invalid("body.file", "is missing")
	}
	if err != nil {
		u.drop()
		return nil, bodyError(err, s.MaxUploadBytes)
	}
	return s.accept(ctx, in.Submission, u.document, u.drop)
}

// accept makes a stored document real, and follows its job.
func (s *server) accept(ctx context.Context, in Submission, d domain.Document, drop func()) (*submitted, error) {
	sub, err := ingestSubmission(ctx, in, d)
	if err != nil {
		drop()
		return nil, err
	}
	document, job, err := s.Store.AcceptDocument(ctx, d, sub)
	if err != nil {
		drop()
		return nil, err
	}
	return s.followDocument(ctx, in, document, job)
}

func (s *server) followDocument(ctx context.Context, in Submission, d domain.Document, job domain.Job) (*submitted, error) {
	return s.follow(ctx, in, job, result{
		accepted: func(j Job) any { return AcceptedDocument{Job: j, Document: toDocument(d)} },
		finished: func(ctx context.Context) (any, error) {
			done, err := s.Store.Document(ctx, d.UserID, d.ID)
			return toDocument(done), err
		},
	})
}

// ingestSubmission is the job that reads a document. What was asked is told
// apart by what was sent, not by the ids made for it.
func ingestSubmission(ctx context.Context, in Submission, d domain.Document) (domain.Submission, error) {
	hash, err := requestHash(domain.KindIngest, d.Type, d.Filename, d.Title, d.URL, d.ProjectID, d.SHA256)
	return domain.Submission{
		UserID: d.UserID, ProjectID: d.ProjectID, Kind: domain.KindIngest, Stage: domain.StageExtract,
		Class: class(ctx, in), ResourceID: d.ID,
		IdempotencyKey: in.IdempotencyKey, RequestHash: hash, Trace: traceparent(ctx),
	}, err
}

// upload is one file on its way in.
type upload struct {
	server   *server
	ctx      context.Context //nolint:containedctx // lives as long as the request
	user     uuid.UUID
	document domain.Document
	project  *uuid.UUID
	sum      hash.Hash
}

// read takes the fields of the form in whatever order they come.
func (u *upload) read(form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			u.document.ProjectID = u.project
			return nil
		}
		if err != nil {
			return err
		}
		switch part.FormName() {
		case "file":
			err = u.store(part)
		case "project_id":
			err = u.setProject(part)
		}
		if err != nil {
			return err
		}
	}
}

func (u *upload) setProject(part io.Reader) error {
	const uuidLength = 64 // any form of it
	value, err := io.ReadAll(io.LimitReader(part, uuidLength))
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(value))
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return invalid("body.project_id", notAnID)
	}
	if _, err := u.server.Store.Project(u.ctx, u.user, id); err != nil {
		return err
	}
	u.project = &id
	return nil
}

// store reads the file in parts of fixed size, so that memory does not depend
// on its size.
func (u *upload) store(part *multipart.Part) error {
	if u.document.ID != uuid.Nil {
		return invalid("body.file", "must be one file; send one request for each")
	}
	buffer := make([]byte, postgres.PartSize)
	u.sum = sha256.New()
	for ordinal := 0; ; ordinal++ {
		n, err := fill(part, buffer)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if ordinal == 0 {
			if err := u.begin(buffer[:n], fileName(part)); err != nil {
				return err
			}
		}
		if n > 0 {
			if err := u.append(ordinal, buffer[:n]); err != nil {
				return err
			}
		}
		if last {
			u.document.SHA256 = u.sum.Sum(nil)
			return nil
		}
	}
}

// fill reads until the buffer is full. Unlike io.ReadFull it tells the end of a
// part, io.EOF, from a body that was cut off inside it.
func fill(r io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var read int
		read, err = r.Read(buffer[n:])
		n += read
	}
	return n, err
}

// begin looks at the first part and reserves the document.
func (u *upload) begin(head []byte, name string) error {
	if len(head) == 0 {
		return errEmptyDocument
	}
	kind, err := u.server.Detect(head, name)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	d := domain.Document{ID: id, UserID: u.user, ProjectID: u.project, Type: kind, Filename: name}
	if err := u.server.Store.BeginDocument(u.ctx, d); err != nil {
		return err
	}
	u.document = d
	return nil
}

var errEmptyDocument = domain.Errorf(domain.CodeEmptyDocument, "The document is empty.")

func (u *upload) append(ordinal int, part []byte) error {
	u.document.Size += int64(len(part))
	if u.document.Size > u.server.MaxUploadBytes {
		return tooLarge(u.server.MaxUploadBytes)
	}
	u.sum.Write(part)
	return u.server.Store.AppendPart(u.ctx, u.document.ID, ordinal, part)
}

// dropTimeout bounds cleaning up after a client that hung up.
const dropTimeout = 10 * time.Second

// drop deletes what was stored. If it fails, the sweep of abandoned uploads
// does it later.
func (u *upload) drop() {
	if u.document.ID == uuid.Nil {
		return
	}
	u.server.drop(u.ctx, u.user, u.document.ID)
}

func (s *server) drop(ctx context.Context, user, id uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(dropTimeout, s.Timeout))
	defer cancel()
	if err := s.Store.DropUpload(ctx, user, id); err != nil {
		s.log.WarnContext(ctx, "upload not dropped", "document_id", id, "error", err)
	}
}

// fileName is the last element of the name a client sent, of either system.
func fileName(part *multipart.Part) string {
	name := part.FileName()
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return plain(strings.ToValidUTF8(name, ""), 255)
}

func tooLarge(limit int64) error {
	return domain.Errorf(domain.CodeTooLarge, "The document is larger than the %d MiB that are accepted here.", limit>>20)
}

// bodyError says what is wrong with a body that could not be read to its end.
func bodyError(err error, limit int64) error {
	var tooLong *http.MaxBytesError
	var known *domain.Error
	var problem *Problem
	switch {
	case errors.As(err, &tooLong):
		return tooLarge(limit)
	case errors.As(err, &known), errors.As(err, &problem), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		p := newProblem(domain.CodeTimeout, "The request body did not arrive in time.")
		p.Status = http.StatusRequestTimeout
		return p
	}
	return badRequest("The form is not valid: it ends early or is not multipart/form-data.")
}
