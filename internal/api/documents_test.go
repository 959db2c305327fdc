package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// TestUpload: what was sent is what is kept, whatever the order of the fields.
func TestUpload(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var project api.Project
	u.must(201, "POST", "/v1/projects", object{"name": "files"}).into(t, &project)
	content := pdf + strings.Repeat("x", 1<<20) // more than one part
	sum := sha256.Sum256([]byte(content))
	named := field{"project_id", "", project.ID.String()}
	for _, fields := range [][]field{
		{named, {"file", `C:\letters\Über uns.pdf`, content}},
		{{"file", "../../Über uns.pdf", content}, named},
		{{"note", "", "ignored"}, {"file", "Über uns.pdf", content}, named},
	} {
		a := u.upload(fields...)
		d := a.Document
		if d.Filename != "Über uns.pdf" || d.Type != "pdf" || d.State != "pending" || d.Size != int64(len(content)) ||
			d.SHA256 != hex.EncodeToString(sum[:]) || d.ProjectID == nil || *d.ProjectID != project.ID {
			t.Errorf("uploaded as %+v", d.DocumentSummary)
		}
		if a.Job.Class != "standard" || a.Job.Resource.ID != d.ID || a.Job.Resource.Href != "/v1/documents/"+d.ID.String() ||
			a.Job.ProjectID == nil || *a.Job.ProjectID != project.ID {
			t.Errorf("the job is %+v", a.Job)
		}
		file := u.must(200, "GET", "/v1/documents/"+d.ID.String()+"/file", nil)
		if string(file.body) != content {
			t.Error("the original came back changed")
		}
	}
}

// TestOriginals are given out so that none can run script in our name.
func TestOriginals(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	for _, tc := range []struct{ name, content, kind, disposition string }{
		{"a.pdf", pdf, "application/pdf", `inline; filename=a.pdf`},
		{"a.html", "<!doctype html><script>alert(1)</script>", "application/octet-stream", `attachment; filename=a.html`},
		{"a.txt", "<b>not bold</b>", "text/plain; charset=utf-8", `inline; filename=a.txt`},
		{"Grüße \"x\".txt", "text", "text/plain; charset=utf-8", `inline; filename*=utf-8''Gr%C3%BC%C3%9Fe%20%22x%22.txt`},
	} {
		path := "/v1/documents/" + u.upload(field{"file", tc.name, tc.content}).Document.ID.String() + "/file"
		r := u.must(200, "GET", path, nil)
		h := r.header
		if h.Get("Content-Type") != tc.kind || h.Get("Content-Disposition") != tc.disposition ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v", tc.name, h)
		}
		if r := u.must(304, "GET", path, nil, "If-None-Match: "+h.Get("ETag")); len(r.body) > 0 {
			t.Errorf("%s: 304 with a body", tc.name)
		}
	}
	var a accepted
	u.must(202, "POST", "/v1/documents/url", object{"url": "https://example.org/page#part"}).into(t, &a)
	if a.Document.URL != "https://example.org/page" {
		t.Errorf("the address is %s", a.Document.URL)
	}
	u.refused(domain.CodeNotReady, 409, "GET", "/v1/documents/"+a.Document.ID.String()+"/file", nil)
}

// TestRefusedUploadsLeaveNothing, whether they are refused or cut off.
func TestRefusedUploadsLeaveNothing(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	large, contentType := form(t, field{"file", "large.txt", strings.Repeat("words ", 1<<19)})
	u.refused(domain.CodeTooLarge, 413, "POST", "/v1/documents/upload", io.MultiReader(strings.NewReader(large)), contentType)
	cut, contentType := form(t, field{"file", "a.pdf", pdf + strings.Repeat("x", 3<<19)})
	u.refused(domain.CodeInvalid, 400, "POST", "/v1/documents/upload", cut[:1<<20], contentType)
	documents, err := u.store.Documents(t.Context(), u.id, postgres.DocumentFilter{Limit: 10})
	if err != nil || len(documents) > 0 {
		t.Errorf("left %v, %v", documents, err)
	}
	if n, err := u.store.DeleteAbandonedUploads(t.Context(), -1); err != nil || n > 0 {
		t.Errorf("%d abandoned, %v", n, err)
	}
}

