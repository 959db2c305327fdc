package api

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"generalbackend/internal/domain"
)

// Problem is every error's body, after RFC 9457. Code is stable; Detail is a
// sentence for people and always a string.
type Problem struct { //nolint:errname // the name RFC 9457 gives it
	Type      string       `json:"type" doc:"A name for the kind of problem, derived from the code" example:"urn:general-backend:problem:not_found"`
	Title     string       `json:"title" doc:"The code in words" example:"Not found"`
	Status    int          `json:"status" doc:"The HTTP status, repeated" example:"404"`
	Detail    string       `json:"detail" doc:"What went wrong, in a sentence a person can act on" example:"There is no such thing, or it is not yours."`
	Code      string       `json:"code" doc:"The stable name of the problem" example:"not_found"`
	RequestID string       `json:"request_id" doc:"Identifies this request in our logs" example:"3f0c2a9e-8f57-4d0e-9a53-6f3f0f9e2d11"`
	Hint      string       `json:"hint,omitempty" doc:"What to try next" example:"Upload a copy without a password."`
	Errors    []FieldError `json:"errors,omitempty" doc:"The fields at fault"`

	headers http.Header
}

// FieldError says what is wrong with one field. Values are not repeated.
type FieldError struct {
	Location string `json:"location" doc:"Where the field is" example:"body.email"`
	Message  string `json:"message" doc:"What is wrong with it"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (*Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// statusClientGone is logged, never seen: the client hung up.
const statusClientGone = 499

// statusOf is the one table from codes to statuses.
func statusOf(code domain.Code) int {
	switch code {
	case domain.CodeInvalidCursor, domain.CodeLinkInvalid:
		return http.StatusBadRequest
	case domain.CodeUnauthorized, domain.CodeTokenExpired, domain.CodeBadCredentials:
		return http.StatusUnauthorized
	case domain.CodeBudgetExceeded:
		return http.StatusPaymentRequired
	case domain.CodeForbidden, domain.CodeRegistrationShut, domain.CodeMailMissing, domain.CodeLocalOnly:
		return http.StatusForbidden
	case domain.CodeNotFound:
		return http.StatusNotFound
	case domain.CodeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case domain.CodeConflict, domain.CodeEmailTaken, domain.CodeOwnAccount, domain.CodeLastAdmin, domain.CodeNotReady,
		domain.CodeNotCancel, domain.CodeNotRetryable, domain.CodeCancelled, domain.CodeChatBusy:
		return http.StatusConflict
	case domain.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case domain.CodeUnsupportedType:
		return http.StatusUnsupportedMediaType
	case domain.CodeInvalid, domain.CodeEmptyDocument, domain.CodeIdempotencyReused,
		domain.CodeDocumentEncrypted, domain.CodeDocumentMalformed, domain.CodeDocumentTooComplex,
		domain.CodeNoTextFound, domain.CodeTimedOut,
		domain.CodePhotoMalformed, domain.CodePhotoTooLarge, domain.CodeRefinementUnfaithful,
		domain.CodeURLInvalid, domain.CodeURLForbidden, domain.CodeURLRedirectLoop, domain.CodeURLRobotsDenied,
		domain.CodeModelNotFound, domain.CodeProviderUnknown, domain.CodeModelRefused, domain.CodeContextTooLong:
		return http.StatusUnprocessableEntity
	case domain.CodeRateLimited, domain.CodeLLMRateLimited:
		return http.StatusTooManyRequests
	case domain.CodeURLUnreachable, domain.CodeURLStatus, domain.CodeModelMalformed:
		return http.StatusBadGateway
	case domain.CodeUnavailable, domain.CodeModelUnavailable, domain.CodeModelOverloaded, domain.CodeModelRateLimited:
		return http.StatusServiceUnavailable
	case domain.CodeTimeout, domain.CodeModelTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// codeOf is for statuses that the router or huma chose.
func codeOf(status int) domain.Code {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotAcceptable:
		return domain.CodeInvalid
	case http.StatusRequestEntityTooLarge:
		return domain.CodeTooLarge
	case http.StatusUnsupportedMediaType:
		return domain.CodeUnsupportedType
	case http.StatusRequestTimeout:
		return domain.CodeTimeout
	}
	return domain.CodeInternal
}

func newProblem(code domain.Code, detail string) *Problem {
	title := strings.ReplaceAll(string(code), "_", " ")
	return &Problem{
		Type: "urn:general-backend:problem:" + string(code), Title: strings.ToUpper(title[:1]) + title[1:],
		Status: statusOf(code), Detail: detail, Code: string(code), headers: http.Header{},
	}
}

// toProblem turns any error into what the client is told; the cause is logged
// when the fault is ours.
func (s *server) toProblem(ctx context.Context, err error) *Problem {
	var ready *Problem
	if errors.As(err, &ready) {
		return ready
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		p := newProblem(domain.CodeTimeout, "The client hung up.")
		p.Status = statusClientGone
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) && domain.CodeOf(err) != domain.CodeModelTimeout {
		err = domain.Errorf(domain.CodeTimeout, "The request took too long. Try again, or ask for less at a time.").WithCause(err)
	}
	known := domain.AsError(err)
	p := newProblem(known.Code, known.Message)
	p.Hint = known.Hint
	if p.Status >= http.StatusInternalServerError {
		s.log.ErrorContext(ctx, "request failed", "request_id", requestID(ctx), "code", p.Code, "error", err)
	}
	if p.Status == http.StatusUnauthorized {
		p.headers.Set("WWW-Authenticate", "Bearer")
	}
	switch {
	case known.RetryAfter > 0:
		p.headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(known.RetryAfter.Seconds()))))
	case p.Status == http.StatusServiceUnavailable:
		p.headers.Set("Retry-After", "5")
	}
	return p
}

// refuse ends a request in a middleware.
func (s *server) refuse(ctx huma.Context, err error) {
	p := s.toProblem(ctx.Context(), err)
	p.RequestID = requestID(ctx.Context())
	for name, values := range p.headers {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	if err := huma.DefaultJSONFormat.Marshal(ctx.BodyWriter(), p); err != nil {
		s.log.DebugContext(ctx.Context(), "client gone", "error", err)
	}
}

// replyTimeout bounds sending one reply, however slowly it is read.
const replyTimeout = 5 * time.Minute

// transform is the last before a reply is sent: it gives huma's own errors our
// form and every problem its request id.
func (s *server) transform(ctx huma.Context, _ string, v any) (any, error) {
	_ = http.NewResponseController(humagin.Unwrap(ctx).Writer).SetWriteDeadline(time.Now().Add(replyTimeout))
	switch p := v.(type) {
	case *Problem:
		p.RequestID = requestID(ctx.Context())
	case *huma.ErrorModel:
		return s.fromHuma(ctx.Context(), p), nil
	}
	return v, nil
}

// fromHuma keeps where an error is and what it is, but not the value.
func (s *server) fromHuma(ctx context.Context, e *huma.ErrorModel) *Problem {
	p := newProblem(codeOf(e.Status), describe(e))
	p.Status, p.RequestID = e.Status, requestID(ctx)
	for _, d := range e.Errors {
		if d == nil {
			continue
		}
		p.Errors = append(p.Errors, FieldError{Location: d.Location, Message: inWords(d.Message)})
	}
	if e.Status == http.StatusUnsupportedMediaType {
		p.Hint = "Send JSON, with `Content-Type: application/json`."
	}
	if e.Status >= http.StatusInternalServerError {
		s.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request_id", p.RequestID), slog.String("error", e.Error()))
		p.Errors = nil
	}
	return p
}

func describe(e *huma.ErrorModel) string {
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		return "The request body is too large."
	case http.StatusUnsupportedMediaType:
		return "The Content-Type of the request is not one this operation reads."
	case http.StatusRequestTimeout:
		return "The request body did not arrive in time."
	case http.StatusInternalServerError:
		return domain.AsError(errors.New("")).Message
	}
	if len(e.Errors) > 0 && e.Errors[0] != nil {
		first := e.Errors[0]
		return "The request is not valid: " + strings.TrimSuffix(strings.TrimSpace(first.Location+" "+inWords(first.Message)), ".") + "."
	}
	return "The request is not valid: " + e.Detail + "."
}

// notAnID is said of what should be a UUID.
const notAnID = "must be an id such as 3f0c2a9e-8f57-4d0e-9a53-6f3f0f9e2d11"

// inWords puts messages that tell of parsers, and quote the input, into our words.
func inWords(message string) string {
	for _, known := range []struct{ part, meaning string }{
		{"invalid character", "is not valid JSON"},
		{"unexpected end of JSON input", "is not valid JSON"},
		{"unexpected EOF", "is not valid JSON"},
		{"cannot unmarshal", "is not valid JSON"},
		{"invalid UUID", notAnID},
		{"RFC 5322 email", "must be an e-mail address"},
	} {
		if strings.Contains(message, known.part) {
			return known.meaning
		}
	}
	return message
}

// invalid is a validation error of our own.
func invalid(location, message string) *Problem {
	p := newProblem(domain.CodeInvalid, "The request is not valid: "+location+" "+message+".")
	p.Errors = []FieldError{{Location: location, Message: message}}
	return p
}
