// Package archive reads zip containers and the XML parts in them within
// limits, so that a small file cannot grow into a large one.
package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"generalbackend/internal/extraction/content"
)

// Limits bound what a container may unfold to.
type Limits struct {
	Entries int   // members of the container
	Bytes   int64 // decompressed bytes read, over all members
}

// Archive is an open container.
type Archive struct {
	files  map[string]*zip.File
	names  []string
	budget int64
}

// Open reads the directory of a zip file.
func Open(data []byte, limits Limits) (*Archive, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, errors.Join(content.ErrMalformed, err)
	}
	if len(r.File) > limits.Entries {
		return nil, content.ErrTooLong
	}
	a := &Archive{files: make(map[string]*zip.File, len(r.File)), budget: limits.Bytes}
	for _, f := range r.File {
		name := normal(f.Name)
		if _, dup := a.files[name]; !dup {
			a.files[name] = f
			a.names = append(a.names, f.Name)
		}
	}
	return a, nil
}

// Names lists the members in the container's order.
func (a *Archive) Names() []string { return a.names }

// Has reports whether there is a member of that name. Names are compared
// without regard to case, as OPC demands.
func (a *Archive) Has(name string) bool {
	_, ok := a.files[normal(name)]
	return ok
}

// Err returns ErrTooLong once the container unfolded beyond its limit.
func (a *Archive) Err() error {
	if a.budget < 0 {
		return content.ErrTooLong
	}
	return nil
}

// Read returns a member's bytes, nil when there is none.
func (a *Archive) Read(name string) ([]byte, error) {
	r, err := a.open(name)
	if r == nil || err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	switch {
	case a.Err() != nil:
		return nil, a.Err()
	case err != nil && len(data) == 0:
		return nil, errors.Join(content.ErrMalformed, err)
	}
	return data, nil // a wrong checksum alone does not make text unreadable
}

// XML returns a decoder of a member, nil when there is none. The decoder fails
// where the container unfolds too far, and then Err says so.
func (a *Archive) XML(name string) (*xml.Decoder, error) {
	r, err := a.open(name)
	if r == nil || err != nil {
		return nil, err
	}
	return NewDecoder(r), nil
}

func (a *Archive) open(name string) (io.Reader, error) {
	f, ok := a.files[normal(name)]
	if !ok {
		return nil, nil
	}
	const encrypted = 1
	if f.Flags&encrypted != 0 {
		return nil, content.ErrEncrypted
	}
	if f.UncompressedSize64 > uint64(max(a.budget, 0)) { // and it may be more than it admits
		a.budget = -1
		return nil, content.ErrTooLong
	}
	r, err := f.Open()
	if err != nil {
		return nil, errors.Join(content.ErrMalformed, err)
	}
	return &metered{r: r, budget: &a.budget}, nil
}

// metered reads at the archive's expense.
type metered struct {
	r      io.Reader
	budget *int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if *m.budget -= int64(n); *m.budget < 0 {
		return 0, content.ErrTooLong
	}
	return n, err
}

// NewDecoder returns a decoder of XML in any encoding. It knows no entity but
// XML's own five, so entities can neither expand nor read files.
func NewDecoder(r io.Reader) *xml.Decoder {
	buf := bufio.NewReader(r)
	mark, _ := buf.Peek(2)
	utf16 := string(mark) == "\xFE\xFF" || string(mark) == "\xFF\xFE"
	r = buf
	if utf16 {
		r = transform.NewReader(buf, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	}
	d := xml.NewDecoder(r)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if utf16 {
			return in, nil
		}
		return charset.NewReaderLabel(label, in)
	}
	return d
}

func normal(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/"))
}