// TestUploadMemory: a file is streamed. It runs alone, as it looks at the heap
// of the process, client included.
func TestUploadMemory(t *testing.T) { //nolint:paralleltest // looks at the whole heap
	const size = 50 << 20
	u := newSystem(t, func(o *api.Options) { o.MaxUploadBytes = size }).newUser()
	before := live()
	most := uint64(0)
	reader, writer := io.Pipe()
	w := multipart.NewWriter(writer)
	go func() {
		part, err := w.CreateFormFile("file", "large.txt")
		block := bytes.Repeat([]byte("a line of text\n\n"), 1<<16)
		for sent := 0; sent < size && err == nil; sent += len(block) {
			_, err = part.Write(block)
			if sent%(8<<20) == 0 {
				most = max(most, live())
			}
		}
		if err == nil {
			err = w.Close()
		}
		writer.CloseWithError(err)
	}()
	var a accepted
	u.must(202, "POST", "/v1/documents/upload", reader, "Content-Type: "+w.FormDataContentType()).into(t, &a)
	if a.Document.Size != size {
		t.Errorf("stored %d bytes", a.Document.Size)
	}
	t.Logf("heap in use: %d KiB before, at most %d KiB during %d MiB", before>>10, most>>10, size>>20)
	if most > before+size/4 {
		t.Errorf("the heap grew from %d to %d MiB", before>>20, most>>20)
	}
	resp, err := http.NewRequest("GET", u.url+"/v1/documents/"+a.Document.ID.String()+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Header.Set("Authorization", "Bearer "+u.token)
	file, err := http.DefaultClient.Do(resp)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Body.Close()
	sum := sha256.New()
	if n, err := io.Copy(sum, file.Body); err != nil || n != size || hex.EncodeToString(sum.Sum(nil)) != a.Document.SHA256 {
		t.Errorf("read back %d bytes, %v", n, err)
	}
	if after := live(); after > before+size/4 {
		t.Errorf("the heap grew from %d to %d MiB", before>>20, after>>20)
	}
}

// live is how many bytes of the heap are in use once the garbage is gone.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestDocumentsAreListedAndDeleted(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	var want []string
	for i := range 5 {
		want = append([]string{fmt.Sprint("text ", i)}, want...)
		u.text(want[0])
	}
	var got []string
	path := "/v1/documents?limit=2"
	for pages := 1; ; pages++ {
		var page api.Page[api.DocumentSummary]
		u.must(200, "GET", path, nil).into(t, &page)
		for _, d := range page.Items {
			got = append(got, d.Title)
		}
		if page.NextCursor == nil {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		path = "/v1/documents?limit=2&cursor=" + *page.NextCursor
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var array []api.DocumentSummary
	u.must(200, "GET", "/documents", nil).into(t, &array)
	if len(array) != 5 {
		t.Fatalf("%d documents at the root", len(array))
	}
	u.must(204, "DELETE", "/v1/documents/"+array[0].ID.String(), nil)
	u.refused(domain.CodeNotFound, 404, "GET", "/v1/documents/"+array[0].ID.String(), nil)
	u.refused(domain.CodeNotFound, 404, "DELETE", "/documents/"+array[0].ID.String(), nil)
}

// TestCursors are good for their own list of their own user only.
func TestCursors(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, other := s.newUser(), s.newUser()
	for range 2 {
		u.text("text")
	}
	var page api.Page[api.Job]
	u.must(200, "GET", "/v1/jobs?limit=1", nil).into(t, &page)
	cursor := *page.NextCursor
	u.must(200, "GET", "/v1/jobs?limit=1&cursor="+cursor, nil)
	u.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/documents?cursor="+cursor, nil)
	other.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/jobs?cursor="+cursor, nil)
	for i := range cursor {
		changed := []byte(cursor)
		changed[i] = 'A' + (changed[i]-'A'+1)%26
		if string(changed) != cursor && i != len(cursor)-1 {
			u.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/jobs?cursor="+string(changed), nil)
		}
	}
	u.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/jobs?cursor="+cursor[:8], nil)
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	path := "/v1/documents/" + u.ready("pages").ID.String() + "/pages"
	var pages []api.DocumentPage
	u.must(200, "GET", path, nil).into(t, &pages)
	if len(pages) != 1 || pages[0].Page != 1 || pages[0].Text != "About pages" || !pages[0].Quality.Readable {
		t.Errorf("pages %+v", pages)
	}
	if r := u.must(200, "GET", path+"?after=1", nil); strings.TrimSpace(string(r.body)) != "[]" {
		t.Errorf("after the last page: %s", r.body)
	}
}
