package e2e_test

import (
	"encoding/json"
	"fmt"

	"generalbackend/internal/llm/llmtest"
)

// fromSchema answers a chat request with the smallest JSON that its schema
// allows: a model that is obedient and knows nothing.
func fromSchema(in llmtest.ChatRequest) string {
	var schema map[string]any
	if json.Unmarshal(in.Format, &schema) != nil {
		return "Nothing to say."
	}
	answer, err := json.MarshalIndent(instance(schema), "", " ") // in several pieces, so that it can be cut
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(answer)
}

func instance(schema map[string]any) any {
	if values, ok := schema["enum"].([]any); ok {
		return values[0]
	}
	switch schema["type"] {
	case "object":
		properties, _ := schema["properties"].(map[string]any)
		object := make(map[string]any, len(properties))
		for name, property := range properties {
			if property, ok := property.(map[string]any); ok {
				object[name] = instance(property)
			}
		}
		return object
	case "array":
		item, _ := schema["items"].(map[string]any)
		least, _ := schema["minItems"].(float64)
		items := make([]any, max(1, int(least)))
		for i := range items {
			items[i] = instance(item)
		}
		return items
	case "integer", "number":
		least, _ := schema["minimum"].(float64)
		return least
	case "boolean":
		return false
	}
	return "kettle"
}
