package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"generalbackend/internal/domain"
)

// endpoint describes one operation. Zero fields mean: 200, JSON, a caller who
// is logged in, and 30 seconds.
type endpoint struct {
	id, method, path string
	tag, summary     string
	description      string
	status           int
	codes            []domain.Code // beyond those that follow from the rest of this
	public           bool          // needs no login
	admin            bool          // for administrators only
	scope            domain.Scope  // that an API key needs; without one, keys are of no use here
	reads            bool          // changes nothing, though it is no GET
	limited          bool          // counted per client address
	bare             bool          // asks nothing that could fail
	timeout          time.Duration // of the handler; negative for none
	maxBody          int64         // of JSON, 1 MiB by default
	unchecked        bool          // the handler reads the body itself
	pages            bool          // a browser gets HTML instead, with its own codes too
	responses        map[string]*huma.Response
}

const (
	defaultTimeout = 30 * time.Second
	jsonLimit      = 1 << 20
)

// config turns off what huma would load from elsewhere or add to replies.
func (s *server) config() huma.Config {
	config := huma.DefaultConfig("General Backend", "1")
	config.CreateHooks = nil
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Transformers = []huma.Transformer{s.transform}
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	config.Formats = map[string]huma.Format{"application/json": format, "json": format}
	config.Info.Description = "Documents in, searched and matched out. " +
		"Everything that takes time is a job: submitting answers 202 with the job, or the result with `Prefer: wait=N`."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
	return config
}

// mount makes the two places where operations live.
func (s *server) mount() {
	v1 := huma.NewGroup(s.api, "/v1")
	root := huma.NewGroup(s.api)
	root.UseSimpleModifier(func(op *huma.Operation) { op.Hidden = true })
	root.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		next(huma.WithValue(ctx, rootKey{}, true))
	})
	s.v1, s.root = v1, root
}

type rootKey struct{}

// atRoot reports whether a request came by the root mount.
func atRoot(ctx context.Context) bool {
	is, _ := ctx.Value(rootKey{}).(bool)
	return is
}

// register mounts an operation under /v1 and at the root.
func register[I, O any](s *server, e endpoint, handler func(context.Context, *I) (*O, error)) {
	registerAt(s, s.v1, e, handler)
	registerAt(s, s.root, e, handler)
}

// listed is the reply of a list under /v1.
type listed[T any] struct {
	Body Page[T]
}

// array is the reply of a list at the root.
type array[T any] struct {
	Body []T
}

// registerList mounts a list: pages under /v1, bare arrays at the root.
func registerList[I, T any](s *server, e endpoint, handler func(context.Context, *I) (Page[T], error)) {
	registerAt(s, s.v1, e, func(ctx context.Context, in *I) (*listed[T], error) {
		page, err := handler(ctx, in)
		return &listed[T]{Body: page}, err
	})
	registerAt(s, s.root, e, func(ctx context.Context, in *I) (*array[T], error) {
		page, err := handler(ctx, in)
		return &array[T]{Body: page.Items}, err
	})
}

func registerAt[I, O any](s *server, at huma.API, e endpoint, handler func(context.Context, *I) (*O, error)) {
	huma.Register(at, s.operation(e), func(ctx context.Context, in *I) (*O, error) {
		timeout := e.timeout
		if timeout == 0 {
			timeout = s.Timeout
		}
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithValue(ctx, unboundedKey{}, ctx), timeout)
			defer cancel()
		}
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.toProblem(ctx, err)
		}
		return out, nil
	})
}

type unboundedKey struct{}

// unbounded is the context of a request without the handler's deadline, for
// waiting that has a bound of its own.
func unbounded(ctx context.Context) context.Context {
	if whole, ok := ctx.Value(unboundedKey{}).(context.Context); ok {
		return whole
	}
	return ctx
}

func (s *server) operation(e endpoint) huma.Operation {
	op := huma.Operation{
		OperationID: e.id, Method: e.method, Path: e.path, Summary: e.summary, Description: e.description,
		Tags: []string{e.tag}, DefaultStatus: e.status, MaxBodyBytes: e.maxBody,
		BodyReadTimeout:  -1, // the middleware bounds reading, and must lift the bound afterwards
		SkipValidateBody: e.unchecked,
		Responses:        map[string]*huma.Response{},
	}
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = jsonLimit
	}
	for status, response := range e.responses {
		op.Responses[status] = response
	}
	if e.limited {
		op.Middlewares = append(op.Middlewares, s.limitAddress)
	}
	if !e.public {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Middlewares = append(op.Middlewares, s.authenticate(e))
	}
	if e.admin {
		op.Middlewares = append(op.Middlewares, s.administrate)
	}
	s.endpoints[e.id] = e
	return op
}

// respond documents a success beyond the default one.
func respond[T any](s *server, description string) *huma.Response {
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[T](), true, "")
	return &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}
