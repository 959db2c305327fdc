package mail

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Line is where mails wait. They are written there in the transaction of what
// they tell about, and leave when they were sent.
type Line interface {
	// ClaimMail takes the mail that is due longest for as long as hold;
	// CodeNotFound when none is due.
	ClaimMail(ctx context.Context, hold time.Duration) (domain.Mail, error)
	PostponeMail(ctx context.Context, id uuid.UUID, wait time.Duration) error
	DropMail(ctx context.Context, id uuid.UUID) error
}

// Writer makes a letter of a mail; CodeNotFound when there is nothing to send.
type Writer interface {
	Letter(ctx context.Context, m domain.Mail) (domain.Letter, error)
}

// Sender delivers a letter, or hands it to who does.
type Sender interface {
	Send(ctx context.Context, l domain.Letter) error
}

// Outbox sends what waits in the line, each mail at least once. Any number of
// processes may run one.
type Outbox struct {
	line   Line
	writer Writer
	sender Sender
	timing Timing
	log    *slog.Logger
	wake   chan struct{}
}

// Timing is how patient an outbox is. Zeroes take the defaults.
type Timing struct {
	Poll  time.Duration // between looks, where nobody wakes it; 5 s
	First time.Duration // before the second attempt, doubling after that; 10 s
	Most  time.Duration // between attempts; 30 min
	Limit time.Duration // after which a mail is given up; 24 h
}

// hold is how long a mail belongs to who claimed it, well above conversation.
const hold = 2 * time.Minute

// NewOutbox makes an outbox; Run runs it.
func NewOutbox(line Line, writer Writer, sender Sender, timing Timing, log *slog.Logger) *Outbox {
	def := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	def(&timing.Poll, 5*time.Second)
	def(&timing.First, 10*time.Second)
	def(&timing.Most, 30*time.Minute)
	def(&timing.Limit, 24*time.Hour)
	return &Outbox{line: line, writer: writer, sender: sender, timing: timing, log: log, wake: make(chan struct{}, 1)}
}

// Wake says that there is a new mail. It never blocks.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx is done. A mail that is being sent then is finished or,
// at the latest after its hold, sent by another.
func (o *Outbox) Run(ctx context.Context) error {
	poll := time.NewTicker(o.timing.Poll)
	defer poll.Stop()
	for {
		for ctx.Err() == nil && o.next(ctx) {
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-poll.C:
		}
	}
}

// next sends one mail and reports whether there may be more.
func (o *Outbox) next(ctx context.Context) bool {
	m, err := o.line.ClaimMail(ctx, hold)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return false
	}
	if err == nil {
		err = o.settle(ctx, m, o.send(ctx, m))
	}
	if err != nil && ctx.Err() == nil {
		o.log.Warn("the line of mails cannot be worked", "error", err)
	}
	return err == nil
}

func (o *Outbox) send(ctx context.Context, m domain.Mail) error {
	letter, err := o.writer.Letter(ctx, m)
	if err != nil {
		return err
	}
	return o.sender.Send(ctx, letter)
}

// settle removes a mail that was sent or is hopeless, and puts off the others.
func (o *Outbox) settle(ctx context.Context, m domain.Mail, err error) error {
	ctx = context.WithoutCancel(ctx)
	log := o.log.With("mail_id", m.ID, "kind", string(m.Kind), "attempt", m.Attempt)
	switch {
	case err == nil:
		log.Info("mail sent")
	case domain.CodeOf(err) == domain.CodeNotFound:
		log.Debug("mail left out")
	case Refused(err):
		log.Error("mail refused", "error", err)
	case time.Since(m.CreatedAt) > o.timing.Limit:
		log.Error("mail given up", "error", err)
	default:
		wait := o.pause(m.Attempt)
		log.Warn("mail not sent, trying again", "error", err, "wait", wait.String())
		return o.line.PostponeMail(ctx, m.ID, wait)
	}
	return o.line.DropMail(ctx, m.ID)
}

// pause doubles with each attempt, and differs between mails.
func (o *Outbox) pause(attempt int) time.Duration {
	wait := o.timing.First << min(attempt-1, 20)
	if wait > o.timing.Most || wait <= 0 {
		wait = o.timing.Most
	}
	return wait/2 + rand.N(wait/2+1)
}

// Log stands in for a mail server while developing: the link goes to the log.
type Log struct{ Log *slog.Logger }

// Send implements Sender.
func (l Log) Send(_ context.Context, letter domain.Letter) error {
	l.Log.Info("no mail server is set: this would be mailed", "kind", string(letter.Kind), "to", letter.To, "link", letter.Link)
	return nil
}

// Nowhere drops mail, where no server is set and secrets must not be logged.
type Nowhere struct{}

// Send implements Sender.
func (Nowhere) Send(context.Context, domain.Letter) error { return nil }
