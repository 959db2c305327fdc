package e2e_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"generalbackend/internal/llm/llmtest"
)

const administrator = "root@example.com"

// TestReembedding brings a deployment from the built-in provider to a model and
// back, several times: undisturbed, without its worker, without the model, and to
// a provider that may not see everything.
func TestReembedding(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for _, scenario := range []struct {
		name string
		run  func(*archive)
	}{
		{"search goes on, and changes over in every process", changeOver},
		{"one that failed is given up", giveUp},
		{"the worker is killed", killReembedding},
		{"the model is away", loseModel},
		{"some texts may not leave", keepLocal},
	} {
		ok := t.Run(scenario.name, func(t *testing.T) {
			a.within(t)
			scenario.run(a)
		})
		if !ok {
			t.Fatal("what follows builds on this")
		}
	}
	oracle{t, a.s}.historiesWhole()
	oracle{t, a.s}.nobodyLeft()
}

// archive is what users wrote, and where it is embedded.
type archive struct {
	t       testing.TB
	s       *system
	models  *llmtest.Server
	cloud   *llmtest.Server
	doors   []string // of all API processes
	admin   *user
	users   []*user
	written []writing
}

type writing struct {
	owner *user
	word  string // that no other has
	id    string
}

// newArchive boots a system that embeds offline, with more documents than are
// embedded at once, one of them with a page that is a picture.
func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{t: t, models: llmtest.NewServer(), cloud: llmtest.NewOpenAI()}
	t.Cleanup(a.models.Close)
	t.Cleanup(a.cloud.Close)
	a.models.OnChat(fromSchema)
	a.s = boot(t, fast, "EMBEDDING_PROVIDER=offline", "LLM_PROVIDER=ollama", "OLLAMA_BASE_URL="+a.models.URL, "LLM_MODEL="+llmtest.ChatModel,
		"OPENAI_BASE_URL="+a.cloud.URL+"/v1", "OPENAI_API_KEY=sk-test", "ADMIN_EMAIL="+administrator, "ADMIN_PASSWORD="+password)
	second, url := a.s.newAPI("api-2")
	second.up()
	a.doors = []string{a.s.url, url}
	a.admin = a.login(administrator)
	a.users = []*user{register(t, a.s.url), register(t, a.s.url)}
	a.write(12)
	u, word := a.users[0], a.nextWord()
	scan := u.succeeded(u.upload(word+".pdf", pdfOf([]string{textStream([]string{"A letter from " + word + " about the kettle."}), picture}, "")))
	a.written = append(a.written, writing{u, word, scan.Resource.ID})
	return a
}

func (a *archive) nextWord() string { return fmt.Sprintf("w%03d", len(a.written)) }

// within makes what follows part of a subtest.
func (a *archive) within(t testing.TB) {
	a.t, a.admin = t, a.admin.as(t)
	for i, u := range a.users {
		a.users[i] = u.as(t)
	}
}

func (a *archive) login(email string) *user {
	a.t.Helper()
	u := visitor(a.t, a.s.url)
	var login struct {
		AccessToken string `json:"access_token"`
	}
	u.must(http.StatusOK, "POST", "/v1/auth/login", object{"email": email, "password": password}).into(a.t, &login)
	u.token = login.AccessToken
	return u
}

// write lets users in turn upload n texts and waits until all are ready.
func (a *archive) write(n int) {
	a.t.Helper()
	reading := make([]job, n)
	for i := range reading {
		u, word := a.users[i%len(a.users)], a.nextWord()
		reading[i] = u.text(word, note(word))
		a.written = append(a.written, writing{u, word, reading[i].Resource.ID})
	}
	for i, j := range reading {
		a.users[i%len(a.users)].succeeded(j)
	}
}

