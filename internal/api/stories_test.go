package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// teller is a user with a story.
type teller struct {
	*user
	story api.Story
	path  string
}

func (u *user) teller(fields object) *teller {
	u.t.Helper()
	body := object{"title": "Ein Leben", "subject": "Oma Hanne", "language": "de"}
	for k, v := range fields {
		body[k] = v
	}
	s := &teller{user: u}
	u.must(201, "POST", "/v1/stories", body).into(u.t, &s.story)
	s.path = "/v1/stories/" + s.story.ID.String()
	return s
}

func (s *teller) tell(body object) api.Memory {
	s.t.Helper()
	var m api.Memory
	s.must(201, "POST", s.path+"/memories", body).into(s.t, &m)
	return m
}

func (s *teller) memoryPath(m api.Memory) string { return s.path + "/memories/" + m.ID.String() }

const nobody = "/0198c5b1-0000-7000-8000-00000000dead"

func TestStories(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var project, other api.Project
	u.must(201, "POST", "/v1/projects", object{"name": "lives", "type": "tell_me_life"}).into(t, &project)
	u.must(201, "POST", "/v1/projects", object{"name": "else"}).into(t, &other)
	s := u.teller(object{"born_on": "1938-05-17", "project_id": project.ID})
	if s.story.Language != "de" || s.story.BornOn == nil || *s.story.BornOn != "1938-05-17" || *s.story.ProjectID != project.ID {
		t.Errorf("made %+v", s.story)
	}
	u.teller(nil)
	var changed api.Story
	s.must(200, "PATCH", s.path, object{"title": "Hannes Leben", "born_on": "", "language": "en"}).into(t, &changed)
	if changed.Title != "Hannes Leben" || changed.BornOn != nil || changed.Subject != "Oma Hanne" || changed.Language != "en" {
		t.Errorf("changed to %+v", changed)
	}
	s.must(200, "PATCH", s.path, object{"subject": "Hanne", "born_on": "1938-05-18"}).into(t, &changed)
	if changed.Subject != "Hanne" || *changed.BornOn != "1938-05-18" {
		t.Errorf("changed to %+v", changed)
	}
	var read api.Story
	s.must(200, "GET", s.path, nil).into(t, &read)
	if diff := cmp.Diff(changed, read); diff != "" {
		t.Errorf("read another story (-changed +read):\n%s", diff)
	}
	var page api.Page[api.Story]
	u.must(200, "GET", "/v1/stories?project_id="+project.ID.String(), nil).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != s.story.ID {
		t.Errorf("listed %+v", page.Items)
	}
	u.must(200, "GET", "/v1/stories?limit=1", nil).into(t, &page)
	if len(page.Items) != 1 || page.NextCursor == nil {
		t.Errorf("listed %+v", page)
	}
	for name, body := range map[string]object{
		"no title": {"title": "   "}, "a birth to come": {"title": "x", "born_on": "2999-01-01"}, "no day": {"title": "x", "born_on": "1938"},
		"language": {"title": "x", "language": "german"}, "another type": {"title": "x", "project_id": other.ID},
	} {
		if r := u.send("POST", "/v1/stories", body); r.status != 422 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	u.refused(domain.CodeNotFound, 404, "POST", "/v1/stories", object{"title": "x", "project_id": uuid.New()})
	s.refused(domain.CodeInvalid, 422, "PATCH", s.path, object{"title": " "})
	s.refused(domain.CodeInvalid, 422, "PATCH", s.path, object{"born_on": "soon"})
	s.refused(domain.CodeNotFound, 404, "PATCH", "/v1/stories"+nobody, object{"title": "x"})
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody, nil)
	s.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/stories?cursor=x", nil)
	s.must(204, "DELETE", s.path, nil)
	s.refused(domain.CodeNotFound, 404, "DELETE", s.path, nil)
}

func TestStoriesAreEnglishUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var s api.Story
	u.must(201, "POST", "/v1/stories", object{"title": "x"}).into(t, &s)
	if s.Language != "en" {
		t.Errorf("language %q", s.Language)
	}
}

