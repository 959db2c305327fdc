package mail_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/mail"
	"generalbackend/internal/mail/mailtest"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

const address = "https://app.example.org/auth/verify?token=a-b_c"

var kinds = []domain.MailKind{
	domain.MailVerify, domain.MailReset, domain.MailTaken, domain.MailRegistered, domain.MailApproved,
	domain.MailPasswordChanged, domain.MailEmailChanged,
}

// TestEveryKindInEveryLanguage: the texts are complete in both forms, and what
// they name is escaped.
func TestEveryKindInEveryLanguage(t *testing.T) {
	t.Parallel()
	server := mailtest.NewServer(t, mail.StartTLS)
	settings := server.Settings(mail.StartTLS)
	subjects := map[string]bool{}
	for _, language := range []string{"", "de", "fr"} {
		for _, kind := range kinds {
			letter := domain.Letter{ID: uuid.New(), Kind: kind, To: "eva@example.org", Language: language, About: `"<b>"@example.org`}
			if kind != domain.MailRegistered && kind != domain.MailPasswordChanged && kind != domain.MailEmailChanged {
				letter.Link = address
			}
			if err := settings.Send(t.Context(), letter); err != nil {
				t.Fatal(err)
			}
			got := server.Next(t)
			subjects[got.Subject] = true
			greeting, code := "Hello,", "en"
			if language == "de" {
				greeting, code = "Guten Tag,", "de"
			}
			if got.To != letter.To || !strings.HasPrefix(got.Text, greeting) || got.Header.Get("Content-Language") != code || !strings.Contains(got.HTML, `lang="`+code+`"`) {
				t.Errorf("%s %s: %+v", kind, language, got)
			}
			if want := "<" + letter.ID.String() + "@example.org>"; got.Header.Get("Message-ID") != want {
				t.Errorf("Message-ID %s, want %s", got.Header.Get("Message-ID"), want)
			}
			if linked := strings.Contains(got.Text, address) && strings.Contains(got.HTML, `href="`+address+`"`); linked != (letter.Link != "") {
				t.Errorf("%s %s: link %v in %s", kind, language, linked, got.Text)
			}
			if strings.Contains(got.HTML, "<b>") || strings.Contains(got.Text+got.HTML, "{about}") || strings.Contains(got.Text, "&") {
				t.Errorf("%s %s: %s\n%s", kind, language, got.Text, got.HTML)
			}
		}
	}
	if len(subjects) != 2*len(kinds) {
		t.Errorf("%d subjects: %v", len(subjects), subjects)
	}
}

func TestUmlauts(t *testing.T) {
	t.Parallel()
	server := mailtest.NewServer(t, mail.TLS)
	letter := domain.Letter{ID: uuid.New(), Kind: domain.MailVerify, To: "eva@example.org", Language: "de", Link: address}
	if err := server.Settings(mail.TLS).Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := server.Next(t)
	if got.Subject != "Bestätigen Sie Ihre E-Mail-Adresse" || !strings.Contains(got.Text, "dass diese E-Mail-Adresse Ihnen gehört") || !strings.Contains(got.HTML, "müssen Sie nichts tun") {
		t.Errorf("%+v", got)
	}
}