// foundBy waits until every text is found through every API, by its own word and
// a vector of the provider.
func (a *archive) foundBy(provider string) {
	a.t.Helper()
	for _, w := range a.written {
		for _, door := range a.doors {
			u := w.owner.as(a.t)
			u.base = door
			eventually(a.t, workDeadline, w.word+" is found by "+provider, func() bool {
				f := u.search(w.word)
				return f.Mode == "hybrid" && f.Provider == provider && len(f.Results) > 0 && f.Results[0].DocumentID == w.id
			})
		}
	}
}

// space is an embedding space as administrators see it.
type space struct {
	ID                  int64
	Provider, State     string
	Documents, Passages int
}

func (a *archive) space(provider string) space {
	a.t.Helper()
	var list struct{ Items []space }
	a.admin.must(http.StatusOK, "GET", "/v1/admin/embedding-spaces", nil).into(a.t, &list)
	for _, s := range list.Items {
		if s.Provider == provider {
			return s
		}
	}
	return space{}
}

// holds demands the state of a provider's space and how many documents it has.
func (a *archive) holds(provider, state string, documents int) {
	a.t.Helper()
	s := a.space(provider)
	passages := a.s.count("SELECT count(*) FROM chunks WHERE space_id = $1", s.ID)
	if s.State != state || s.Documents != documents || s.Passages != passages {
		a.t.Errorf("the space is %+v, want it %s with %d documents and %d passages", s, state, documents, passages)
	}
}

// reembedding is as much of a re-embedding as tests look at.
type reembedding struct {
	ID, State string
	JobID     string `json:"job_id"`
	Activated bool
	Recall    *float64
	Progress  struct{ Done, Total int }
	Error     *struct{ Code, Detail string }
}

const reembeddings = "/v1/admin/reembeddings"

var toModel = object{"provider": "ollama", "model": llmtest.EmbedModel}

func (a *archive) begin(path string, order any) (r reembedding) {
	a.t.Helper()
	a.admin.must(http.StatusAccepted, "POST", path, order).into(a.t, &r)
	if r.State != "running" {
		a.t.Fatalf("a re-embedding began %s: %+v", r.State, r)
	}
	return r
}

func (a *archive) now(r reembedding) (now reembedding) {
	a.t.Helper()
	a.admin.must(http.StatusOK, "GET", reembeddings+"/"+r.ID, nil).into(a.t, &now)
	return now
}

// activated waits until a re-embedding has finished by itself and demands that
// search uses its space, and that every document is whole in both spaces.
func (a *archive) activated(r reembedding) {
	a.t.Helper()
	eventually(a.t, workDeadline, "the re-embedding ends", func() bool {
		r = a.now(r)
		return r.State != "running"
	})
	if r.State != "finished" || !r.Activated || r.Recall == nil || *r.Recall < 0.9 || r.Progress.Done != r.Progress.Total {
		a.t.Fatalf("the re-embedding ended as %+v, %+v", r, r.Error)
	}
	o := oracle{a.t, a.s}
	o.documentsWhole()
	o.none("documents that are not in both spaces", `SELECT d.id FROM documents d LEFT JOIN chunks c ON c.document_id = d.id
		GROUP BY d.id HAVING count(DISTINCT c.space_id) <> 2`)
	o.none("users charged", "SELECT id FROM llm_usage WHERE purpose = 'reembed'")
}

// halfway begins a re-embedding into the model that some documents get through
// and then meets a fault, and waits until it does.
func (a *archive) halfway(fault llmtest.Fault) reembedding {
	a.t.Helper()
	const allowed = 2 // requests, each with passages of at most 4 documents
	a.models.Fail("/api/embed", llmtest.NoFault, allowed)
	a.models.Fail("/api/embed", llmtest.Held, -1)
	asked := a.models.Requests("/api/embed")
	r := a.begin(reembeddings, toModel)
	eventually(a.t, workDeadline, "the model is asked", func() bool { return a.models.Requests("/api/embed") > asked+allowed })
	eventually(a.t, workDeadline, "some documents are embedded", func() bool { return a.space("ollama").Documents > 0 })
	if s := a.space("ollama"); s.State != "building" || s.Documents >= len(a.written) {
		a.t.Fatalf("half-way the space is %+v", s)
	}
	if fault != llmtest.Held {
		a.models.Heal()
		a.models.Fail("/api/embed", fault, -1)
		a.models.Release() // what is stored by now cannot be undone by the fault
	}
	return r
}