func TestMemories(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	m := s.tell(object{
		"text": "Meine Mutter hatte mir ein blaues Kleid genäht,\r\nund ich war sehr stolz darauf, es tragen zu dürfen.",
		"when": object{"earliest": "1944-09"}, "people": []object{{"name": "Mutter", "relation": "Mutter"}, {"name": "Rosa"}},
		"places": []string{"Königsberg"}, "tags": []string{"Schule", "schule"},
	})
	if m.When.Precision != "month" || *m.When.Earliest != "1944-09-01" || *m.When.Latest != "1944-09-30" || m.When.Text != "September 1944" {
		t.Errorf("when %+v", m.When)
	}
	if m.Title != "Meine Mutter hatte mir ein blaues Kleid genäht, und ich war …" || strings.Contains(m.Text, "\r") || len(m.Tags) != 1 || len(m.People) != 2 {
		t.Errorf("memory %+v", m)
	}
	path := s.memoryPath(m)
	s.must(200, "PATCH", path, object{"title": "Das Kleid", "text": "Ein blaues Kleid.", "tags": []string{}, "when": object{"precision": "circa", "earliest": "1944"}}).into(t, &m)
	if m.Title != "Das Kleid" || m.Text != "Ein blaues Kleid." || m.CurrentVersion != 2 || len(m.Versions) != 2 || m.Versions[1].Kind != "edited" {
		t.Errorf("changed to %+v", m)
	}
	if len(m.Tags) != 0 || len(m.Places) != 1 || !strings.HasPrefix(m.OriginalText, "Meine Mutter") || m.When.Text != "um 1944" {
		t.Errorf("changed to %+v", m)
	}
	s.must(200, "PATCH", path, object{"current_version": 1}).into(t, &m)
	if !strings.HasPrefix(m.Text, "Meine Mutter") || len(m.Versions) != 2 {
		t.Errorf("gone back to %+v", m)
	}
	s.tell(object{"title": "Zweite", "text": "x"})
	var page api.Page[api.Memory]
	s.must(200, "GET", s.path+"/memories?limit=1", nil).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].Title != "Zweite" || page.NextCursor == nil {
		t.Fatalf("listed %+v", page)
	}
	s.must(200, "GET", s.path+"/memories?limit=1&cursor="+*page.NextCursor, nil).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != m.ID || page.NextCursor != nil || len(page.Items[0].Versions) > 0 {
		t.Errorf("listed %+v", page)
	}
	for name, body := range map[string]object{
		"nothing said": {"text": " \n "}, "a time to come": {"text": "x", "when": object{"earliest": "2999"}},
		"turned around": {"text": "x", "when": object{"earliest": "1960", "latest": "1950"}},
		"no date":       {"text": "x", "when": object{"earliest": "gestern"}}, "a day without one": {"text": "x", "when": object{"precision": "day", "earliest": "1960"}},
		"an empty name": {"text": "x", "places": []string{" "}}, "a number": {"text": 4},
	} {
		if r := s.send("POST", s.path+"/memories", body); r.status != 422 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	s.refused(domain.CodeNotFound, 404, "POST", s.path+"/memories", object{"text": "x", "question_id": uuid.New()})
	s.refused(domain.CodeNotFound, 404, "POST", "/v1/stories"+nobody+"/memories", object{"text": "x"})
	for _, body := range []object{{"title": " "}, {"text": " "}, {"current_version": 9}, {"text": "x", "current_version": 1}, {"when": object{"earliest": "2999"}}, {"tags": []string{""}}} {
		s.refused(domain.CodeInvalid, 422, "PATCH", path, body)
	}
	s.refused(domain.CodeNotFound, 404, "PATCH", s.path+"/memories"+nobody, object{"title": "x"})
	s.refused(domain.CodeNotFound, 404, "GET", s.path+"/memories"+nobody, nil)
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody+"/memories", nil)
	s.refused(domain.CodeInvalidCursor, 400, "GET", s.path+"/memories?cursor=x", nil)
	s.must(200, "GET", path, nil)
	s.must(204, "DELETE", path, nil)
	s.refused(domain.CodeNotFound, 404, "DELETE", path, nil)
}

