// Package mailtest is a mail server for tests. It speaks real SMTP, with
// STARTTLS, logging in, and faults on demand, and keeps what it accepts.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"

	"generalbackend/internal/mail"
)

// The account that may hand in mail.
const (
	Username = "mailer"
	Password = "the mailer's password"
)

// Fault is what goes wrong with one mail.
type Fault string

// The faults.
const (
	Busy      Fault = "busy"      // 451: come back later
	Unknown   Fault = "unknown"   // 550: no such mailbox
	Rejected  Fault = "rejected"  // 554 to the contents
	Cut       Fault = "cut"       // the connection breaks while the contents are sent
	Forgetful Fault = "forgetful" // the mail is kept, but the connection breaks before the reply
)

// Server keeps what it accepts.
type Server struct {
	t      testing.TB
	port   int
	client *tls.Config

	mu       sync.Mutex
	faults   []Fault
	attempts int
	mail     chan Message
}

// NewServer starts a server that demands STARTTLS and a login, or with implicit
// TLS from the first byte, and is stopped when the test ends.
func NewServer(t testing.TB, security mail.Security) *Server {
	t.Helper()
	s := &Server{t: t, mail: make(chan Message, 1000)}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	certificate, pool := selfSigned(t)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.client = &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	switch security {
	case mail.TLS:
		l = tls.NewListener(l, server.TLSConfig)
	case mail.None:
		server.TLSConfig = nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Errorf("mail server: %v", err)
		}
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return s
}

// Settings are those of a client that may hand in mail here.
func (s *Server) Settings(security mail.Security) mail.Server {
	settings := mail.Server{
		Host: "localhost", Port: s.port, Username: Username, Password: Password, From: "General Backend <no-reply@example.org>", Security: security,
		Options: []gomail.Option{gomail.WithTLSConfig(s.client)},
	}
	if security == mail.None {
		settings.Username, settings.Password = "", ""
	}
	return settings
}

// Fail lets something go wrong with the next mails, one fault each.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Attempts is how many mails were begun to be handed in.
func (s *Server) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

// next takes the fault of the mail that begins.
func (s *Server) next() (fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	return fault
}

type session struct {
	server *Server
	conn   *smtp.Conn
	user   string
	to     string
	fault  Fault
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != Username || password != Password {
			return smtp.ErrAuthFailed
		}
		s.user = username
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.user == "" && s.conn.Server().TLSConfig != nil {
		return smtp.ErrAuthRequired
	}
	s.fault = s.server.next()
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	switch s.fault {
	case Busy:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Come back later, " + to}
	case Unknown:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No mailbox " + to}
	}
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	if s.fault == Cut {
		return s.conn.Conn().Close()
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.fault == Rejected {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Not wanted"}
	}
	message, err := parse(s.to, data)
	if err != nil {
		s.server.t.Errorf("a mail cannot be read: %v\n%s", err, data)
		return err
	}
	s.server.mail <- message
	if s.fault == Forgetful {
		return s.conn.Conn().Close()
	}
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() {}

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

func selfSigned(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
