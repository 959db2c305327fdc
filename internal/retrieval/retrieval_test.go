package retrieval_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/retrieval"
)

func TestSearchFindsThePlace(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	pages := []string{"Das Büro liegt in Kiel.", "Über die Kündigungsfristen: Der Arbeitsvertrag endet mit Ablauf des Monats."}
	document := l.add(user, nil, "de", pages...)
	l.add(user, nil, "de", "Die Kantine öffnet um zwölf Uhr.")

	got := l.search(retrieval.Request{UserID: user, Text: "Wann endet der Arbeitsvertrag?"})
	if got.Mode != retrieval.Hybrid || got.Provider != offline.Name || got.Model != offline.Model {
		t.Errorf("found by %s of %s %s", got.Mode, got.Provider, got.Model)
	}
	if len(got.Passages) == 0 {
		t.Fatal("nothing was found")
	}
	p := got.Passages[0]
	if p.DocumentID != document || p.KeywordRank != 1 || p.VectorRank != 1 || p.Filename != "text.txt" || p.PageFrom != 1 || p.PageTo != 2 {
		t.Errorf("the first passage is %+v", p)
	}
	text := []rune(strings.Join(pages, domain.PageSeparator))
	if got := string(text[p.CharFrom:p.CharTo]); got != p.Content {
		t.Errorf("the offsets hold %q, the passage is %q", got, p.Content)
	}
}

func TestSearchUsesEachLanguage(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	german := l.add(user, nil, "de", "Die Verträge der Mitarbeiterinnen wurden gekündigt.")
	english := l.add(user, nil, "en", "The employees were running several marathons.")
	other := l.add(user, nil, "", "Vinkulovat předmět smlouvy")
	for question, want := range map[string]uuid.UUID{
		"Kündigung von Vertrag": german, "employee runs a marathon": english, "předmět": other,
	} {
		found := l.search(retrieval.Request{UserID: user, Text: question}).Passages
		if len(found) == 0 || found[0].DocumentID != want || found[0].KeywordRank != 1 {
			t.Errorf("%q found %+v", question, found)
		}
	}
}

func TestSearchKeepsUsersAndFiltersApart(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	alice, bob := l.user(), l.user()
	project := l.project(alice)
	const text = "The secret recipe needs three lemons."
	inProject, outside := l.add(alice, project, "en", text), l.add(alice, nil, "en", text)
	foreign := l.add(bob, nil, "en", text)
	other := uuid.New()
	tests := map[string]struct {
		request retrieval.Request
		want    []uuid.UUID
	}{
		"all of a user":      {retrieval.Request{UserID: alice}, []uuid.UUID{inProject, outside}},
		"project":            {retrieval.Request{UserID: alice, ProjectID: project}, []uuid.UUID{inProject}},
		"document":           {retrieval.Request{UserID: alice, DocumentIDs: []uuid.UUID{outside}}, []uuid.UUID{outside}},
		"project, document":  {retrieval.Request{UserID: alice, ProjectID: project, DocumentIDs: []uuid.UUID{outside}}, nil},
		"foreign document":   {retrieval.Request{UserID: alice, DocumentIDs: []uuid.UUID{foreign}}, nil},
		"foreign project":    {retrieval.Request{UserID: bob, ProjectID: project}, nil},
		"other project":      {retrieval.Request{UserID: alice, ProjectID: &other}, nil},
		"no documents named": {retrieval.Request{UserID: alice, DocumentIDs: []uuid.UUID{}}, nil},
		"the other user":     {retrieval.Request{UserID: bob}, []uuid.UUID{foreign}},
		"one at most":        {retrieval.Request{UserID: alice, Limit: 1}, []uuid.UUID{inProject}},
		"nobody":             {retrieval.Request{UserID: uuid.New()}, nil},
	}
	for name, tt := range tests {
		tt.request.Text = "secret lemons"
		var got []uuid.UUID
		for _, p := range l.search(tt.request).Passages {
			got = append(got, p.DocumentID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSearchTakesAnyText(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	l.add(user, nil, "en", `It's a back\slash & 'quote' <-> (tree) !not | or:* at c:\temp\x or http://example.org/a?b='c'`)
	for _, text := range []string{
		`'`, `\`, `''\''`, `a & | ! b`, `it's`, `back\slash`, `c:\temp\x`, `http://example.org/a?b='c'`, `:*`, "\x00x\x00", "x\xff\xfe",
		"%s%n", `"; DROP TABLE chunks; --`, "日本語", "🙂", strings.Repeat("word ", 399), strings.Repeat("x", retrieval.LongestQuery),
	} {
		if _, err := l.searcher.Search(t.Context(), retrieval.Request{UserID: user, Text: text}); err != nil {
			t.Errorf("search for %.40q: %v", text, err)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	s := retrieval.Searcher{Embedder: failing{}, Log: quiet()}
	for name, r := range map[string]retrieval.Request{
		"nothing":        {Text: " \n"},
		"too long":       {Text: strings.Repeat("ä", retrieval.LongestQuery+1)},
		"too many":       {Text: "x", Limit: retrieval.MostPassages + 1},
		"negative":       {Text: "x", Limit: -1},
		"many documents": {Text: "x", DocumentIDs: make([]uuid.UUID, 1001)},
	} {
		if _, err := s.Search(t.Context(), r); domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// failing is an embedder that is down.
type failing struct{}

func (failing) Query(context.Context, string) ([]float32, domain.EmbeddingSpace, error) {
	return nil, domain.EmbeddingSpace{}, domain.Errorf(domain.CodeModelUnavailable, "The embedder is down.")
}

func TestSearchByKeywordWhileTheEmbedderIsDown(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	document := l.add(user, nil, "en", "The harbour opens at dawn.")
	l.searcher.Embedder = failing{}
	got := l.search(retrieval.Request{UserID: user, Text: "when does the harbour open"})
	if got.Mode != retrieval.Keyword || got.Provider != "" {
		t.Errorf("mode %q, provider %q", got.Mode, got.Provider)
	}
	if len(got.Passages) != 1 || got.Passages[0].DocumentID != document || got.Passages[0].VectorRank != 0 {
		t.Errorf("found %+v", got.Passages)
	}
}

func TestSearchEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := retrieval.Searcher{Embedder: failing{}, Log: quiet()}
	if _, err := s.Search(ctx, retrieval.Request{Text: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