// serves demands that search and uploads go on as if nothing happened.
func (a *archive) serves(r reembedding) {
	a.t.Helper()
	a.write(2)
	a.foundBy("offline")
	if now := a.now(r); now.State != "running" {
		a.t.Fatalf("meanwhile the re-embedding is %+v, %+v", now, now.Error)
	}
}

// goBack returns to the built-in provider, and forgets the vectors of another.
func (a *archive) goBack(r reembedding, provider string) {
	a.t.Helper()
	a.activated(a.begin(reembeddings+"/"+r.ID+"/rollback", nil))
	a.foundBy("offline")
	left := a.space(provider)
	a.holds("offline", "active", len(a.written))
	a.forget(left)
}

func (s space) path() string { return "/v1/admin/embedding-spaces/" + strconv.FormatInt(s.ID, 10) }

// forget deletes a space and demands that nothing of it is left.
func (a *archive) forget(left space) {
	a.t.Helper()
	a.admin.must(http.StatusNoContent, "DELETE", left.path(), nil)
	if n := a.s.count("SELECT count(*) FROM chunks WHERE space_id = $1", left.ID); n != 0 {
		a.t.Errorf("%d chunks outlived their space", n)
	}
}

func changeOver(a *archive) {
	a.plan()
	a.admin.must(http.StatusConflict, "POST", reembeddings, object{})                                // the configured one, which is active
	a.admin.must(http.StatusUnprocessableEntity, "POST", reembeddings, object{"provider": "openai"}) // which model?
	r := a.halfway(llmtest.Held)
	a.serves(r)
	a.admin.must(http.StatusConflict, "POST", reembeddings, toModel)
	a.admin.must(http.StatusConflict, "DELETE", a.space("ollama").path(), nil)
	a.pauseAndResume(r)
	a.models.Heal()
	a.models.Release()
	a.activated(r)
	a.foundBy("ollama")
	before := len(a.written)
	a.holds("offline", "retired", before)
	a.write(2)
	a.foundBy("ollama")
	a.holds("ollama", "active", before+2)
	a.holds("offline", "retired", before)
	a.users[0].succeeded(a.users[0].match(a.written[before].id, a.written[0].id)) // searches in a worker
	a.goBack(r, "ollama")
}

// plan demands that a plan counts all there is and shows the model none of it.
func (a *archive) plan() {
	a.t.Helper()
	var plan struct {
		Documents, Passages, Tokens int
		Seconds                     *float64
	}
	a.admin.must(http.StatusOK, "POST", reembeddings+"/plan", toModel).into(a.t, &plan)
	if plan.Documents != len(a.written) || plan.Passages < plan.Documents || plan.Tokens == 0 || plan.Seconds == nil {
		a.t.Errorf("%d documents are planned as %+v", len(a.written), plan)
	}
	if sent := fmt.Sprint(a.models.Batches()); strings.Contains(sent, "kettle") {
		a.t.Errorf("the plan sent a user's text: %.200s", sent)
	}
}

// pauseAndResume lets a re-embedding go on with what its first job left.
func (a *archive) pauseAndResume(r reembedding) {
	a.t.Helper()
	done, asked := a.space("ollama").Documents, a.models.Requests("/api/embed")
	a.admin.must(http.StatusOK, "POST", reembeddings+"/"+r.ID+"/pause", nil)
	if now := a.now(r); now.State != "paused" {
		a.t.Errorf("a paused re-embedding is %s", now.State)
	}
	eventually(a.t, workDeadline, "it can be resumed", func() bool {
		return a.admin.send("POST", reembeddings+"/"+r.ID+"/resume", nil).status == http.StatusOK
	})
	eventually(a.t, workDeadline, "it goes on", func() bool { return a.models.Requests("/api/embed") > asked })
	if now := a.space("ollama").Documents; now < done {
		a.t.Errorf("after the pause %d documents are embedded, were %d", now, done)
	}
}

