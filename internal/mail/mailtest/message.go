package mailtest

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"testing"
	"time"
)

// Message is a mail as it arrived, decoded.
type Message struct {
	To      string
	Subject string
	Header  mail.Header
	Text    string
	HTML    string
}

// patience is how long a test waits for a mail before it fails.
const patience = 10 * time.Minute

// Next waits for the next mail.
func (s *Server) Next(t testing.TB) Message {
	t.Helper()
	select {
	case m := <-s.mail:
		return m
	case <-time.After(patience):
		t.Fatal("no mail came")
		return Message{}
	}
}

// Waiting returns the mails that arrived and were not taken yet.
func (s *Server) Waiting() int { return len(s.mail) }

var tokenPattern = regexp.MustCompile(`(https?://\S+)\?token=([\w-]+)`)

// Link returns the address in the text, without its query, and its token.
func (m Message) Link(t testing.TB) (address, token string) {
	t.Helper()
	found := tokenPattern.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in %q", m.Text)
	}
	return found[1], found[2]
}

func parse(to string, data []byte) (Message, error) {
	raw, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return Message{}, err
	}
	m := Message{To: to, Header: raw.Header}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(raw.Header.Get("Subject")); err != nil {
		return m, err
	}
	_, params, err := mime.ParseMediaType(raw.Header.Get("Content-Type"))
	if err != nil {
		return m, err
	}
	parts := multipart.NewReader(raw.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // as documented
			return m, nil
		}
		if err != nil {
			return m, err
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return m, err
		}
		if kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind == "text/html" {
			m.HTML = string(body)
		} else {
			m.Text = string(body)
		}
	}
}