// TestConnections: mail goes out in the ways that are configured, and a password
// only where nobody can read it.
func TestConnections(t *testing.T) {
	t.Parallel()
	letter := domain.Letter{ID: uuid.New(), Kind: domain.MailReset, To: "eva@example.org", Link: address}
	for _, tc := range []struct {
		name           string
		server, client mail.Security
		change         func(*mail.Server)
		sent           bool
	}{
		{"starttls", mail.StartTLS, mail.StartTLS, nil, true},
		{"tls", mail.TLS, mail.TLS, nil, true},
		{"in the clear", mail.None, mail.None, nil, true},
		{"starttls is not offered", mail.None, mail.StartTLS, nil, false},
		{"password in the clear", mail.None, mail.None, func(s *mail.Server) { s.Username, s.Password = mailtest.Username, mailtest.Password }, false},
		{"wrong password", mail.StartTLS, mail.StartTLS, func(s *mail.Server) { s.Password = "wrong" }, false},
		{"another name in the certificate", mail.StartTLS, mail.StartTLS, func(s *mail.Server) { s.Options = nil }, false},
		{"nobody there", mail.StartTLS, mail.StartTLS, func(s *mail.Server) { s.Port = 1 }, false},
	} {
		server := mailtest.NewServer(t, tc.server)
		settings := server.Settings(tc.client)
		if tc.change != nil {
			tc.change(&settings)
		}
		err := settings.Send(t.Context(), letter)
		if (err == nil) != tc.sent || mail.Refused(err) || server.Waiting() > 0 != tc.sent {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestRefusals: only what concerns the mail itself is for good, and addresses
// stay out of the error.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := mailtest.NewServer(t, mail.StartTLS)
	settings := server.Settings(mail.StartTLS)
	for _, tc := range []struct {
		fault   mailtest.Fault
		refused bool
	}{{mailtest.Busy, false}, {mailtest.Unknown, true}, {mailtest.Rejected, true}, {mailtest.Cut, false}, {mailtest.Forgetful, false}} {
		server.Fail(tc.fault)
		err := settings.Send(t.Context(), domain.Letter{ID: uuid.New(), Kind: domain.MailReset, To: "eva@example.org", Link: address})
		if err == nil || mail.Refused(err) != tc.refused || strings.Contains(err.Error(), "eva@") || strings.Contains(err.Error(), "token") {
			t.Errorf("%s: %v", tc.fault, err)
		}
	}
	if err := settings.Send(t.Context(), domain.Letter{Kind: domain.MailReset, To: "nobody"}); !mail.Refused(err) {
		t.Errorf("no address: %v", err)
	}
}

// writer makes letters, but not of mails about "nothing".
type writer struct{}

func (writer) Letter(_ context.Context, m domain.Mail) (domain.Letter, error) {
	if m.About == "nothing" {
		return domain.Letter{}, domain.Errorf(domain.CodeNotFound, "There is nothing to send.")
	}
	return domain.Letter{ID: m.ID, Kind: m.Kind, To: m.Recipient, Link: address}, nil
}

// office is a real line of mails, worked by an outbox.
type office struct {
	store  *postgres.Store
	db     *pgx.Conn
	server *mailtest.Server
	log    *log
}

// log can be written and read at the same time.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dsn := postgrestest.NewDatabase(t)
	store := postgrestest.Open(t, dsn).System()
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	return &office{store: store, db: db, server: mailtest.NewServer(t, mail.StartTLS), log: &log{}}
}

// open works the line until the test ends.
func (o *office) open(t *testing.T, timing mail.Timing) *mail.Outbox {
	t.Helper()
	outbox := mail.NewOutbox(o.store, writer{}, o.server.Settings(mail.StartTLS), timing, slog.New(slog.NewTextHandler(o.log, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = outbox.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return outbox
}

func (o *office) add(t *testing.T, about string) {
	t.Helper()
	m := domain.Mail{Kind: domain.MailReset, Recipient: "eva@example.org", About: about}
	if err := o.store.AddMail(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition that SQL can tell.
func (o *office) until(t *testing.T, condition string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var met bool
		if err := o.db.QueryRow(t.Context(), "SELECT "+condition).Scan(&met); err != nil {
			t.Fatal(err)
		}
		if met {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s\n%s", condition, o.log)
		}
	}
}

const sent = "NOT EXISTS (SELECT FROM mails)"

// TestOutbox: temporary faults are waited out; a mail leaves the line when it was
// sent, refused or superfluous, and not before.
func TestOutbox(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	outbox := o.open(t, mail.Timing{First: time.Millisecond, Most: time.Millisecond, Poll: 5 * time.Millisecond})
	for _, tc := range []struct {
		name     string
		about    string
		faults   []mailtest.Fault
		attempts int
		arrive   int
	}{
		{"at once", "", nil, 1, 1},
		{"after faults", "", []mailtest.Fault{mailtest.Busy, mailtest.Cut, mailtest.Busy}, 4, 1},
		{"twice rather than never", "", []mailtest.Fault{mailtest.Forgetful}, 2, 2},
		{"refused", "", []mailtest.Fault{mailtest.Unknown}, 1, 0},
		{"superfluous", "nothing", nil, 0, 0},
	} {
		before := o.server.Attempts()
		o.server.Fail(tc.faults...)
		o.add(t, tc.about)
		outbox.Wake()
		o.until(t, sent)
		if got := o.server.Attempts() - before; got != tc.attempts || o.server.Waiting() != tc.arrive {
			t.Errorf("%s: %d attempts, %d arrived", tc.name, got, o.server.Waiting())
		}
		ids := map[string]bool{}
		for range tc.arrive {
			ids[o.server.Next(t).Header.Get("Message-ID")] = true
		}
		if len(ids) > 1 {
			t.Errorf("%s: copies cannot be recognised: %v", tc.name, ids)
		}
	}
	if text := o.log.String(); strings.Contains(text, "eva@") || strings.Contains(text, "token=") {
		t.Errorf("an address or a link is in the log:\n%s", text)
	}
}

// TestPatience: the pause after a fault grows, and a mail is given up after a day.
func TestPatience(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	outbox := o.open(t, mail.Timing{First: 10 * time.Minute, Poll: 5 * time.Millisecond})
	o.server.Fail(mailtest.Busy, mailtest.Busy, mailtest.Busy)
	o.add(t, "")
	outbox.Wake()
	for attempt, pause := range []string{"interval '10 min'", "interval '20 min'"} {
		o.until(t, fmt.Sprintf("attempt = %d AND due_at - now() BETWEEN %s / 2 - interval '1 min' AND %s FROM mails", attempt+1, pause, pause))
		if _, err := o.db.Exec(t.Context(), "UPDATE mails SET due_at = now(), created_at = created_at - $1 * interval '13 hours'", attempt+1); err != nil {
			t.Fatal(err)
		}
	}
	o.until(t, sent)
	if !strings.Contains(o.log.String(), "given up") || o.server.Waiting() > 0 {
		t.Errorf("log:\n%s", o.log)
	}
}

// TestManyOutboxes: each mail is sent by one of them, and a mail whose sender died
// by another.
func TestManyOutboxes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.add(t, "")
	dead, err := o.store.ClaimMail(t.Context(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	const mails = 20
	for range mails {
		o.add(t, "")
	}
	for range 3 {
		o.open(t, mail.Timing{Poll: 5 * time.Millisecond})
	}
	o.until(t, sent)
	seen := map[string]bool{}
	for range mails + 1 {
		seen[o.server.Next(t).Header.Get("Message-ID")] = true
	}
	if len(seen) != mails+1 || !seen["<"+dead.ID.String()+"@example.org>"] || o.server.Waiting() > 0 {
		t.Errorf("%d different mails, %d more", len(seen), o.server.Waiting())
	}
}

// TestWithoutServer: development logs the link, for there is no other way to it.
func TestWithoutServer(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := (mail.Log{Log: slog.New(slog.NewTextHandler(&out, nil))}).Send(t.Context(), domain.Letter{Kind: domain.MailReset, Link: address}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "token=a-b_c") {
		t.Error(out.String())
	}
	if err := (mail.Nowhere{}).Send(t.Context(), domain.Letter{}); err != nil {
		t.Error(err)
	}
}
