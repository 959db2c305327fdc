package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"

	"generalbackend/internal/domain"
)

// middleware is what every request passes, outermost first.
func (s *server) middleware(router *gin.Engine) {
	router.Use(
		otelgin.Middleware("general-backend", otelgin.WithFilter(traced)),
		s.identify,
		s.observe(newMetrics(s.Metrics)),
		s.headers,
		s.recover,
		s.checkQuery,
		s.guardBody,
	)
	router.NoRoute(func(c *gin.Context) {
		s.abort(c, newProblem(domain.CodeNotFound, "There is nothing at this address."))
	})
	router.NoMethod(func(c *gin.Context) {
		s.abort(c, newProblem(domain.CodeMethodNotAllowed, "This address does not answer "+plain(c.Request.Method, 20)+"."))
	})
}

// traced leaves out what is asked every few seconds by machines.
func traced(r *http.Request) bool {
	return !slices.Contains([]string{"/health", "/ready", "/metrics"}, r.URL.Path)
}

// request is what the log says of a request beyond its line.
type request struct {
	id   string
	user uuid.UUID
}

type requestKey struct{}

func requestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.id
	}
	return ""
}

const requestIDHeader = "X-Request-ID"

// identify takes the caller's request id where it is a sane one.
func (s *server) identify(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if !saneID(id) {
		id = uuid.NewString()
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestKey{}, &request{id: id}))
	c.Header(requestIDHeader, id)
	c.Next()
}

func saneID(id string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	return len(id) >= 8 && len(id) <= 128 && strings.Trim(id, allowed) == ""
}

// observe logs and counts each request. It never sees a query or a body.
func (s *server) observe(m *metrics) gin.HandlerFunc {
	return func(c *gin.Context) {
		begin := time.Now()
		m.inFlight.Inc()
		defer func() {
			m.inFlight.Dec()
			route := c.FullPath()
			if route == "" {
				route = "none"
			}
			elapsed := time.Since(begin)
			m.observe(c.Request.Method, route, c.Writer.Status(), elapsed)
			s.logRequest(c, route, elapsed)
		}()
		c.Next()
	}
}

func (s *server) logRequest(c *gin.Context, route string, elapsed time.Duration) {
	level := slog.LevelInfo
	if !traced(c.Request) {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("method", c.Request.Method), slog.String("route", route), slog.String("path", c.Request.URL.Path),
		slog.Int("status", c.Writer.Status()), slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.Int64("ms", elapsed.Milliseconds()), slog.String("address", c.ClientIP()),
	}
	if r, ok := c.Request.Context().Value(requestKey{}).(*request); ok {
		attrs = append(attrs, slog.String("request_id", r.id))
		if r.user != uuid.Nil {
			attrs = append(attrs, slog.String("user_id", r.user.String()))
		}
	}
	s.log.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

// headers go on every reply, whatever its status: a browser shows an error's
// text only when the CORS headers are there too.
func (s *server) headers(c *gin.Context) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("X-Frame-Options", "DENY")
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	c.Header("Cache-Control", "no-store")
	s.cors(c)
	if c.Request.Method == http.MethodOptions {
		c.AbortWithStatus(http.StatusNoContent)
		return
	}
	c.Next()
}

// cors allows the configured origins; "*" allows any.
func (s *server) cors(c *gin.Context) {
	c.Writer.Header().Add("Vary", "Origin")
	origin := c.GetHeader("Origin")
	if origin == "" {
		return
	}
	switch {
	case slices.Contains(s.AllowedOrigins, "*"):
		c.Header("Access-Control-Allow-Origin", "*")
	case slices.Contains(s.AllowedOrigins, origin):
		c.Header("Access-Control-Allow-Origin", origin)
		c.Header("Access-Control-Allow-Credentials", "true")
	default:
		return
	}
	c.Header("Access-Control-Expose-Headers", "Content-Disposition, ETag, Location, Preference-Applied, Retry-After, "+requestIDHeader)
	if c.Request.Method == http.MethodOptions {
		c.Header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		c.Header("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, "+requestIDHeader)
		c.Header("Access-Control-Max-Age", "3600")
	}
}

// recover answers a panic like any other fault of ours. A reply that has begun
// is cut off instead, so that nobody takes half of it for the whole.
func (s *server) recover(c *gin.Context) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(fault)
		}
		s.log.ErrorContext(c.Request.Context(), "panic", "request_id", requestID(c.Request.Context()),
			"fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler)
		}
		known := domain.AsError(errors.New("panic"))
		s.abort(c, newProblem(known.Code, known.Message))
	}()
	c.Next()
}

// checkQuery refuses what Postgres cannot store as text.
func (s *server) checkQuery(c *gin.Context) {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		s.abort(c, badRequest("The query of the address is not valid."))
		return
	}
	for _, values := range query {
		for _, v := range values {
			if strings.ContainsRune(v, 0) || strings.ToValidUTF8(v, "") != v {
				s.abort(c, badRequest("The query of the address is not valid UTF-8 text."))
				return
			}
		}
	}
	c.Next()
}

func badRequest(detail string) *Problem {
	p := newProblem(domain.CodeInvalid, detail)
	p.Status = http.StatusBadRequest
	return p
}

// abort ends a request outside of the operations.
func (s *server) abort(c *gin.Context, p *Problem) {
	p.RequestID = requestID(c.Request.Context())
	c.Header("Content-Type", problemType)
	c.AbortWithStatusJSON(p.Status, p)
}

const bodyTotal = 30 * time.Minute

// guardBody gives up on a body that does not arrive. The bound is lifted when
// the body has been read: left in place, it would end long replies.
func (s *server) guardBody(c *gin.Context) {
	if c.Request.Body != nil && c.Request.Body != http.NoBody {
		c.Request.Body = &guardedBody{
			ReadCloser: c.Request.Body, control: http.NewResponseController(c.Writer), stall: s.BodyStall, end: time.Now().Add(bodyTotal),
		}
	}
	c.Next()
}

type guardedBody struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration // without a byte
	end     time.Time
}

func (b *guardedBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(b.stall)
	if deadline.After(b.end) {
		deadline = b.end
	}
	b.bound(deadline)
	n, err := b.ReadCloser.Read(p)
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	b.bound(time.Time{})
	return n, err
}

// bound is best effort: recorders in tests have no deadlines.
func (b *guardedBody) bound(deadline time.Time) {
	_ = b.control.SetReadDeadline(deadline)
}
