package postgres

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// MaxMemories is how many memories one story may have.
const MaxMemories = 2000

// CreateMemory stores a memory with its text as its original version. A
// question it answers must be one of the story's that is ready.
func (s *Store) CreateMemory(ctx context.Context, m domain.Memory) (domain.Memory, error) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		n, err := q.CountMemories(ctx, dbsqlc.CountMemoriesParams{StoryID: m.StoryID, UserID: m.UserID})
		if err != nil {
			return err
		}
		if n >= MaxMemories {
			return domain.Errorf(domain.CodeConflict, "A story can have %d memories at most.", MaxMemories)
		}
		if m.QuestionID != nil {
			_, err := q.AnswerableQuestion(ctx, dbsqlc.AnswerableQuestionParams{ID: *m.QuestionID, StoryID: m.StoryID, UserID: m.UserID})
			if err != nil {
				return err
			}
		}
		earliest, latest := days(m.Period)
		if _, err := q.InsertMemory(ctx, dbsqlc.InsertMemoryParams{
			ID: m.ID, UserID: m.UserID, StoryID: m.StoryID, Title: m.Title, QuestionID: m.QuestionID,
			Precision: string(m.Period.Precision), Earliest: earliest, Latest: latest, Label: m.Period.Label,
		}); err != nil {
			return err
		}
		if _, err := q.AddVersion(ctx, dbsqlc.AddVersionParams{MemoryID: m.ID, UserID: m.UserID, Kind: string(domain.VersionOriginal), Text: m.Text}); err != nil {
			return err
		}
		if err := linkNames(ctx, q, m, m.Names); err != nil {
			return err
		}
		return q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: m.StoryID, UserID: m.UserID, MemoryID: &m.ID})
	})
	if err != nil {
		return domain.Memory{}, err
	}
	return s.Memory(ctx, m.UserID, m.StoryID, m.ID)
}

// linkNames takes names in one order, so that two memories which name the same do
// not wait for each other. Of one name, who comes first stays first: without a
// relation before, it is theirs.
func linkNames(ctx context.Context, q *dbsqlc.Queries, m domain.Memory, names []domain.Name) error {
	inOrder := slices.SortedStableFunc(slices.Values(names), func(a, b domain.Name) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	for _, n := range inOrder {
		id, err := nameID(ctx, q, m, n)
		if err != nil {
			return err
		}
		if err := q.LinkName(ctx, dbsqlc.LinkNameParams{MemoryID: m.ID, NameID: id, UserID: m.UserID}); err != nil {
			return err
		}
	}
	return nil
}

// nameID finds a name in the story or adds it.
func nameID(ctx context.Context, q *dbsqlc.Queries, m domain.Memory, n domain.Name) (uuid.UUID, error) {
	found, err := q.FindName(ctx, dbsqlc.FindNameParams{
		StoryID: m.StoryID, UserID: m.UserID, Kind: string(n.Kind), Name: n.Name, Relation: n.Relation,
	})
	switch {
	case err == nil && found.Relation == "" && n.Relation != "":
		_, err := q.RenameName(ctx, dbsqlc.RenameNameParams{ID: found.ID, StoryID: m.StoryID, UserID: m.UserID, Relation: &n.Relation})
		return found.ID, err
	case err == nil:
		return found.ID, nil
	case domain.CodeOf(translate(err)) != domain.CodeNotFound:
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	row, err := q.InsertName(ctx, dbsqlc.InsertNameParams{
		ID: id, UserID: m.UserID, StoryID: m.StoryID, Kind: string(n.Kind), Name: n.Name, Relation: n.Relation,
	})
	return row.ID, err
}

// UpdateMemory changes the named fields of a memory.
func (s *Store) UpdateMemory(ctx context.Context, userID, storyID, id uuid.UUID, change domain.MemoryChange) (domain.Memory, error) {
	m := domain.Memory{ID: id, UserID: userID, StoryID: storyID}
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.LockMemory(ctx, dbsqlc.LockMemoryParams{ID: id, StoryID: storyID, UserID: userID}); err != nil {
			return err
		}
		current, err := newVersion(ctx, q, m, change)
		if err != nil {
			return err
		}
		params := dbsqlc.UpdateMemoryParams{ID: id, UserID: userID, Title: change.Title, CurrentVersion: current}
		if p := change.Period; p != nil {
			params.Dated, params.Precision, params.Label = true, string(p.Precision), p.Label
			params.Earliest, params.Latest = days(*p)
		}
		if err := q.UpdateMemory(ctx, params); err != nil {
			return err
		}
		if err := replaceNames(ctx, q, m, change); err != nil {
			return err
		}
		return q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: storyID, UserID: userID, MemoryID: &id})
	})
	if err != nil {
		return domain.Memory{}, err
	}
	return s.Memory(ctx, userID, storyID, id)
}

