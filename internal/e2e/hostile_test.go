package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus lies beside the repository where tests with real files are wanted.
const corpus = "../../../shared/data/hostile"

// workerMemory bounds what a worker may have held at any time, in KiB. Documents
// are opened in its children, so none of them shows here.
const workerMemory = 256 << 10

// TestHostileDocuments: a hostile document costs one job, never a worker.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(corpus)
	if os.IsNotExist(err) {
		t.Skipf("left out: there is no corpus in %s", corpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := boot(t, fast)
	u := register(t, s.url)
	extract := s.worker(extractWorker)
	before := extract.pid()
	accepted := map[string]job{}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(corpus, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		r := u.send("POST", "/v1/documents/upload", file{f.Name(), data})
		switch {
		case r.status == http.StatusAccepted:
			accepted[f.Name()] = jobOf(t, r)
		case r.status < 400 || r.status >= 500:
			t.Errorf("%s: status %d: %s", f.Name(), r.status, r.body)
		default:
			r.problem(t)
		}
	}
	outcomes := map[string]int{}
	for name, j := range accepted {
		outcomes[u.endsClearly(name, j)]++
	}
	t.Logf("%d files, %d refused at once, then %v", len(files), len(files)-len(accepted), outcomes)
	if !extract.running() || extract.pid() != before {
		t.Error("the extract worker did not outlive the corpus")
	}
	if peak := peakMemory(t, extract.pid()); peak > workerMemory {
		t.Errorf("the extract worker held %d MiB at its peak", peak>>10)
	}
	u.succeeded(u.upload("after.pdf", pdf([]string{"Everything still works."})))
	if n := s.count("SELECT count(*) FROM jobs WHERE lost > 0 OR error_code = 'worker_lost'"); n > 0 {
		t.Errorf("%d jobs cost a worker", n)
	}
}

// endsClearly demands of a job that its document is usable, or says why not.
func (u *user) endsClearly(name string, j job) string {
	u.t.Helper()
	j = u.settled(j)
	d := u.document(j.Resource.ID)
	switch {
	case j.State == "succeeded" && (d.State == "ready" || d.State == "partial") && strings.TrimSpace(d.Content) != "":
		return d.State
	case j.State == "failed" && d.State == "failed" && d.Error != nil && d.Error.Code == j.code() && d.Error.Detail != "":
		if j.code() == "internal" {
			u.t.Errorf("%s failed without a code of its own: %s", name, d.Error.Detail)
		}
		return j.code()
	}
	u.t.Errorf("%s: job %s (%s), document %s with %d characters", name, j.State, j.code(), d.State, len(d.Content))
	return "unclear"
}

// peakMemory is the most a process ever held, in KiB.
func peakMemory(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatalf("read the peak memory of %d: %v", pid, err)
	}
	return kib
}
