package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"generalbackend/internal/api"
)

// contract is the published description in the form that the walks over all
// operations need.
type contract struct {
	operations []*operation // by address, then method
	schemas    map[string]schema
}

// operation is one of them. Its template is that under /v1.
type operation struct {
	id, method, template string
	parts                []string // of the template
	parameters           []parameter
	bodies               map[string]media // by media type; none without a body
	answers              map[int]answers
	secured              bool
}

type parameter struct {
	Name, In string
	Required bool
	Schema   schema
	Example  any
}

// media is one form of a body.
type media struct {
	Schema   schema
	Example  any
	Examples map[string]struct{ Value any }
}

// answers is what is documented of one status: a success has media types, a
// refusal has codes.
type answers struct {
	Content map[string]media
	Codes   []string `json:"x-codes"`
}

// schema is a JSON Schema; references are resolved by contract.resolve.
type schema map[string]any

// published is the description that the code publishes.
var published = sync.OnceValue(func() contract {
	w := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []parameter
			RequestBody struct{ Content map[string]media }
			Responses   map[string]answers
			Security    []any
		}
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		panic(err) // nothing can be tested
	}
	c := contract{schemas: document.Components.Schemas}
	for _, template := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(document.Paths[template])) {
			op := document.Paths[template][method]
			made := &operation{
				id: op.OperationID, method: strings.ToUpper(method), template: template, parts: strings.Split(template, "/"), parameters: op.Parameters,
				bodies: op.RequestBody.Content, answers: map[int]answers{}, secured: len(op.Security) > 0,
			}
			for text, a := range op.Responses {
				if status, err := strconv.Atoi(text); err == nil {
					made.answers[status] = a
				}
			}
			c.operations = append(c.operations, made)
		}
	}
	return c
})

// match finds the operation that a request is for, under /v1 or at the root.
// Of two the one with fewer parameters in its address wins, as in the router.
func (c contract) match(method, path string) *operation {
	parts := strings.Split(path, "/")
	var found *operation
	for _, op := range c.operations {
		if op.method != method || !op.at(parts) {
			continue
		}
		if found == nil || strings.Count(op.template, "{") < strings.Count(found.template, "{") {
			found = op
		}
	}
	return found
}

// at reports whether an operation has an address, under /v1 or at the root.
func (op *operation) at(parts []string) bool {
	fits := func(want, got string) bool { return want == got || strings.HasPrefix(want, "{") && got != "" }
	if len(parts) == len(op.parts) {
		return slices.EqualFunc(op.parts, parts, fits)
	}
	return len(parts) == len(op.parts)-1 && op.parts[1] == "v1" && slices.EqualFunc(op.parts[2:], parts[1:], fits)
}

// resolve follows a reference.
func (c contract) resolve(s schema) schema {
	if ref, ok := s["$ref"].(string); ok {
		return c.schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	return s
}

// kind is the type of a schema, null left out.
func (s schema) kind() string {
	switch kind := s["type"].(type) {
	case string:
		return kind
	case []any:
		for _, k := range kind {
			if k != "null" {
				return k.(string)
			}
		}
	}
	return ""
}

// within is a schema inside of another, as of a property; nil when there is none.
func within(value any) schema {
	m, _ := value.(map[string]any)
	return m
}

func (s schema) properties() map[string]schema {
	all := map[string]schema{}
	properties, _ := s["properties"].(map[string]any)
	for name, p := range properties {
		all[name] = within(p)
	}
	return all
}

// mounts are the addresses of an operation.
func (op *operation) mounts(address string) []string {
	if root, ok := strings.CutPrefix(address, "/v1"); ok {
		return []string{address, root}
	}
	return []string{address}
}

// documents reports whether an operation may be answered with a code.
func (op *operation) documents(status int, code string) bool {
	return slices.Contains(op.answers[status].Codes, code)
}

const eventStream = "text/event-stream"
