package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// exemplify gives every JSON body of the description an example: of a request
// what must be sent and what is shown by a field's own example, of a reply all
// of it.
func exemplify(description *huma.OpenAPI) {
	e := examples{description.Components.Schemas}
	for _, path := range description.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op == nil {
				continue
			}
			if op.RequestBody != nil {
				e.fill(op.RequestBody.Content, true)
			}
			for _, r := range op.Responses {
				e.fill(r.Content, false)
			}
		}
	}
}

const exampleID = "0198c5b1-0000-7000-8000-000000000000"

type examples struct{ schemas huma.Registry }

func (e examples) fill(content map[string]*huma.MediaType, request bool) {
	for kind, media := range content {
		if kind == "application/json" && media.Example == nil && len(media.Examples) == 0 {
			media.Example = e.of(media.Schema, request, nil)
		}
	}
}

// of makes a value of a schema. Types that hold themselves end in an empty list
// or are left out.
func (e examples) of(s *huma.Schema, request bool, within []string) any {
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Ref != "":
		if slices.Contains(within, s.Ref) {
			return nil
		}
		return e.of(e.schemas.SchemaFromRef(s.Ref), request, append(slices.Clone(within), s.Ref))
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return e.of(s.OneOf[0], request, within)
	case len(s.AnyOf) > 0:
		return e.of(s.AnyOf[0], request, within)
	}
	switch s.Type {
	case huma.TypeObject:
		return e.object(s, request, within)
	case huma.TypeArray:
		if item := e.of(s.Items, request, within); item != nil {
			return []any{item}
		}
		return []any{}
	case huma.TypeString:
		return exampleText(s)
	case huma.TypeInteger, huma.TypeNumber:
		return exampleNumber(s)
	case huma.TypeBoolean:
		return false
	}
	return map[string]any{} // anything
}

// object shows of a request's optional fields only those with an example of
// their own: others may exclude each other.
func (e examples) object(s *huma.Schema, request bool, within []string) any {
	made := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		required := slices.Contains(s.Required, name)
		if request && !required && len(property.Examples) == 0 {
			continue
		}
		if value := e.of(property, request, within); value != nil {
			made[name] = value
		} else if required {
			made[name] = []any{}
		}
	}
	return made
}

func exampleText(s *huma.Schema) any {
	switch s.Format {
	case "uuid":
		return exampleID
	case "date-time":
		return "2026-03-01T12:00:00Z"
	case "date":
		return "2026-03-01"
	case "email":
		return "ada@example.org"
	case "uri":
		return "https://example.org/"
	}
	if s.MinLength != nil {
		return strings.Repeat("x", *s.MinLength)
	}
	return ""
}

func exampleNumber(s *huma.Schema) any {
	if s.Minimum != nil && *s.Minimum > 0 {
		return *s.Minimum
	}
	return 0
}