// giveUp sees that the job of a re-embedding that was given up does nothing when
// it is tried again.
func giveUp(a *archive) {
	r := a.halfway(llmtest.MissingModel)
	eventually(a.t, workDeadline, "the re-embedding fails", func() bool { return a.now(r).State == "failed" })
	a.models.Heal()
	a.admin.must(http.StatusOK, "POST", reembeddings+"/"+r.ID+"/cancel", nil)
	tried := a.admin.job(r.JobID)
	a.admin.must(http.StatusOK, "POST", "/v1/jobs/"+tried.ID+"/retry", nil)
	if tried = a.admin.settled(tried); tried.State != "failed" || tried.code() != "conflict" {
		a.t.Errorf("its job %s with %s, want failed with conflict", tried.State, tried.code())
	}
	if now := a.now(r); now.State != "cancelled" || now.Activated {
		a.t.Errorf("it is %+v after it was cancelled", now)
	}
	left := a.space("ollama")
	if left.State != "building" || left.Documents >= len(a.written) {
		a.t.Errorf("it left the space %+v", left)
	}
	a.foundBy("offline")
	a.forget(left)
}

func killReembedding(a *archive) {
	r := a.halfway(llmtest.Held)
	a.s.worker(embedWorker).kill()
	done := a.space("ollama").Documents
	a.models.Heal()
	a.s.worker(embedWorker).up()
	a.activated(r)
	a.foundBy("ollama")
	a.holds("ollama", "active", len(a.written))
	if done == 0 || done >= len(a.written) {
		a.t.Errorf("%d of %d documents were embedded when the worker was killed", done, len(a.written))
	}
	a.goBack(r, "ollama")
}

func loseModel(a *archive) {
	r := a.halfway(llmtest.Overloaded)
	var shown reembedding
	eventually(a.t, workDeadline, "the fault shows", func() bool {
		shown = a.now(r)
		return shown.Error != nil
	})
	if code := shown.Error.Code; code != "model_overloaded" && code != "model_unavailable" { // the breaker's word for it
		a.t.Errorf("the re-embedding says %s", code)
	}
	a.serves(r)
	a.models.Heal()
	a.activated(r)
	a.foundBy("ollama")
	a.goBack(r, "ollama")
}

// keepLocal sees that texts which may not leave hold up a re-embedding into the
// cloud, and no other text with them.
func keepLocal(a *archive) {
	a.users[1].must(http.StatusOK, "PATCH", "/v1/users/me", object{"local_only": true})
	r := a.begin(reembeddings, object{"provider": "openai", "model": llmtest.EmbedModel})
	eventually(a.t, workDeadline, "the re-embedding fails", func() bool { return a.now(r).State == "failed" })
	if e := a.now(r).Error; e.Code != "reembedding_incomplete" || !strings.Contains(e.Detail, "local language models") {
		a.t.Errorf("it failed with %+v", e)
	}
	others, sent := 0, fmt.Sprint(a.cloud.Batches())
	for _, w := range a.written {
		mine := w.owner.id == a.users[0].id
		if mine {
			others++
		}
		if strings.Contains(sent, w.word) != mine {
			a.t.Errorf("the cloud saw %s of %s: %v", w.word, w.owner.email, !mine)
		}
	}
	a.holds("openai", "building", others)
	a.foundBy("offline")
	a.users[1].must(http.StatusOK, "PATCH", "/v1/users/me", object{"local_only": false})
	a.admin.must(http.StatusOK, "POST", reembeddings+"/"+r.ID+"/resume", nil)
	a.activated(r)
	a.foundBy("openai")
	a.goBack(r, "openai")
}
