package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// sampler makes requests that an operation takes, with ids of things that are
// there.
type sampler struct {
	t    testing.TB
	ids  map[string]uuid.UUID // by the name that addresses use; nil for ids of nothing
	text map[string]string    // by field: what no schema can know
	all  bool                 // name ids also where that is optional

	links map[string]string // tokens of mailed links, by where they lead

	asked []string             // the fields for which ids were wanted
	alien string               // one of them, whose id comes from elsewhere
	from  map[string]uuid.UUID // nil for ids of nothing
}

// sampler makes requests about what a user owns.
func (u *user) sampler(ids map[string]uuid.UUID) *sampler {
	return &sampler{t: u.t, ids: ids, text: map[string]string{
		"refresh_token": u.refresh, "username": u.email, "password": password,
		"provider": "offline", "model": "",
	}}
}

// links are what the user's mails hold.
func (u *user) links() map[string]string {
	u.t.Helper()
	links := map[string]string{}
	for _, kind := range []domain.MailKind{domain.MailVerify, domain.MailReset} {
		letter, err := u.accounts.Letter(u.t.Context(), domain.Mail{ID: uuid.New(), Kind: kind, UserID: &u.id, Attempt: 2})
		if err != nil {
			u.t.Fatal(err)
		}
		address, err := url.Parse(letter.Link)
		if err != nil {
			u.t.Fatal(err)
		}
		links[address.Path] = address.Query().Get("token")
	}
	return links
}

// named are the names under which bodies and queries have the ids of addresses.
var named = map[string]string{
	"employer_documents": "document_id", "applicant_documents": "document_id",
	"employer_doc_ids": "document_id", "applicant_doc_ids": "document_id",
	"resource_id": "document_id", "ids": "job_id", "actor_id": "user_id", "into": "name_id",
}

// id is one for a field; not to know one is an error, so that no field is
// forgotten.
func (s *sampler) id(name string) (uuid.UUID, bool) {
	s.asked = append(s.asked, name)
	ids := s.ids
	if name == s.alien {
		ids = s.from
	}
	if ids == nil {
		return uuid.New(), true
	}
	for _, candidate := range []string{name, named[name], strings.TrimSuffix(name, "s")} {
		if id, ok := ids[candidate]; ok {
			return id, true
		}
	}
	s.t.Errorf("the tests know no id for %q: add it to owned in isolation_test.go, or to named in sample_test.go", name)
	return uuid.Nil, false
}

// sample is a request.
type sample struct {
	method, path string
	body         []byte
	media        string
}

// said is all that the request says, its address as it is written and as it is
// meant.
func (r sample) said() string {
	meant, err := url.QueryUnescape(r.path)
	if err != nil {
		meant = ""
	}
	return r.path + "\n" + meant + "\n" + string(r.body)
}

// sample is a request for an operation under /v1 that its schema allows.
func (s *sampler) sample(op *operation) sample {
	s.t.Helper()
	if op.secured {
		delete(s.text, "token")
	} else if path := strings.TrimPrefix(op.template, "/v1"); s.links[path] != "" {
		s.text["token"] = s.links[path]
	}
	r := sample{method: op.method, path: s.address(op)}
	media, form := op.body()
	switch media {
	case "":
	case jsonType:
		body, err := json.Marshal(s.body(form))
		if err != nil {
			s.t.Fatal(err)
		}
		r.body, r.media = body, jsonType
	case multipartType:
		r.body, r.media = s.form(form.Schema)
	default:
		s.t.Fatalf("%s takes %s, of which the tests cannot make any", op.id, media)
	}
	return r
}

const (
	jsonType      = "application/json"
	multipartType = "multipart/form-data"
)

// body is the form of body that samples use: JSON where there is a choice.
func (op *operation) body() (string, media) {
	if m, ok := op.bodies[jsonType]; ok {
		return jsonType, m
	}
	for _, name := range slices.Sorted(maps.Keys(op.bodies)) {
		return name, op.bodies[name]
	}
	return "", media{}
}

