package api_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/photo/phototest"
)

// description is as much of the published description as tests look at.
type description struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Security    []any
		Responses   map[string]struct {
			Description string
			Codes       []string `json:"x-codes"`
			Content     map[string]any
		}
	}
}

func (u *user) description() description {
	u.t.Helper()
	var d description
	u.must(200, "GET", "/openapi.json", nil).into(u.t, &d)
	return d
}

// TestForeignIDs: whatever takes an id in its address answers another user as
// if the thing did not exist, under /v1 and at the root.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	owner, other := s.newUser(), s.newUser()
	ids := owner.owned()
	bodies := map[string]any{
		"replace-project": object{"name": "mine now"}, "update-project": object{"name": "mine now"},
		"ask": object{"message": "what is theirs?"}, "update-story": object{"title": "mine now"}, "create-memory": object{"text": "mine now"},
		"update-memory": object{"title": "mine now"}, "update-name": object{"name": "mine now"}, "merge-names": object{"into": ids["name_id"]},
		"update-photo": object{"caption": "mine now"}, "ask-question": object{}, "refine-memory": object{},
	}
	tried := 0
	for path, operations := range other.description().Paths {
		address := path
		for name, id := range ids {
			address = strings.ReplaceAll(address, "{"+name+"}", id.String())
		}
		address = strings.ReplaceAll(address, "{stage}", string(domain.StageExtract))
		if address == path {
			continue
		}
		if strings.Contains(address, "{") {
			t.Errorf("the test knows no id for %s", path)
		}
		code, status := domain.CodeNotFound, 404
		if strings.HasPrefix(path, "/v1/admin/") {
			code, status = domain.CodeForbidden, 403
		}
		for method, op := range operations {
			tried++
			address := address
			if op.OperationID == "search-memories" {
				address += "?query=text"
			}
			method = strings.ToUpper(method)
			other.refused(code, status, method, address, bodies[op.OperationID])
			other.refused(code, status, method, strings.TrimPrefix(address, "/v1"), bodies[op.OperationID])
		}
	}
	if tried < 14 {
		t.Errorf("only %d operations with an id", tried)
	}
	for _, path := range []string{"/v1/projects/" + ids["project_id"].String(), "/v1/documents/" + ids["document_id"].String(), "/v1/cv-matcher/matches/" + ids["match_id"].String(), "/v1/jobs/" + ids["job_id"].String()} {
		owner.must(200, "GET", path, nil) // they are there, and unharmed
	}
}

// owned makes one of everything.
func (u *user) owned() map[string]uuid.UUID {
	u.t.Helper()
	var project api.Project
	u.must(201, "POST", "/v1/projects", object{"name": "mine"}).into(u.t, &project)
	document := u.ready("mine")
	answer := u.answered(project.ID, "mine?")
	match := u.matched(document.ID)
	var batch api.AcceptedBatch
	u.must(202, "POST", "/v1/cv-matcher/batches", object{
		"employer_documents": []uuid.UUID{document.ID}, "applicant_documents": []uuid.UUID{document.ID},
	}).into(u.t, &batch)
	told := u.told()
	var jobs api.Page[api.Job]
	u.must(200, "GET", "/v1/jobs", nil).into(u.t, &jobs)
	return map[string]uuid.UUID{
		"story_id": told["story_id"], "memory_id": told["memory_id"], "name_id": told["name_id"], "photo_id": told["photo_id"],
		"question_id": told["question_id"], "refinement_id": told["refinement_id"], "into": told["into"],
		"project_id": project.ID, "document_id": document.ID, "match_id": match.ID, "batch_id": batch.Batch.ID, "job_id": jobs.Items[0].ID,
		"user_id": u.id, "message_id": answer.ID,
	}
}

// told makes one of everything in a story.
func (u *user) told() map[string]uuid.UUID {
	u.t.Helper()
	s := u.teller(nil)
	m := s.tell(object{"text": "mine", "tags": []string{"mine", "ours"}})
	var question api.AcceptedInterview
	u.must(202, "POST", s.path+"/interview", object{}).into(u.t, &question)
	var refinement api.AcceptedRefinement
	u.must(202, "POST", s.memoryPath(m)+"/refine", object{}).into(u.t, &refinement)
	return map[string]uuid.UUID{
		"story_id": s.story.ID, "memory_id": m.ID, "name_id": m.Tags[0].ID, "photo_id": s.show(m, phototest.JPEG(u.t, phototest.Corners(8, 8), phototest.Exif{})).ID,
		"question_id": question.Question.ID, "refinement_id": refinement.Refinement.ID, "into": m.Tags[1].ID,
	}
}

func (u *user) matched(document uuid.UUID) api.Match {
	u.t.Helper()
	body := object{"employer_documents": []uuid.UUID{document}, "applicant_documents": []uuid.UUID{document}}
	var match api.Match
	u.must(201, "POST", "/v1/cv-matcher/match", body, "Prefer: wait=60").into(u.t, &match)
	return match
}

// TestForeignIDsInBodies: naming another user's things helps as little.
func TestForeignIDsInBodies(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	owner, other := s.newUser(), s.newUser()
	ids := owner.owned()
	project, document := ids["project_id"].String(), ids["document_id"].String()
	before, contentType := form(t, field{"project_id", "", project}, field{"file", "a.pdf", pdf})
	other.refused(domain.CodeNotFound, 404, "POST", "/v1/documents/upload", before, contentType)
	after, contentType := form(t, field{"file", "a.pdf", pdf}, field{"project_id", "", project})
	other.refused(domain.CodeNotFound, 404, "POST", "/v1/documents/upload", after, contentType)
	mine := other.ready("mine").ID.String()
	for path, body := range map[string]object{
		"/v1/documents/url":    {"url": "https://example.org", "project_id": project},
		"/v1/documents/text":   {"content": "text", "project_id": project},
		"/v1/documents/search": {"query": "text", "project_id": project},
		"/v1/cv-matcher/match": {"employer_documents": []string{mine}, "applicant_documents": []string{document}},
	} {
		other.refused(domain.CodeNotFound, 404, "POST", path, body)
	}
	other.refused(domain.CodeNotFound, 404, "POST", "/v1/documents/search", object{"query": "text", "document_ids": []string{document}})
	other.refused(domain.CodeNotFound, 404, "GET", "/v1/documents/search?query=text&document_ids="+mine+","+document, nil)
	var listed api.Page[api.DocumentSummary]
	other.must(200, "GET", "/v1/documents?project_id="+project, nil).into(t, &listed)
	if len(listed.Items) > 0 {
		t.Errorf("another user lists %+v", listed.Items)
	}
}