// newVersion is the version a change makes current; nil when it stays.
func newVersion(ctx context.Context, q *dbsqlc.Queries, m domain.Memory, change domain.MemoryChange) (*int32, error) {
	switch {
	case change.Text != nil:
		number, err := q.AddVersion(ctx, dbsqlc.AddVersionParams{MemoryID: m.ID, UserID: m.UserID, Kind: string(domain.VersionEdited), Text: *change.Text})
		return &number, err
	case change.Current != nil:
		number := int32(*change.Current)
		found, err := q.HasVersion(ctx, dbsqlc.HasVersionParams{MemoryID: m.ID, UserID: m.UserID, Number: number})
		if err == nil && !found {
			err = domain.Errorf(domain.CodeInvalid, "The memory has no version %d.", number)
		}
		return &number, err
	}
	return nil, nil //nolint:nilnil // the version stays
}

func replaceNames(ctx context.Context, q *dbsqlc.Queries, m domain.Memory, change domain.MemoryChange) error {
	if len(change.Kinds) == 0 {
		return nil
	}
	kinds := make([]string, len(change.Kinds))
	for i, k := range change.Kinds {
		kinds[i] = string(k)
	}
	if err := q.UnlinkNames(ctx, dbsqlc.UnlinkNamesParams{MemoryID: m.ID, UserID: m.UserID, Kinds: kinds}); err != nil {
		return err
	}
	return linkNames(ctx, q, m, change.Names)
}

// Memory returns a user's memory with all its versions.
func (s *Store) Memory(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Memory, error) {
	row, err := s.queries.Memory(ctx, dbsqlc.MemoryParams{ID: id, StoryID: storyID, UserID: userID})
	if err != nil {
		return domain.Memory{}, translate(err)
	}
	memories := []domain.Memory{toMemory(row)}
	versions, err := s.queries.VersionsOfMemory(ctx, dbsqlc.VersionsOfMemoryParams{MemoryID: id, UserID: userID})
	if err != nil {
		return domain.Memory{}, translate(err)
	}
	for _, v := range versions {
		memories[0].Versions = append(memories[0].Versions, toVersion(v))
	}
	err = s.complete(ctx, userID, memories)
	return memories[0], err
}

// Memories lists a story's memories, newest first, from before on, with their
// original and newest refined versions only.
func (s *Store) Memories(ctx context.Context, userID, storyID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Memory, error) {
	rows, err := s.queries.MemoriesOfStory(ctx, dbsqlc.MemoriesOfStoryParams{
		StoryID: storyID, UserID: userID, Before: before, MaxRows: int32(limit),
	})
	if err != nil {
		return nil, translate(err)
	}
	memories := make([]domain.Memory, len(rows))
	for i, r := range rows {
		memories[i] = toMemory(dbsqlc.MemoryRow(r))
	}
	return memories, s.completeList(ctx, userID, memories)
}

func (s *Store) completeList(ctx context.Context, userID uuid.UUID, memories []domain.Memory) error {
	ids, at := index(memories)
	versions, err := s.queries.OriginalsAndRefined(ctx, dbsqlc.OriginalsAndRefinedParams{MemoryIds: ids, UserID: userID})
	if err != nil {
		return translate(err)
	}
	for _, v := range versions {
		m := at[v.MemoryID]
		m.Versions = append(m.Versions, toVersion(v))
	}
	return s.complete(ctx, userID, memories)
}

