package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"generalbackend/internal/domain"
)

// completeStructured asks for an answer valid against req.Schema and gives the
// model one chance to repair a bad one.
func completeStructured(req CompleteRequest, ask func(CompleteRequest) (CompleteResponse, error)) (CompleteResponse, error) {
	schema, err := compileSchema(req.Schema)
	if err != nil {
		return CompleteResponse{}, err
	}
	first, err := ask(req)
	if err != nil {
		return first, err
	}
	fault := validate(schema, &first)
	if fault == nil {
		return first, nil
	}
	second, err := ask(repair(req, first.Content, fault))
	second.Usage.PromptTokens += first.Usage.PromptTokens // it was used up, whatever became of the second
	second.Usage.CompletionTokens += first.Usage.CompletionTokens
	if err != nil {
		return second, err
	}
	if fault := validate(schema, &second); fault != nil {
		return second, domain.Errorf(domain.CodeModelMalformed, "The language model did not answer in the form asked for.").WithCause(fault)
	}
	return second, nil
}

func compileSchema(raw json.RawMessage) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, invalidSchema(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // remote references are refused
	const name = "urn:answer"                 // errors name it, and models read them: no path of this machine
	if err := c.AddResource(name, doc); err != nil {
		return nil, invalidSchema(err)
	}
	schema, err := c.Compile(name)
	if err != nil {
		return nil, invalidSchema(err)
	}
	return schema, nil
}

func invalidSchema(err error) error {
	return domain.Errorf(domain.CodeInvalid, "The JSON schema of the answer is not valid.").WithCause(err)
}

// validate checks resp against schema and strips a Markdown fence, which models
// without grammar support like to add.
func validate(schema *jsonschema.Schema, resp *CompleteResponse) error {
	content := unfence(resp.Content)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(content))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	if err := schema.Validate(value); err != nil {
		return err
	}
	resp.Content = content
	return nil
}

func unfence(s string) string {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "```"); ok {
		if _, body, ok := strings.Cut(rest, "\n"); ok {
			return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(body), "```"))
		}
	}
	return s
}

// maxEcho bounds how much of a bad answer goes back to the model.
const maxEcho = 4000

func repair(req CompleteRequest, answer string, fault error) CompleteRequest {
	turn := fmt.Sprintf("Your answer does not fit the JSON schema:\n%.800s\nAnswer again with JSON that fits the schema, and nothing else.", fault)
	req.Messages = slices.Concat(req.Messages, []Message{
		{Role: RoleAssistant, Content: clip(answer, maxEcho)},
		{Role: RoleUser, Content: turn},
	})
	return req
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
