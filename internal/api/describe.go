package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// tidy corrects what huma assumes of all types: lists are never null here, and
// fields we do not know are ignored, not refused.
func tidy(description *huma.OpenAPI) {
	for name, schema := range description.Components.Schemas.Map() {
		tidySchema(schema)
		if t := description.Components.Schemas.TypeFromRef("#/components/schemas/" + name); t != nil {
			nameIDs(t, schema)
		}
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

// nameIDs says of each field that holds ids that they are UUIDs.
func nameIDs(t reflect.Type, schema *huma.Schema) {
	if t.Kind() != reflect.Struct || schema.Type != huma.TypeObject {
		return
	}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		property := schema.Properties[name]
		if property == nil {
			continue
		}
		switch field.Type {
		case typeOf[uuid.UUID](), typeOf[*uuid.UUID]():
			property.Format = "uuid"
		case typeOf[[]uuid.UUID]():
			property.Items.Format = "uuid"
		}
	}
}

// describeBody documents a body that the handler reads itself. It follows
// registration: a body declared before would be read and held by huma.
func (s *server) describeBody(path string, body *huma.RequestBody) {
	s.api.OpenAPI().Paths["/v1"+path].Post.RequestBody = body
}