// complete adds the names and photos.
func (s *Store) complete(ctx context.Context, userID uuid.UUID, memories []domain.Memory) error {
	ids, at := index(memories)
	names, err := s.queries.NamesOfMemories(ctx, dbsqlc.NamesOfMemoriesParams{MemoryIds: ids, UserID: userID})
	if err != nil {
		return translate(err)
	}
	for _, n := range names {
		m := at[n.MemoryID]
		m.Names = append(m.Names, domain.Name{ID: n.ID, StoryID: m.StoryID, Kind: domain.NameKind(n.Kind), Name: n.Name, Relation: n.Relation})
	}
	photos, err := s.queries.PhotosOfMemories(ctx, dbsqlc.PhotosOfMemoriesParams{MemoryIds: ids, UserID: userID})
	for _, p := range photos {
		m := at[p.MemoryID]
		m.Photos = append(m.Photos, toPhoto(p))
	}
	return translate(err)
}

func index(memories []domain.Memory) ([]uuid.UUID, map[uuid.UUID]*domain.Memory) {
	ids, at := make([]uuid.UUID, len(memories)), make(map[uuid.UUID]*domain.Memory, len(memories))
	for i := range memories {
		ids[i], at[memories[i].ID] = memories[i].ID, &memories[i]
	}
	return ids, at
}

// DeleteMemory deletes a memory and returns the jobs that were asked to stop.
func (s *Store) DeleteMemory(ctx context.Context, userID, storyID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if stopped, err = q.CancelJobsOfStory(ctx, dbsqlc.CancelJobsOfStoryParams{UserID: userID, StoryID: storyID, MemoryID: &id}); err != nil {
			return err
		}
		return one(q.DeleteMemory(ctx, dbsqlc.DeleteMemoryParams{ID: id, StoryID: storyID, UserID: userID}))
	})
	return toJobs(stopped), err
}

// MemoryFound is a memory that a search found, and the words that match it.
type MemoryFound struct {
	Memory  domain.Memory
	Score   float64
	Snippet string
}

// SearchMemories finds the memories of a story that speak of a query, best
// first: by words in any inflection, and by beginnings of names and titles.
func (s *Store) SearchMemories(ctx context.Context, userID, storyID uuid.UUID, query string, limit int) ([]MemoryFound, error) {
	rows, err := s.queries.SearchMemories(ctx, dbsqlc.SearchMemoriesParams{
		StoryID: storyID, UserID: userID, Query: query, Beginnings: beginnings(query), MaxRows: int32(limit),
	})
	if err != nil || len(rows) == 0 {
		return nil, translate(err)
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	read, err := s.queries.MemoriesByID(ctx, dbsqlc.MemoriesByIDParams{Ids: ids, UserID: userID})
	if err != nil {
		return nil, translate(err)
	}
	memories := make([]domain.Memory, len(read))
	for i, r := range read {
		memories[i] = toMemory(dbsqlc.MemoryRow(r))
	}
	if err := s.completeList(ctx, userID, memories); err != nil {
		return nil, err
	}
	_, at := index(memories)
	var found []MemoryFound
	for _, r := range rows {
		if m := at[r.ID]; m != nil { // else it was deleted meanwhile
			found = append(found, MemoryFound{Memory: *m, Score: r.Score, Snippet: r.Snippet})
		}
	}
	return found, nil
}

// beginnings asks for titles and names that begin with each word.
func beginnings(query string) string {
	var terms []string
	for word := range strings.FieldsFuncSeq(query, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		terms = append(terms, word+":*AB")
	}
	return strings.Join(terms, " & ")
}

func toMemory(r dbsqlc.MemoryRow) domain.Memory {
	m := domain.Memory{
		ID: r.ID, UserID: r.UserID, StoryID: r.StoryID, Title: r.Title, Text: r.Text, Current: int(r.CurrentVersion),
		Period: domain.Period{Precision: domain.Precision(r.Precision), Label: r.Label}, QuestionID: r.QuestionID,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if r.Earliest != nil && r.Latest != nil {
		m.Period.Earliest, m.Period.Latest = r.Earliest.UTC(), r.Latest.UTC()
	}
	return m
}

func toVersion(r dbsqlc.MemoryVersion) domain.Version {
	return domain.Version{
		Number: int(r.Number), Kind: domain.VersionKind(r.Kind), Text: r.Text, Language: r.Language,
		Style: r.Style, Provider: r.Provider, Model: r.Model, CreatedAt: r.CreatedAt,
	}
}

func days(p domain.Period) (earliest, latest *time.Time) {
	if !p.Known() {
		return nil, nil
	}
	return &p.Earliest, &p.Latest
}