// address fills the parameters in an operation's address and adds the query
// parameters that must be there, or that name something.
func (s *sampler) address(op *operation) string {
	path, query := op.template, []string{}
	for _, p := range op.parameters {
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(s.parameter(p)))
		case p.In == "query" && (p.Required || s.all && isID(p.Name, p.Schema)):
			query = append(query, p.Name+"="+url.QueryEscape(fmt.Sprint(s.parameter(p))))
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path
}

func (s *sampler) parameter(p parameter) any {
	v := s.value(p.Name, p.Schema)
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i := range list {
			parts[i] = fmt.Sprint(list[i])
		}
		return strings.Join(parts, ",")
	}
	return v
}

// isID reports whether a field holds ids of things.
func isID(name string, s schema) bool {
	s = published().resolve(s)
	if s.kind() == "array" {
		return isID(name, within(s["items"])) || strings.HasSuffix(name, "_ids")
	}
	return s["format"] == "uuid"
}

// body is a JSON value: the example of the whole, or made from the schema.
func (s *sampler) body(m media) any { return s.value("", m.Schema) }

// value is one that a schema allows.
func (s *sampler) value(field string, sc schema) any {
	sc = published().resolve(sc)
	if text, ok := s.text[field]; ok && sc.kind() == "string" {
		return text
	}
	if isID(field, sc) && sc.kind() != "array" {
		id, _ := s.id(field)
		return id.String()
	}
	if sc.kind() != "object" && sc.kind() != "array" {
		if v := given(sc); v != nil {
			return v
		}
	}
	return s.made(field, sc)
}

// given is a value that the schema itself names.
func given(sc schema) any {
	if all, ok := sc["examples"].([]any); ok && len(all) > 0 {
		return all[0]
	}
	if v, ok := sc["default"]; ok {
		return v
	}
	if all, ok := sc["enum"].([]any); ok && len(all) > 0 {
		return all[0]
	}
	return nil
}

func (s *sampler) made(field string, sc schema) any {
	switch sc.kind() {
	case "object":
		return s.object(sc)
	case "array":
		if isID(field, sc) {
			id, _ := s.id(field)
			return []any{id.String()}
		}
		if v, ok := given(sc).([]any); ok {
			return v
		}
		return []any{s.value(field, within(sc["items"]))}
	case "integer", "number":
		least, _ := sc["minimum"].(float64)
		return least
	case "boolean":
		return false
	}
	return text(sc)
}

func (s *sampler) object(sc schema) any {
	made := map[string]any{}
	required, _ := sc["required"].([]any)
	for name, property := range sc.properties() {
		if slices.Contains(required, any(name)) || (s.all || len(required) == 0) && isID(name, property) || property["examples"] != nil || s.text[name] != "" {
			made[name] = s.value(name, property)
		}
	}
	return made
}

// text is a string of the form that a schema wants.
func text(sc schema) string {
	switch sc["format"] {
	case "email":
		return uuid.NewString() + "@example.org"
	case "uri":
		return "https://example.org/page"
	case "date":
		return "2020-02-29"
	case "date-time":
		return "2020-02-29T12:00:00Z"
	}
	least, _ := sc["minLength"].(float64)
	return strings.Repeat("a", max(int(least), 1))
}

// form is a multipart body: a small file, and the other fields that must be
// there or name something.
func (s *sampler) form(sc schema) (body []byte, contentType string) {
	required, _ := sc["required"].([]any)
	var fields []field
	for name, property := range sc.properties() {
		switch {
		case property["format"] == "binary":
			fields = append(fields, field{name, "sample.txt", "A plain text of a few words.\n"})
		case slices.Contains(required, any(name)) || s.all && isID(name, property):
			fields = append(fields, field{name, "", fmt.Sprint(s.value(name, property))})
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(b.name, a.name) })
	text, header := form(s.t, fields...)
	_, contentType, _ = strings.Cut(header, ": ")
	return []byte(text), contentType
}
