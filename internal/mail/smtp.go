// Package mail writes letters, in plain text and HTML, and sends them by SMTP. It
// knows their texts, but not when one is due or whose it is.
package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"generalbackend/internal/domain"
)

// Security says how a connection to a mail server is protected.
type Security string

// The ways to connect.
const (
	StartTLS Security = "starttls" // begin in the clear, go on encrypted or not at all
	TLS      Security = "tls"      // encrypted from the first byte
	None     Security = "none"     // in the clear; a password is never sent this way
)

// Server is where mail is handed in.
type Server struct {
	Host     string
	Port     int
	Username string // empty: without logging in
	Password string
	From     string // an address, perhaps with a name
	Security Security
	Options  []gomail.Option // further ones
}

// conversation bounds handing in one mail.
const conversation = 30 * time.Second

// errRefused marks a mail that no repetition will deliver.
var errRefused = errors.New("the mail was refused for good")

// Send hands in a letter. An error that is Refused will not go away.
func (s Server) Send(ctx context.Context, l domain.Letter) error {
	msg, err := s.message(l)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("prepare SMTP: %w", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to the mail server: %w", err)
	}
	err = client.SendWithSMTPClient(conn, msg)
	_ = client.CloseWithSMTPClient(conn) // what was accepted is accepted
	return verdict(err)
}

func (s Server) options() []gomail.Option {
	options := []gomail.Option{gomail.WithPort(s.Port), gomail.WithTimeout(conversation)}
	switch s.Security {
	case TLS:
		options = append(options, gomail.WithSSL())
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.Username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	return append(options, s.Options...)
}

// message is the letter in MIME. Its Message-ID is the same each time, so that
// mailboxes recognise a copy.
func (s Server) message(l domain.Letter) (*gomail.Msg, error) {
	p := compose(l)
	html, err := p.html()
	if err != nil {
		return nil, fmt.Errorf("write the mail: %w", err)
	}
	msg := gomail.NewMsg()
	if err := msg.From(s.From); err != nil {
		return nil, fmt.Errorf("SMTP_FROM: %w", err)
	}
	if err := msg.To(l.To); err != nil {
		return nil, fmt.Errorf("%w: not an address", errRefused)
	}
	msg.Subject(p.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(l.ID.String() + "@" + s.domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", p.Language)
	msg.SetBodyString(gomail.TypeTextPlain, p.plain())
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	return msg, nil
}

// domain is that of the sender.
func (s Server) domain() string {
	at := strings.LastIndex(s.From, "@")
	if at < 0 {
		return "localhost"
	}
	return strings.Trim(s.From[at+1:], "<> ")
}

// verdict leaves addresses and what the server says of them out of the error.
func verdict(err error) error {
	var refused *gomail.SendError
	if err == nil || !errors.As(err, &refused) {
		return err
	}
	said := fmt.Errorf("%s: the mail server says %d %s", refused.Reason, refused.ErrorCode(), refused.EnhancedStatusCode())
	about := refused.Reason == gomail.ErrSMTPRcptTo || refused.Reason == gomail.ErrSMTPData || refused.Reason == gomail.ErrSMTPDataClose
	if about && refused.ErrorCode() >= 500 {
		return errors.Join(errRefused, said)
	}
	return said
}

// Refused reports that sending the same again is of no use.
func Refused(err error) bool { return errors.Is(err, errRefused) }
