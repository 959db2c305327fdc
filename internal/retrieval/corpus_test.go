package retrieval_test

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/retrieval"
)

const corpora = "../../../shared/data/retrieval"

// TestCorpus measures ranking on public collections, with the provider offline,
// through ingestion and the SQL of the product. BM25 without stemming has 0.355
// on Cranfield, and 0.94 and 0.96 on XQuAD.
func TestCorpus(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(corpora); os.IsNotExist(err) {
		t.Skipf("the collections are not at %s", corpora)
	}
	tests := []struct {
		name, folder, corpus, queries, language string
		want                                    float64
	}{
		{"Cranfield", "cranfield", "cran-", "", "en", 0.36},
		{"XQuAD de-de", "xquad", "xq-de-", "de-", "de", 0.94},
		{"XQuAD en-en", "xquad", "xq-en-", "en-", "en", 0.94},
	}
	l := newLibrary(t)
	for _, tt := range tests {
		c := corpus{library: l, owner: l.user(), names: make(map[uuid.UUID]string), relevant: qrels(t, tt.folder)}
		c.ingest(records(t, filepath.Join(tt.folder, "corpus.jsonl"), tt.corpus), tt.language)
		ndcg, recall := c.score(records(t, filepath.Join(tt.folder, "queries.jsonl"), tt.queries), retrieval.MostPassages)
		t.Logf("%-12s nDCG@10 %.4f (at least %.2f), recall@100 %.4f", tt.name, ndcg, tt.want, recall)
		if ndcg < tt.want {
			t.Errorf("%s: nDCG@10 is %.4f, want at least %.2f", tt.name, ndcg, tt.want)
		}
	}
}

type record struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// corpus is one collection, ingested for one owner.
type corpus struct {
	library  *library
	owner    uuid.UUID
	names    map[uuid.UUID]string
	relevant map[string]map[string]float64
}

func (c *corpus) ingest(documents []record, language string) {
	for _, d := range documents {
		c.names[c.library.add(c.owner, nil, language, d.Title+"\n\n"+d.Text)] = d.ID
	}
}

// score returns the mean nDCG@10 and recall@100 of the queries that have a
// relevant document in the corpus. A document counts where its best passage is.
func (c *corpus) score(queries []record, limit int) (ndcg, recall float64) {
	judged := 0.0
	for _, q := range queries {
		relevant := c.within(c.relevant[q.ID])
		if len(relevant) == 0 {
			continue
		}
		judged++
		found := c.find(q.Text, limit)
		ndcg += gain(found, relevant) / ideal(relevant)
		for _, name := range found {
			if relevant[name] > 0 {
				recall += 1 / float64(len(relevant))
			}
		}
	}
	return ndcg / judged, recall / judged
}

// within keeps the judgements of documents that are in the corpus.
func (c *corpus) within(judged map[string]float64) map[string]float64 {
	out := make(map[string]float64)
	for _, name := range c.names {
		if grade := judged[name]; grade > 0 {
			out[name] = grade
		}
	}
	return out
}

func (c *corpus) find(text string, limit int) []string {
	var names []string
	for _, p := range c.library.search(retrieval.Request{UserID: c.owner, Text: text, Limit: limit}).Passages {
		if name := c.names[p.DocumentID]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func gain(found []string, relevant map[string]float64) float64 {
	var sum float64
	for i, name := range found[:min(10, len(found))] {
		sum += relevant[name] / math.Log2(float64(i+2))
	}
	return sum
}

func ideal(relevant map[string]float64) float64 {
	grades := make([]float64, 0, len(relevant))
	for _, grade := range relevant {
		grades = append(grades, grade)
	}
	slices.SortFunc(grades, func(a, b float64) int { return int(b - a) })
	var sum float64
	for i, grade := range grades[:min(10, len(grades))] {
		sum += grade / math.Log2(float64(i+2))
	}
	return sum
}

// records reads the records of a file whose id has a prefix.
func records(t *testing.T, name, prefix string) []record {
	t.Helper()
	var out []record
	for _, line := range lines(t, name) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.HasPrefix(r.ID, prefix) {
			out = append(out, r)
		}
	}
	return out
}

func qrels(t *testing.T, folder string) map[string]map[string]float64 {
	t.Helper()
	out := make(map[string]map[string]float64)
	for _, line := range lines(t, filepath.Join(folder, "qrels.tsv"))[1:] {
		fields := strings.Split(line, "\t")
		var grade float64
		if err := json.Unmarshal([]byte(fields[2]), &grade); err != nil {
			t.Fatalf("%s: %q: %v", folder, line, err)
		}
		if out[fields[0]] == nil {
			out[fields[0]] = make(map[string]float64)
		}
		out[fields[0]][fields[1]] = grade
	}
	return out
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(corpora, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		out = append(out, scanner.Text())
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
