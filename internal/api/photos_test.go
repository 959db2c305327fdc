package api_test

import (
	"bytes"
	"image/jpeg"
	"strings"
	"testing"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/mupdf"
	"generalbackend/internal/photo/phototest"
)

// show adds a photo to a memory.
func (s *teller) show(m api.Memory, data []byte) api.Photo {
	s.t.Helper()
	body, contentType := form(s.t, field{"caption", "", "Vor der Schule\n"}, field{"file", "IMG_1.jpg", string(data)})
	var p api.Photo
	s.must(201, "POST", s.memoryPath(m)+"/photos", body, contentType).into(s.t, &p)
	return p
}

func TestPhotos(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	m := s.tell(object{"text": "Schule"})
	p := s.show(m, phototest.JPEG(t, phototest.Corners(900, 300), phototest.Exif{Orientation: 6, TakenAt: "1994:09:01 08:15:00", GPS: true}))
	if p.Width != 300 || p.Height != 900 || p.TakenAt == nil || *p.TakenAt != "1994-09-01T08:15:00" || p.Caption != "Vor der Schule" {
		t.Errorf("photo %+v", p)
	}
	full := s.must(200, "GET", p.FilePath, nil)
	img, err := jpeg.DecodeConfig(bytes.NewReader(full.body))
	if err != nil || img.Width != 300 || full.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("full: %v, %+v, %v", err, img, full.header)
	}
	for _, trace := range []string{"GPSMARK", "Exif", "1994"} {
		if bytes.Contains(full.body, []byte(trace)) {
			t.Errorf("the photo still holds %s", trace)
		}
	}
	small := s.must(200, "GET", p.ThumbnailPath, nil)
	if img, err = jpeg.DecodeConfig(bytes.NewReader(small.body)); err != nil || img.Height != 400 {
		t.Errorf("thumbnail: %v, %+v", err, img)
	}
	s.must(304, "GET", p.FilePath, nil, "If-None-Match: "+full.header.Get("ETag"))
	if small.header.Get("ETag") == full.header.Get("ETag") {
		t.Error("both sizes have one ETag")
	}
	path := s.path + "/photos/" + p.ID.String()
	s.must(200, "PATCH", path, object{"caption": "Neu"}).into(t, &p)
	s.must(200, "GET", path, nil).into(t, &p)
	if p.Caption != "Neu" {
		t.Errorf("caption %q", p.Caption)
	}
	s.must(200, "GET", s.memoryPath(m), nil).into(t, &m)
	if len(m.Photos) != 1 || m.Photos[0].ID != p.ID {
		t.Errorf("the memory's photos are %+v", m.Photos)
	}
	other := s.teller(nil)
	for _, method := range []string{"GET", "DELETE"} {
		s.refused(domain.CodeNotFound, 404, method, other.path+"/photos/"+p.ID.String(), nil)
	}
	s.refused(domain.CodeNotFound, 404, "GET", s.path+"/photos"+nobody+"/file", nil)
	s.refused(domain.CodeInvalid, 422, "GET", path+"/file?size=huge", nil)
	s.refused(domain.CodeNotFound, 404, "PATCH", s.path+"/photos"+nobody, object{"caption": "x"})
	s.must(204, "DELETE", path, nil)
	s.refused(domain.CodeNotFound, 404, "GET", path, nil)
	s.refused(domain.CodeNotFound, 404, "DELETE", path, nil)
}

func TestPhotosThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	m := s.tell(object{"text": "Schule"})
	path := s.memoryPath(m) + "/photos"
	good := string(phototest.JPEG(t, phototest.Corners(8, 8), phototest.Exif{}))
	bomb := string(phototest.PNG(65535, 65535, 8))
	for name, tt := range map[string]struct {
		code   domain.Code
		status int
		fields []field
	}{
		"damaged":   {domain.CodePhotoMalformed, 422, []field{{"file", "a.jpg", good[:len(good)/2]}}},
		"bomb":      {domain.CodePhotoTooLarge, 422, []field{{"file", "a.png", bomb}}},
		"pdf":       {domain.CodeUnsupportedType, 415, []field{{"file", "a.jpg", pdf}}},
		"heic":      {domain.CodeUnsupportedType, 415, []field{{"file", "a.jpg", "\x00\x00\x00\x18ftypheic" + strings.Repeat("\x00", 30)}}},
		"empty":     {domain.CodeUnsupportedType, 415, []field{{"file", "a.jpg", ""}}},
		"missing":   {domain.CodeInvalid, 422, []field{{"caption", "", "x"}}},
		"two":       {domain.CodeInvalid, 422, []field{{"file", "a.jpg", good}, {"file", "b.jpg", good}}},
		"too large": {domain.CodeTooLarge, 413, []field{{"file", "a.jpg", good + strings.Repeat("x", 20<<20)}}},
	} {
		body, contentType := form(t, tt.fields...)
		r := s.refused(tt.code, tt.status, "POST", path, body, contentType)
		if name == "heic" && !bytes.Contains(r.body, []byte("JPEG")) {
			t.Errorf("no way out is told: %s", r.body)
		}
	}
	s.refused(domain.CodeUnsupportedType, 415, "POST", path, good, "Content-Type: image/jpeg")
	s.refused(domain.CodeInvalid, 400, "POST", path, "--x\r\ncut", "Content-Type: multipart/form-data; boundary=x")
	body, contentType := form(t, field{"file", "a.jpg", good})
	s.refused(domain.CodeNotFound, 404, "POST", s.path+"/memories"+nobody+"/photos", body, contentType)
	for range 50 {
		s.must(201, "POST", path, body, contentType)
	}
	s.refused(domain.CodeConflict, 409, "POST", path, body, contentType)
}

func TestBooks(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(object{"title": "Über den Fluß", "born_on": "1938-05-17"})
	m := s.tell(object{"title": "Die Schule", "text": "Größe, Übermut.\n\n* Łódź und Юрий *", "when": object{"earliest": "1944-09"}})
	s.show(m, phototest.JPEG(t, phototest.Corners(900, 600), phototest.Exif{}))
	wanted := []string{"Über den Fluß", "Oma Hanne", "Kindheit", "Die Schule", "September 1944", "Größe, Übermut.", "Łódź und Юрий", "Vor der Schule"}
	book := s.must(200, "GET", s.path+"/book", nil)
	doc, err := mupdf.Open(book.body, ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	count, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	printed := ""
	for n := range count {
		text, _, err := doc.Text(n)
		if err != nil {
			t.Fatal(err)
		}
		printed += text + "\n"
	}
	text := s.must(200, "GET", s.path+"/book?format=text", nil)
	for _, want := range wanted {
		if !strings.Contains(printed, want) {
			t.Errorf("the book lacks %q:\n%s", want, printed)
		}
		if !strings.Contains(string(text.body), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.body)
		}
	}
	if kind := text.header.Get("Content-Type"); kind != "text/markdown; charset=utf-8" || !strings.Contains(string(text.body), `\* Łódź`) {
		t.Errorf("%s: %s", kind, text.body)
	}
	if kind := book.header.Get("Content-Type"); kind != "application/pdf" || !strings.Contains(book.header.Get("Content-Disposition"), "filename*=utf-8''") {
		t.Errorf("headers %v", book.header)
	}
	empty := s.teller(nil)
	empty.must(200, "GET", empty.path+"/book", nil)
	s.refused(domain.CodeInvalid, 422, "GET", s.path+"/book?format=docx", nil)
	endless := s.teller(nil)
	endless.tell(object{"text": "."})
	s.sql("UPDATE memory_versions SET text = repeat('x', 3000001) WHERE text = '.'")
	endless.refused(domain.CodeTooLarge, 413, "GET", endless.path+"/book", nil)
	endless.must(200, "GET", endless.path+"/book?format=text", nil)
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody+"/book", nil)
}
