package queue

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"generalbackend/internal/domain"
)

// Signals go over core NATS: at most once, to whoever listens just then. Each
// only hastens what polling finds anyway.
const (
	subjectDue    = "ctl.due"
	subjectWork   = "ctl.work."
	subjectPause  = "ctl.pause."
	subjectCancel = "ctl.cancel."
	subjectHint   = "hint."
	subjectConfig = "ctl.llmconfig"
)

// SignalDue tells the dispatcher that jobs may be due.
func (q *Queue) SignalDue() { q.signal(subjectDue, nil) }

// OnDue calls fn on each SignalDue, until cancel.
func (q *Queue) OnDue(fn func()) (cancel func(), err error) {
	return q.subscribe(subjectDue, func(*nats.Msg) { fn() })
}

// SignalWork tells the workers of a stage that messages wait.
func (q *Queue) SignalWork(stage domain.Stage) { q.signal(subjectWork+string(stage), nil) }

// OnWork calls fn on each SignalWork of the stage, until cancel.
func (q *Queue) OnWork(stage domain.Stage, fn func()) (cancel func(), err error) {
	return q.subscribe(subjectWork+string(stage), func(*nats.Msg) { fn() })
}

// SignalPause tells the workers of a stage that it was paused or resumed.
func (q *Queue) SignalPause(stage domain.Stage) { q.signal(subjectPause+string(stage), nil) }

// OnPause calls fn on each SignalPause of the stage, until cancel.
func (q *Queue) OnPause(stage domain.Stage, fn func()) (cancel func(), err error) {
	return q.subscribe(subjectPause+string(stage), func(*nats.Msg) { fn() })
}

// SignalCancel tells whoever runs the job to stop.
func (q *Queue) SignalCancel(job uuid.UUID) { q.signal(subjectCancel+job.String(), nil) }

// OnCancel calls fn with each job that is to stop, until cancel.
func (q *Queue) OnCancel(fn func(job uuid.UUID)) (cancel func(), err error) {
	return q.subscribe(subjectCancel+"*", func(m *nats.Msg) {
		if id, err := uuid.Parse(strings.TrimPrefix(m.Subject, subjectCancel)); err == nil {
			fn(id)
		}
	})
}

// SignalLLMConfig tells every process that the configuration of the language
// models changed.
func (q *Queue) SignalLLMConfig() { q.signal(subjectConfig, nil) }

// OnLLMConfig calls fn on each SignalLLMConfig, until cancel.
func (q *Queue) OnLLMConfig(fn func()) (cancel func(), err error) {
	return q.subscribe(subjectConfig, func(*nats.Msg) { fn() })
}

// Hint says that a job changed.
func (q *Queue) Hint(hint domain.JobHint) {
	body, err := json.Marshal(hint)
	if err != nil {
		q.log.Error("encode hint", "error", err)
		return
	}
	q.signal(fmt.Sprintf("%s%s.%s", subjectHint, hint.UserID, hint.JobID), body)
}

// OnHint calls fn with each hint of any user, until cancel.
func (q *Queue) OnHint(fn func(domain.JobHint)) (cancel func(), err error) {
	return q.subscribe(subjectHint+">", func(m *nats.Msg) {
		var hint domain.JobHint
		if err := json.Unmarshal(m.Data, &hint); err != nil {
			q.log.Warn("dropped a hint that is none", "error", err)
			return
		}
		fn(hint)
	})
}

// signal does not report failure: a signal that is not sent is one that is lost.
func (q *Queue) signal(subject string, body []byte) {
	if err := q.conn.Publish(subject, body); err != nil {
		q.log.Debug("signal lost", "subject", subject, "error", err)
	}
}

func (q *Queue) subscribe(subject string, fn nats.MsgHandler) (func(), error) {
	sub, err := q.conn.Subscribe(subject, fn)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	return func() { _ = sub.Unsubscribe() }, nil // on a closed connection there is nothing to end
}