func TestTooManyMemories(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	_, err := s.connect().Exec(t.Context(), "INSERT INTO memories (id, user_id, story_id, title, precision) SELECT gen_random_uuid(), $1, $2, 'x', 'unknown' FROM generate_series(1, 2000)", s.id, s.story.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.refused(domain.CodeConflict, 409, "POST", s.path+"/memories", object{"text": "x"})
}

// TestLongMemories: the longest text that is accepted is indexed, whatever its
// words.
func TestLongMemories(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	var b strings.Builder
	for r := rune(0x20000); b.Len() < 240_000; r++ {
		b.WriteRune(r)
		b.WriteRune(0x4E00 + r%20000)
		b.WriteByte(' ')
	}
	s.tell(object{"text": b.String() + " Ende"})
}

func TestNamesOfStories(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	s.tell(object{"text": "a", "people": []object{{"name": "Rosa"}}, "places": []string{"Ulm"}})
	s.tell(object{"text": "b", "people": []object{{"name": "rosa", "relation": "Tante"}, {"name": "Rosa", "relation": "Katze"}}})
	var page api.Page[api.Name]
	s.must(200, "GET", s.path+"/names?kind=person", nil).into(t, &page)
	if len(page.Items) != 2 || page.Items[1].Relation != "Tante" || page.Items[1].Memories != 2 || page.Items[0].Relation != "Katze" {
		t.Fatalf("people %+v", page.Items)
	}
	cat, aunt := page.Items[0], page.Items[1]
	s.must(200, "GET", s.path+"/names?limit=1", nil).into(t, &page)
	if len(page.Items) != 1 || page.NextCursor == nil {
		t.Errorf("names %+v", page)
	}
	s.must(200, "GET", s.path+"/names?kind=place", nil).into(t, &page)
	place := page.Items[0]
	names := s.path + "/names/"
	var changed api.Name
	s.must(200, "PATCH", names+cat.ID.String(), object{"name": "Minka", "relation": "Kater"}).into(t, &changed)
	if changed.Name != "Minka" || changed.Relation != "Kater" || changed.Memories != 1 {
		t.Errorf("changed to %+v", changed)
	}
	s.refused(domain.CodeConflict, 409, "PATCH", names+cat.ID.String(), object{"name": "ROSA", "relation": "Tante"})
	s.refused(domain.CodeInvalid, 422, "PATCH", names+place.ID.String(), object{"relation": "Tante"})
	s.refused(domain.CodeInvalid, 422, "PATCH", names+place.ID.String(), object{"name": " "})
	s.refused(domain.CodeNotFound, 404, "PATCH", names+nobody[1:], object{"name": "x"})
	s.refused(domain.CodeInvalid, 422, "POST", names+cat.ID.String()+"/merge", object{"into": place.ID})
	s.refused(domain.CodeInvalid, 422, "POST", names+cat.ID.String()+"/merge", object{"into": cat.ID})
	s.refused(domain.CodeNotFound, 404, "POST", names+cat.ID.String()+"/merge", object{"into": uuid.New()})
	s.must(200, "POST", names+cat.ID.String()+"/merge", object{"into": aunt.ID}).into(t, &changed)
	if changed.ID != aunt.ID || changed.Memories != 2 {
		t.Errorf("merged to %+v", changed)
	}
	s.refused(domain.CodeNotFound, 404, "POST", names+cat.ID.String()+"/merge", object{"into": aunt.ID})
	s.must(204, "DELETE", names+aunt.ID.String(), nil)
	s.refused(domain.CodeNotFound, 404, "DELETE", names+aunt.ID.String(), nil)
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody+"/names", nil)
	s.refused(domain.CodeInvalidCursor, 400, "GET", s.path+"/names?cursor=x", nil)
}

func TestTimelineOfAStory(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(object{"born_on": "1938-05-17"})
	school := s.tell(object{"text": "Schule", "when": object{"earliest": "1944-09-01"}})
	wedding := s.tell(object{"text": "Hochzeit", "when": object{"precision": "circa", "earliest": "1961"}})
	undated := s.tell(object{"text": "Ein Sommer", "when": object{"label": "als ich klein war"}})
	var line api.Timeline
	s.must(200, "GET", s.path+"/timeline", nil).into(t, &line)
	if len(line.Undated) != 1 || line.Undated[0].ID != undated.ID || line.Undated[0].When.Text != "als ich klein war" {
		t.Errorf("undated %+v", line.Undated)
	}
	told := map[string]uuid.UUID{}
	for _, p := range line.Phases {
		for _, m := range p.Memories {
			told[p.Key] = m.ID
		}
	}
	if len(line.Phases) != 6 || told["childhood"] != school.ID || told["young_adult"] != wedding.ID || line.Phases[0].Title != "Kindheit" {
		t.Errorf("phases %+v", line.Phases)
	}
	if len(line.Gaps) != 3 || line.Gaps[0].FromYear != 1938 || line.Gaps[0].ToYear != 1943 || *line.Gaps[1].After != school.ID || *line.Gaps[1].Before != wedding.ID || line.Gaps[2].Before != nil {
		t.Errorf("gaps %+v", line.Gaps)
	}
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody+"/timeline", nil)
}

func TestSearchInAStory(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	m := s.tell(object{"title": "Fluss", "text": "In den Häusern wohnten Fischer.", "people": []object{{"name": "Friederike"}}})
	for _, query := range []string{"haus", "fried", "fluss", "Fischern"} {
		var found api.MemoriesFound
		s.must(200, "GET", s.path+"/search?query="+query, nil).into(t, &found)
		if len(found.Results) != 1 || found.Results[0].Memory.ID != m.ID || found.Results[0].Snippet == "" {
			t.Errorf("%s finds %+v", query, found)
		}
	}
	var found api.MemoriesFound
	s.must(200, "GET", s.path+"/search?query=nichts", nil).into(t, &found)
	if found.Results == nil || len(found.Results) > 0 {
		t.Errorf("found %+v", found)
	}
	s.refused(domain.CodeInvalid, 422, "GET", s.path+"/search", nil)
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody+"/search?query=x", nil)
}
