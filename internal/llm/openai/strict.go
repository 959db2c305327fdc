package openai

import (
	"maps"
	"slices"
)

// loose are keywords that strict mode refuses.
var loose = []string{
	"allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "oneOf", "patternProperties",
	"minLength", "maxLength", "uniqueItems", "contains", "minContains", "maxContains", "propertyNames",
	"minProperties", "maxProperties", "unevaluatedProperties", "unevaluatedItems",
}

// strict reports whether a schema may be sent with strict set: the root is an
// object, every object lists all its properties as required and allows no
// others, and no keyword beyond the supported ones occurs
// (https://platform.openai.com/docs/guides/structured-outputs).
func strict(schema any) bool {
	root, ok := schema.(map[string]any)
	return ok && root["type"] == "object" && strictSchema(root)
}

func strictSchema(schema map[string]any) bool {
	if slices.ContainsFunc(loose, func(k string) bool { _, has := schema[k]; return has }) {
		return false
	}
	if schema["type"] == "object" && !closed(schema) {
		return false
	}
	for _, key := range []string{"properties", "$defs", "definitions"} {
		if named, ok := schema[key].(map[string]any); ok && !strictAll(slices.Collect(maps.Values(named))) {
			return false
		}
	}
	list, _ := schema["anyOf"].([]any)
	if items, ok := schema["items"]; ok {
		list = append(list, items)
	}
	return strictAll(list)
}

func strictAll(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		schema, ok := v.(map[string]any)
		return !ok || !strictSchema(schema)
	})
}

// closed reports whether an object has exactly the properties it names.
func closed(schema map[string]any) bool {
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for name := range properties {
		if !slices.Contains(required, any(name)) {
			return false
		}
	}
	return schema["additionalProperties"] == false
}
