package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// tidy corrects what huma assumes of all types: lists are never null here, and
// fields we do not know are ignored, not refused.
func tidy(description *huma.OpenAPI) {
	for _, schema := range description.Components.Schemas.Map() {
		tidySchema(schema)
	}
	for _, path := range description.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				tidySchema(p.Schema)
			}
			for _, r := range op.Responses {
				for _, media := range r.Content {
					tidySchema(media.Schema)
				}
			}
		}
	}
}

func tidySchema(schema *huma.Schema) {
	if schema == nil {
		return
	}
	if schema.Type == huma.TypeArray {
		schema.Nullable = false
	}
	if closed, ok := schema.AdditionalProperties.(bool); ok && !closed {
		schema.AdditionalProperties = nil
	}
	if values, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		tidySchema(values)
	}
	tidySchema(schema.Items)
	for _, property := range schema.Properties {
		tidySchema(property)
	}
}

// describeBody documents a body that the handler reads itself. It follows
// registration: a body declared before would be read and held by huma.
func (s *server) describeBody(path string, body *huma.RequestBody) {
	s.api.OpenAPI().Paths["/v1"+path].Post.RequestBody = body
}
