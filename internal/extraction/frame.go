package extraction

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"generalbackend/internal/domain"
)

// The protocol between parent and child. The parent sends a request, then the
// document in frameBytes, of which an empty one is the last. The child answers
// frameTotal, framePage for each page and frameDone, or frameError at any
// point. After frameDone it may be asked again. A frame is its kind, the length of its body in 4 bytes, and its body.
const (
	frameRequest byte = 'R'
	frameBytes   byte = 'B'
	frameTotal   byte = 'T'
	framePage    byte = 'P'
	frameDone    byte = 'D'
	frameError   byte = 'E'
)

// request tells the child what to read.
type request struct {
	Type        domain.DocumentType `json:"type"`
	ContentType string              `json:"content_type"` // of a fetched page
	URL         string              `json:"url"`          // set: take the main text only
}

// summary is what is known of a document after its last page.
type summary struct {
	Type     domain.DocumentType   `json:"type"`
	Title    string                `json:"title"`
	Language string                `json:"language"`
	Damaged  bool                  `json:"damaged"`
	Outline  []domain.OutlineEntry `json:"outline"`
	Metadata map[string]string     `json:"metadata"`
	Reusable bool                  `json:"reusable"` // the child has room for another document
	Memory   int64                 `json:"memory"`   // the largest the child has been, in bytes
}

// failure is an error on its way from child to parent.
type failure struct {
	Code   domain.Code `json:"code"`
	Detail string      `json:"detail"` // for the log
	Memory int64       `json:"memory"` // as in summary
}

var errFrameTooLong = errors.New("frame too long")

func writeFrame(w io.Writer, kind byte, body []byte) error {
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(body)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

func writeJSON(w io.Writer, kind byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, kind, body)
}

// readFrame reads one frame whose body is at most limit bytes long.
func readFrame(r io.Reader, limit int64) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > limit {
		return 0, nil, fmt.Errorf("%w: %d bytes", errFrameTooLong, size)
	}
	body = make([]byte, size)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

// sendDocument writes a request and the document's bytes.
func sendDocument(w io.Writer, req request, body io.Reader) error {
	if err := writeJSON(w, frameRequest, req); err != nil {
		return err
	}
	buf := make([]byte, 256<<10)
	for {
		n, err := io.ReadFull(body, buf)
		if n > 0 {
			if err := writeFrame(w, frameBytes, buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return writeFrame(w, frameBytes, nil)
		case err != nil:
			return err
		}
	}
}

// receiveDocument is the child's side of sendDocument.
func receiveDocument(r io.Reader, limit int64) (request, []byte, error) {
	var req request
	kind, body, err := readFrame(r, 64<<10)
	if err != nil {
		return req, nil, err
	}
	if kind != frameRequest {
		return req, nil, errors.New("no request")
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return req, nil, err
	}
	var data []byte
	for {
		_, part, err := readFrame(r, 1<<20)
		if err != nil {
			return req, nil, err
		}
		if len(part) == 0 {
			return req, data, nil
		}
		if data = append(data, part...); int64(len(data)) > limit {
			return req, nil, errFrameTooLong
		}
	}
}
