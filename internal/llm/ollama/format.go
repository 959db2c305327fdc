package ollama

import (
	"encoding/json"
	"strings"

	"generalbackend/internal/domain"
)

// maxStringLength is the longest maxLength that does not kill the server's
// runner, and with it every other stream on the model.
const maxStringLength = 2000

// format weakens a JSON schema to what the server's grammar survives. Nothing
// is lost: answers are checked against the full schema afterwards.
func format(schema json.RawMessage) (json.RawMessage, error) {
	if len(schema) == 0 {
		return nil, nil
	}
	var v any
	if err := json.Unmarshal(schema, &v); err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "The JSON schema of the answer is not valid.").WithCause(err)
	}
	weaken(v)
	return json.Marshal(v)
}

func weaken(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			weaken(item)
		}
	case map[string]any:
		weakenSchema(v)
	}
}

func weakenSchema(schema map[string]any) {
	if n, ok := schema["maxLength"].(float64); ok && n > maxStringLength {
		delete(schema, "maxLength")
	}
	if s, ok := schema["pattern"].(string); ok && !supported(s) {
		delete(schema, "pattern")
	}
	delete(schema, "not")
	for key, value := range schema {
		switch key {
		case "properties", "$defs", "definitions":
			weakenNamed(value) // their keys are names, not keywords
		case "enum", "const", "default", "examples":
		default:
			weaken(value)
		}
	}
}

func weakenNamed(v any) {
	if named, ok := v.(map[string]any); ok {
		for _, schema := range named {
			weaken(schema)
		}
	}
}

func supported(pattern string) bool {
	return strings.HasPrefix(pattern, "^") && strings.HasSuffix(pattern, "$") && !strings.Contains(pattern, "(?")
}
