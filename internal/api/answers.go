package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"generalbackend/internal/domain"
)

// describeErrors documents what each operation may refuse with, when all are
// registered. What follows from its parameters, its body and who may call it is
// derived, so that it is exact.
func (s *server) describeErrors() {
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[Problem](), true, "Problem")
	for _, path := range s.api.OpenAPI().Paths {
		for _, op := range operationsOf(path) {
			delete(op.Responses, "default")
			e := s.endpoints[op.OperationID]
			for status, names := range e.problems(op) {
				slices.Sort(names)
				names = slices.Compact(names)
				op.Responses[strconv.Itoa(status)] = &huma.Response{
					Description: fmt.Sprintf("%s. Codes: `%s`.", http.StatusText(status), strings.Join(names, "`, `")),
					Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
					Extensions:  map[string]any{"x-codes": names},
				}
			}
			e.describePages(op)
			e.describeScope(op)
		}
	}
}

// describePages adds the pages that a browser gets, for success and for the
// operation's own codes.
func (e endpoint) describePages(op *huma.Operation) {
	if !e.pages {
		return
	}
	statuses := map[int]bool{http.StatusOK: true}
	for _, code := range e.codes {
		statuses[statusOf(code)] = true
	}
	for status := range statuses {
		op.Responses[strconv.Itoa(status)].Content["text/html"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
}

// describeScope says which scope of an API key an operation asks for.
func (e endpoint) describeScope(op *huma.Operation) {
	if e.scope == "" {
		return
	}
	op.Extensions = map[string]any{"x-scope": e.scope}
	op.Description = strings.TrimSpace(op.Description + fmt.Sprintf(" API keys need the scope `%s`.", e.scopes()))
}

// scopes names what opens the operation to a key.
func (e endpoint) scopes() string {
	if e.readOnly() {
		return string(e.scope) + "` or `" + string(domain.ScopeRead)
	}
	return string(e.scope)
}

// readOnly reports whether the operation changes nothing.
func (e endpoint) readOnly() bool { return e.method == http.MethodGet || e.reads }

func operationsOf(path *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

// problems lists the codes of each status.
func (e endpoint) problems(op *huma.Operation) map[int][]string {
	byStatus := map[int][]string{}
	add := func(status int, codes ...domain.Code) {
		for _, code := range codes {
			if status == 0 {
				byStatus[statusOf(code)] = append(byStatus[statusOf(code)], string(code))
			} else {
				byStatus[status] = append(byStatus[status], string(code))
			}
		}
	}
	add(0, e.codes...)
	add(http.StatusBadRequest, domain.CodeInvalid) // a query that is no text
	if !e.bare {
		add(0, domain.CodeInternal, domain.CodeUnavailable, domain.CodeTimeout)
	}
	if op.RequestBody != nil {
		add(0, domain.CodeTooLarge, domain.CodeUnsupportedType)
		add(http.StatusRequestTimeout, domain.CodeTimeout)
	}
	if op.RequestBody != nil || slices.ContainsFunc(op.Parameters, bounded) {
		add(0, domain.CodeInvalid)
	}
	if e.limited {
		add(0, domain.CodeRateLimited)
	}
	if !e.public {
		add(0, domain.CodeUnauthorized, domain.CodeTokenExpired, domain.CodeForbidden)
	}
	return byStatus
}

// bounded reports whether there are values that a parameter does not take.
func bounded(p *huma.Param) bool {
	schema := p.Schema
	return p.Required && p.In != "path" || schema.Type != huma.TypeString || schema.Format != "" || len(schema.Enum) > 0 ||
		schema.MaxLength != nil || schema.MinLength != nil || schema.Pattern != ""
}
