package archive_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"generalbackend/internal/extraction/archive"
	"generalbackend/internal/extraction/content"
)

func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, strings.Repeat(name, 100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestArchiveNames(t *testing.T) {
	t.Parallel()
	a, err := archive.Open(zipped(t, "Word/Document.xml", `word\other.xml`, "../../etc/passwd"), archive.Limits{Entries: 10, Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"word/document.xml", "/word/document.xml", "word/./other.xml", "etc/passwd"} {
		if !a.Has(name) {
			t.Errorf("%s is missing", name)
		}
	}
	if data, err := a.Read("none"); data != nil || err != nil {
		t.Errorf("a member that is not there: %q, %v", data, err)
	}
}

func TestArchiveLimits(t *testing.T) {
	t.Parallel()
	data := zipped(t, "a", "b", "c")
	if _, err := archive.Open(data, archive.Limits{Entries: 2, Bytes: 1000}); !errors.Is(err, content.ErrTooLong) {
		t.Errorf("too many members: %v", err)
	}
	a, err := archive.Open(data, archive.Limits{Entries: 3, Bytes: 250})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := a.Read(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := a.Read("c"); !errors.Is(err, content.ErrTooLong) || !errors.Is(a.Err(), content.ErrTooLong) {
		t.Errorf("too many bytes over all members: %v, %v", err, a.Err())
	}
	if _, err := archive.Open([]byte("PK\x03\x04 and nothing more"), archive.Limits{Entries: 3}); !errors.Is(err, content.ErrMalformed) {
		t.Errorf("damaged: %v", err)
	}
}

func TestDecoderKnowsNoEntities(t *testing.T) {
	t.Parallel()
	dec := archive.NewDecoder(strings.NewReader(`<!DOCTYPE a [<!ENTITY b "text"><!ENTITY f SYSTEM "file:///etc/passwd">]><a>&amp;&b;&f;</a>`))
	var text string
	var err error
	for err == nil {
		var tok xml.Token
		if tok, err = dec.Token(); err == nil {
			if c, ok := tok.(xml.CharData); ok {
				text += string(c)
			}
		}
	}
	if text != "" || errors.Is(err, io.EOF) {
		t.Errorf("read %q, %v", text, err)
	}
}
