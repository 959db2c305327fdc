package schema_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"generalbackend/internal/domain"
	"generalbackend/schema"
)

// messages holds examples of the Go type behind each event schema.
func messages() map[string][]any {
	jobs := []any{}
	for _, stage := range domain.Stages() {
		for _, class := range domain.Classes() {
			jobs = append(jobs, domain.JobMessage{JobID: uuid.New(), UserID: uuid.New(), Stage: stage, Class: class})
		}
	}
	return map[string][]any{
		"job.json":  jobs,
		"hint.json": {domain.JobHint{JobID: uuid.New(), UserID: uuid.New()}},
		"tokens.json": {
			domain.TokenEvent{JobID: uuid.New(), Attempt: 1, Type: domain.TokenStart},
			domain.TokenEvent{JobID: uuid.New(), Attempt: 2, Index: 1, Type: domain.TokenText, Text: "word "},
			domain.TokenEvent{JobID: uuid.New(), Attempt: 2, Index: 2, Type: domain.TokenEnd},
		},
	}
}

func TestEveryEventSchemaHasItsType(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(schema.Events, "events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range slices.Sorted(maps.Keys(messages())) {
		want = append(want, "events/"+name)
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesFollowTheirSchemas(t *testing.T) {
	t.Parallel()
	for name, examples := range messages() {
		compiled, properties := compile(t, name)
		for _, example := range examples {
			body, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(value); err != nil {
				t.Errorf("%s: %s: %v", name, body, err)
			}
			fields := slices.Sorted(maps.Keys(value.(map[string]any)))
			if diff := cmp.Diff(properties, fields); diff != "" {
				t.Errorf("%s and its Go type differ: %s", name, diff)
			}
		}
	}
}

func TestSchemasRefuseOtherMessages(t *testing.T) {
	t.Parallel()
	compiled, _ := compile(t, "job.json")
	for _, body := range []string{
		`{}`, `{"job_id":"1","user_id":"2","stage":"extract"}`,
		`{"job_id":"a","user_id":"b","stage":"paint","class":"bulk"}`,
		`{"job_id":"a","user_id":"b","stage":"embed","class":"bulk","content":"text"}`,
	} {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		if compiled.Validate(value) == nil {
			t.Errorf("accepted %s", body)
		}
	}
}

// compile reads one schema and the names of its properties.
func compile(t *testing.T, name string) (*jsonschema.Schema, []string) {
	t.Helper()
	raw, err := schema.Events.ReadFile("events/" + name)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	properties := document.(map[string]any)["properties"].(map[string]any)
	return compiled, slices.Sorted(maps.Keys(properties))
}
