package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"generalbackend/internal/api"
)

// TestExamplesFitTheirSchemas: every JSON body of the description has an example
// that is what it is an example of.
func TestExamplesFitTheirSchemas(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	checked := 0
	walkExamples(t, document, "openapi.json#", func(at string, media map[string]any) {
		example, ok := media["example"]
		if !ok {
			t.Errorf("%s has no example", at)
			return
		}
		schema, err := compiler.Compile(at + "/schema")
		if err != nil {
			t.Errorf("%s: %v", at, err)
			return
		}
		if err := schema.Validate(example); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		checked++
	})
	if checked < 120 {
		t.Errorf("only %d examples", checked)
	}
}

// walkExamples calls each with every JSON body of the operations.
func walkExamples(t *testing.T, document any, root string, each func(at string, media map[string]any)) {
	t.Helper()
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace
	contents := func(at string, holder any) {
		body, _ := holder.(map[string]any)
		content, _ := body["content"].(map[string]any)
		if media, ok := content["application/json"].(map[string]any); ok {
			each(at+"/content/"+escape("application/json"), media)
		}
	}
	paths := document.(map[string]any)["paths"].(map[string]any)
	for path, item := range paths {
		for method, op := range item.(map[string]any) {
			at := root + "/paths/" + escape(path) + "/" + method
			op, ok := op.(map[string]any)
			if !ok {
				continue
			}
			contents(at+"/requestBody", op["requestBody"])
			responses, _ := op["responses"].(map[string]any)
			for status, r := range responses {
				contents(at+"/responses/"+status, r)
			}
		}
	}
}

// TestExampleRequestsAreWellFormed sends the example of every request. What it
// names need not exist, but nothing of it may be refused as malformed.
func TestExampleRequestsAreWellFormed(t *testing.T) {
	t.Parallel()
	system := newSystem(t)
	admin := system.newAdmin()
	sent := 0
	for _, op := range published().operations {
		body, ok := op.bodies["application/json"]
		if !ok {
			continue
		}
		path := op.template
		for _, p := range op.parameters {
			if p.In == "path" {
				path = strings.ReplaceAll(path, "{"+p.Name+"}", uuid.NewString())
			}
		}
		data, err := json.Marshal(body.Example)
		if err != nil {
			t.Fatal(err)
		}
		sent++
		r := admin.send(op.method, path, string(data))
		var p api.Problem
		if r.status >= 400 {
			r.into(t, &p)
		}
		if op.id == "put-llm-config" && strings.Contains(p.Detail, "must be one of") {
			continue // it shows providers that are not configured here
		}
		if r.status >= 500 && r.status != 503 || p.Code == "invalid_request" {
			t.Errorf("%s with %s: %d %s", op.id, data, r.status, r.body)
		}
	}
	if sent < 30 {
		t.Errorf("only %d examples were sent", sent)
	}
}
