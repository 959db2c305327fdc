package conversation_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"generalbackend/internal/conversation"
	"generalbackend/internal/domain"
	"generalbackend/internal/llm/llmtest"
)

const xquad = "../../../shared/data/retrieval/xquad"

// exam is one question about an article, with answers that are right.
type exam struct {
	Text, Article string
	Answers       []string
}

// readExams returns the questions of a language.
func readExams(t *testing.T, language string) []exam {
	t.Helper()
	answers := map[string][]string{}
	passages := map[string]string{}
	eachLine(t, "answers.jsonl", func(line []byte) {
		var a struct {
			ID      string `json:"_id"`
			Passage string
			Answers []string
		}
		decode(t, line, &a)
		answers[a.ID], passages[a.ID] = a.Answers, a.Passage
	})
	var exams []exam
	eachLine(t, "queries.jsonl", func(line []byte) {
		var q struct {
			ID         string `json:"_id"`
			Text, Lang string
		}
		decode(t, line, &q)
		if q.Lang == language {
			exams = append(exams, exam{q.Text, strings.Split(passages[q.ID], "-")[2], answers[q.ID]})
		}
	})
	return exams
}

func decode(t *testing.T, line []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(line, into); err != nil {
		t.Fatal(err)
	}
}

func eachLine(t *testing.T, name string, f func([]byte)) {
	t.Helper()
	file, err := os.Open(filepath.Join(xquad, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// addArticles uploads those of a language whose number is wanted.
func (r *room) addArticles(language string, wanted func(number string) bool) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(xquad, "articles", language+"-*.txt"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("no articles: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !wanted(strings.Split(name, "-")[1]) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			r.t.Fatal(err)
		}
		r.add(name, language, string(text))
	}
}

func loose(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(text))), " ")
}

func (e exam) answeredIn(text string) bool {
	text = loose(text)
	for _, a := range e.Answers {
		if strings.Contains(text, loose(a)) {
			return true
		}
	}
	return false
}

var shown = regexp.MustCompile(`(?s)Passage \[(\d+)\], document [^\n]*\n<<<[^\n]*>>>\n(.*?)\n<<<END`)

// faithful answers an exam from the passages it is given, and only from them.
func faithful(e exam) func(llmtest.ChatRequest) string {
	return func(in llmtest.ChatRequest) string {
		prompt := in.Messages[len(in.Messages)-1].Content
		for _, p := range shown.FindAllStringSubmatch(prompt, -1) {
			for _, a := range e.Answers {
				if strings.Contains(loose(p[2]), loose(a)) {
					return a + " [" + p[1] + "]."
				}
			}
		}
		return conversation.NoAnswer
	}
}

func odd(number string) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n%2 == 1
}

// TestCorpus asks public questions about articles. With all articles there, it
// measures how often the answer is among what the model is given, and how often
// the offline provider answers and is right. With half of them, it measures how
// often a question about the other half is refused: the model answers only where
// the words of a right answer happen to be in another article.
func TestCorpus(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(xquad); os.IsNotExist(err) {
		t.Skipf("the collection is not at %s", xquad)
	}
	for language, least := range map[string]struct{ context, answered, right, refused, refusedOffline float64 }{
		"en": {context: 0.99, answered: 0.87, right: 0.79, refused: 0.96, refusedOffline: 0.95},
		"de": {context: 0.98, answered: 0.82, right: 0.74, refused: 0.96, refusedOffline: 0.97},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			exams := readExams(t, language)
			whole, half := newRoom(t), newRoom(t)
			whole.addArticles(language, func(string) bool { return true })
			half.addArticles(language, odd)
			missing := slices.DeleteFunc(slices.Clone(exams), func(e exam) bool { return odd(e.Article) })

			context, _ := whole.examine(exams, "ollama")
			answered, right := whole.examine(everyThird(exams), "offline")
			accidental, _ := half.examine(missing, "ollama")
			mistaken, _ := half.examine(missing, "offline")
			for _, figure := range []struct {
				what       string
				got, least float64
			}{
				{"the answer is among what the model is given", context, least.context},
				{"offline answers", answered, least.answered},
				{"offline is right", right, least.right},
				{"the model refuses what is not there", 1 - accidental, least.refused},
				{"offline refuses what is not there", 1 - mistaken, least.refusedOffline},
			} {
				t.Logf("%s: %s: %.3f of the questions (at least %.2f)", language, figure.what, figure.got, figure.least)
				if figure.got < figure.least {
					t.Errorf("%s: %s: %.3f of the questions, want %.2f", language, figure.what, figure.got, figure.least)
				}
			}
		})
	}
}

func everyThird(exams []exam) (some []exam) {
	for i := 0; i < len(exams); i += 3 {
		some = append(some, exams[i])
	}
	return some
}

// examine asks all questions of a provider and returns the shares that were
// answered at all and rightly.
func (r *room) examine(exams []exam, provider string) (answered, right float64) {
	r.t.Helper()
	r.provider = provider
	for _, e := range exams {
		r.model.OnChat(faithful(e))
		m := r.ask(e.Text)
		if m.Metadata.Answered {
			answered++
			if e.answeredIn(m.Content) {
				right++
			}
			checkCited(r.t, m)
		}
		r.forget()
	}
	n := float64(len(exams))
	return answered / n, right / n
}

func checkCited(t *testing.T, m domain.ChatMessage) {
	t.Helper()
	if len(m.Metadata.Citations) == 0 {
		t.Errorf("no citations in %q", m.Content)
	}
	for _, c := range m.Metadata.Citations {
		if !c.Verified || c.Quote == "" || c.Page != 1 || c.CharTo <= c.CharFrom {
			t.Errorf("%q cites %+v", m.Content, c)
		}
	}
}
