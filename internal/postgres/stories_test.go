package postgres_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// telling is a story of a user in a store.
type telling struct {
	*testing.T
	store *postgres.Store
	story domain.Story
}

func newTelling(t *testing.T, store *postgres.Store, language string) telling {
	t.Helper()
	story, err := store.CreateStory(t.Context(), domain.Story{
		ID: uuid.Must(uuid.NewV7()), UserID: newUser(t, store), Title: "A life", Subject: "Hanne", Language: language,
	})
	if err != nil {
		t.Fatal(err)
	}
	return telling{t, store, story}
}

func (s telling) tell(title, text string, names ...domain.Name) domain.Memory {
	s.Helper()
	m, err := s.store.CreateMemory(s.Context(), domain.Memory{
		ID: uuid.Must(uuid.NewV7()), UserID: s.story.UserID, StoryID: s.story.ID, Title: title, Text: text, Names: names,
		Period: domain.Period{Precision: domain.PrecisionUnknown},
	})
	if err != nil {
		s.Fatal(err)
	}
	return m
}

// TestNamesInAnyOrder: memories told at the same time name the same people, and
// neither waits for the other for ever.
func TestNamesInAnyOrder(t *testing.T) {
	t.Parallel()
	s := newTelling(t, open(t), "en")
	var names []domain.Name
	for i := range 40 {
		names = append(names, domain.Name{Kind: domain.NamePerson, Name: fmt.Sprint("Person ", i)})
	}
	backwards := slices.Clone(names)
	slices.Reverse(backwards)
	var both sync.WaitGroup
	for _, order := range [][]domain.Name{names, backwards} {
		both.Go(func() {
			_, err := s.store.CreateMemory(t.Context(), domain.Memory{
				ID: uuid.Must(uuid.NewV7()), UserID: s.story.UserID, StoryID: s.story.ID, Title: "t", Text: "t", Names: order,
				Period: domain.Period{Precision: domain.PrecisionUnknown},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	all, err := s.store.Names(t.Context(), s.story.UserID, s.story.ID, domain.NamePerson, nil, 100)
	if len(all) != len(names) || err != nil {
		t.Errorf("%d names, %v", len(all), err)
	}
}

func (s telling) found(query string) []string {
	s.Helper()
	rows, err := s.store.SearchMemories(s.Context(), s.story.UserID, s.story.ID, query, 10)
	if err != nil {
		s.Fatalf("%q: %v", query, err)
	}
	var titles []string
	for _, r := range rows {
		titles = append(titles, r.Memory.Title)
	}
	return titles
}

func TestMemoriesAreFound(t *testing.T) {
	t.Parallel()
	store := open(t)
	de, en := newTelling(t, store, "de"), newTelling(t, store, "en")
	de.tell("Die Schule", "In den Häusern am Fluss wohnten Fischer.", domain.Name{Kind: domain.NamePerson, Name: "Friederike Möller", Relation: "Tante"})
	de.tell("Der Krieg", "Wir sangen trotzdem.", domain.Name{Kind: domain.NamePlace, Name: "Königsberg"}, domain.Name{Kind: domain.NameTag, Name: "Musik"})
	en.tell("The farm", "We were riding horses.", domain.Name{Kind: domain.NamePerson, Name: "Uncle Bob"})
	for query, want := range map[string]string{
		"Haus": "Die Schule", "häuser": "Die Schule", "fried": "Die Schule", "möll": "Die Schule", "tante": "Die Schule",
		"Schul": "Die Schule", "königs": "Der Krieg", "singen OR sangen": "Der Krieg", "musik": "Der Krieg",
	} {
		if got := de.found(query); !slices.Equal(got, []string{want}) {
			t.Errorf("%q finds %q, want %q", query, got, want)
		}
	}
	for query, want := range map[string]string{"horse": "The farm", "ride": "The farm", "bob": "The farm"} {
		if got := en.found(query); !slices.Equal(got, []string{want}) {
			t.Errorf("%q finds %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"", "'", "& | !", "\\", "a:*", "nichts davon", `"`, "<->", "👵", "horse"} {
		if got := de.found(query); len(got) > 0 {
			t.Errorf("%q finds %q", query, got)
		}
	}
}

func TestNamesAreFoundByTheirNewName(t *testing.T) {
	t.Parallel()
	s := newTelling(t, open(t), "de")
	one := s.tell("Eins", "x", domain.Name{Kind: domain.NamePerson, Name: "Trude"})
	s.tell("Zwei", "x", domain.Name{Kind: domain.NamePerson, Name: "Gertrud", Relation: "Schwester"})
	name := "Trudchen"
	if _, err := s.store.Rename(t.Context(), s.story.UserID, s.story.ID, one.Names[0].ID, &name, nil); err != nil {
		t.Fatal(err)
	}
	if got := s.found("trudchen"); !slices.Equal(got, []string{"Eins"}) {
		t.Errorf("the new name finds %q", got)
	}
	all, err := s.store.Names(t.Context(), s.story.UserID, s.story.ID, domain.NamePerson, nil, 10)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	merged, err := s.store.MergeNames(t.Context(), s.story.UserID, s.story.ID, one.Names[0].ID, all[0].ID)
	if err != nil || merged.Memories != 2 || merged.Relation != "Schwester" {
		t.Fatalf("merged %+v, %v", merged, err)
	}
	if got := s.found("gertrud"); len(got) != 2 {
		t.Errorf("after merging it finds %q", got)
	}
	if got := s.found("trudchen"); len(got) != 0 {
		t.Errorf("the name that is gone finds %q", got)
	}
}

// submission is a job that makes the given resource of the story.
func (s telling) submission(id uuid.UUID, key string) domain.Submission {
	return domain.Submission{
		UserID: s.story.UserID, Kind: domain.KindStory, Stage: domain.StageStory, Class: domain.ClassStandard,
		ResourceID: id, IdempotencyKey: key, RequestHash: []byte(key),
	}
}

func (s telling) refine(m domain.Memory, key string) (domain.Refinement, domain.Job) {
	s.Helper()
	id := uuid.Must(uuid.NewV7())
	r, job, err := s.store.Refine(s.Context(), domain.Refinement{
		ID: id, UserID: m.UserID, StoryID: m.StoryID, MemoryID: m.ID, Provider: "offline", Style: "gentle",
	}, s.submission(id, key))
	if err != nil {
		s.Fatal(err)
	}
	return r, job
}

func (s telling) claim(job domain.Job) domain.Lease {
	s.Helper()
	tasks, err := s.store.Claim(s.Context(), domain.StageStory, []uuid.UUID{job.ID}, "w", time.Minute)
	if err != nil || len(tasks) != 1 {
		s.Fatalf("claimed %d, %v", len(tasks), err)
	}
	return tasks[0].Lease
}

func TestRefinedTextsKeepTheOriginal(t *testing.T) {
	t.Parallel()
	s := newTelling(t, open(t), "de")
	m := s.tell("Eins", "so wars")
	r, job := s.refine(m, "")
	lease := s.claim(job)
	r.Base, r.Text, r.By = m.Current, "So war es.", domain.ByOffline
	work := postgres.Telling{Store: s.store}
	if err := work.SaveRefinement(t.Context(), lease, r); err != nil {
		t.Fatal(err)
	}
	if err := work.SaveRefinement(t.Context(), lease, r); err == nil {
		t.Error("the same lease saved twice")
	}
	got, err := s.store.Memory(t.Context(), m.UserID, m.StoryID, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "So war es." || got.Current != 2 || len(got.Versions) != 2 || got.Versions[0].Text != "so wars" {
		t.Errorf("memory is %+v", got)
	}
	back := 1
	if got, err = s.store.UpdateMemory(t.Context(), m.UserID, m.StoryID, m.ID, domain.MemoryChange{Current: &back}); err != nil || got.Text != "so wars" {
		t.Errorf("gone back: %+v, %v", got, err)
	}
	if len(got.Versions) != 2 {
		t.Error("going back lost a version")
	}
	if r, err = s.store.Refinement(t.Context(), m.UserID, m.StoryID, r.ID); err != nil || r.State != domain.TurnReady || r.Version != 2 {
		t.Errorf("refinement %+v, %v", r, err)
	}
}

func TestFailedJobsFailTheirTurn(t *testing.T) {
	t.Parallel()
	s := newTelling(t, open(t), "de")
	r, job := s.refine(s.tell("Eins", "x"), "")
	if _, err := s.store.Fail(t.Context(), s.claim(job), domain.JobError{Code: domain.CodeRefinementUnfaithful, Detail: "It says more."}); err != nil {
		t.Fatal(err)
	}
	r, err := s.store.Refinement(t.Context(), r.UserID, r.StoryID, r.ID)
	if err != nil || r.State != domain.TurnFailed || r.Error.Code != domain.CodeRefinementUnfaithful {
		t.Errorf("refinement %+v, %v", r, err)
	}
}

func TestTurnsAreSubmittedOnce(t *testing.T) {
	t.Parallel()
	s := newTelling(t, open(t), "de")
	m := s.tell("Eins", "x")
	first, job := s.refine(m, "key")
	second, again := s.refine(m, "key")
	if first.ID != second.ID || job.ID != again.ID {
		t.Errorf("%v and %v by jobs %v and %v", first.ID, second.ID, job.ID, again.ID)
	}
	if n := count(t, s.store, "story_turns"); n != 1 {
		t.Errorf("%d turns", n)
	}
}

func TestDeletedStoriesLeaveNothing(t *testing.T) {
	t.Parallel()
	store := open(t)
	s := newTelling(t, store, "de")
	m := s.tell("Eins", "x", domain.Name{Kind: domain.NameTag, Name: "a"})
	photo := domain.Photo{ID: uuid.Must(uuid.NewV7()), UserID: m.UserID, MemoryID: m.ID, Width: 1, Height: 1, SHA256: []byte("s")}
	if _, err := store.AddPhoto(t.Context(), m.StoryID, photo, map[domain.PhotoSize][]byte{domain.PhotoFull: {1}, domain.PhotoThumbnail: {2}}); err != nil {
		t.Fatal(err)
	}
	_, waiting := s.refine(m, "")
	stopped, err := store.DeleteStory(t.Context(), m.UserID, m.StoryID)
	if err != nil || len(stopped) != 1 || stopped[0].ID != waiting.ID || stopped[0].State != domain.StateCancelled {
		t.Fatalf("stopped %+v, %v", stopped, err)
	}
	for _, table := range []string{"stories", "memories", "memory_versions", "story_names", "memory_names", "photos", "photo_bytes", "story_turns"} {
		if n := count(t, store, table); n > 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
}
