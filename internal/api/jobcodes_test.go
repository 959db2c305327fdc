package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// ofJobs are the codes with which jobs fail, and not the requests before them.
var ofJobs = []domain.Code{
	domain.CodeDocumentEncrypted, domain.CodeDocumentMalformed, domain.CodeDocumentTooComplex, domain.CodeNoTextFound,
	domain.CodeTimedOut, domain.CodeURLRedirectLoop, domain.CodeURLRobotsDenied, domain.CodeURLUnreachable, domain.CodeURLStatus,
	domain.CodeModelNotFound, domain.CodeModelUnavailable, domain.CodeModelOverloaded, domain.CodeModelRateLimited,
	domain.CodeModelTimeout, domain.CodeModelMalformed, domain.CodeModelRefused, domain.CodeContextTooLong,
	domain.CodeWorkerLost, domain.CodeCancelled, domain.CodeEmptyDocument, domain.CodeRefinementUnfaithful,
}

// waits reports whether an operation can wait for its job.
func (op *operation) waits() bool {
	_, accepted := op.answers[http.StatusAccepted]
	return accepted && slices.ContainsFunc(op.parameters, func(p parameter) bool { return p.Name == "Prefer" })
}

// TestJobsFailTheirSubmit: whoever waits for a job is told its failure, by the
// code and status that the description lists.
func TestJobsFailTheirSubmit(t *testing.T) {
	t.Parallel()
	for _, op := range published().operations {
		if !op.waits() {
			continue
		}
		t.Run(op.id, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.timing.MaxWait = 0
			s.work()
			u := s.newUser()
			ids := u.owned()
			if strings.HasPrefix(op.template, "/v1/documents/") {
				if got := u.direct(u.sampler(ids).sample(op), "Prefer: wait=300"); got.status != 201 {
					t.Errorf("%s, waited for, is answered %d: %s", op.id, got.status, got.body)
				}
			}
			s.noRetries()
			for status, a := range op.answers {
				for _, code := range a.Codes {
					if slices.Contains(ofJobs, domain.Code(code)) {
						u.failsWith(op, u.sampler(ids).sample(op), domain.Code(code), status)
					}
				}
			}
		})
	}
}

// noRetries lets the first failure of each new job be its last.
func (s *system) noRetries() {
	s.t.Helper()
	const once = `CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.max_attempts := 1; RETURN NEW; END $$;
		CREATE TRIGGER once BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION once()`
	if _, err := s.connect().Exec(s.t.Context(), once); err != nil {
		s.t.Fatal(err)
	}
}

func (u *user) failsWith(op *operation, r sample, code domain.Code, status int) {
	u.t.Helper()
	u.verdict.Store(&code)
	defer u.verdict.Store(nil)
	if code == domain.CodeCancelled {
		done := make(chan struct{})
		var cancels sync.WaitGroup
		cancels.Go(func() { u.cancelAll(done) })
		defer cancels.Wait()
		defer close(done)
	}
	checkRefusal(u.t, op.id, u.direct(r, "Prefer: wait=300"), code, status)
}

// cancelAll cancels whatever runs, until done.
func (u *user) cancelAll(done <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		active, err := u.store.ActiveJobs(postgres.AsSystem(u.t.Context()), u.id, 10)
		for _, job := range active {
			if err == nil && !job.CancelRequested {
				u.direct(sample{method: "POST", path: "/v1/jobs/" + job.ID.String() + "/cancel"})
			}
		}
	}
}
