package jobs

import (
	"sync"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// hub spreads hints to the listeners of this process, so that one subscription
// serves all streams.
type hub struct {
	mu        sync.Mutex
	listeners map[uuid.UUID]map[*listener]struct{} // by user
}

type listener struct {
	job   *uuid.UUID
	hints chan domain.JobHint
}

// hintBuffer of a listener. A full one drops hints of one job without harm,
// since a hint is waiting; a listener to all jobs re-reads them all when its
// buffer ran full.
const hintBuffer = 64

func newHub() *hub { return &hub{listeners: map[uuid.UUID]map[*listener]struct{}{}} }

func (h *hub) subscribe(userID uuid.UUID, jobID *uuid.UUID) (<-chan domain.JobHint, func()) {
	size := hintBuffer
	if jobID != nil {
		size = 1
	}
	l := &listener{job: jobID, hints: make(chan domain.JobHint, size)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[userID] == nil {
		h.listeners[userID] = map[*listener]struct{}{}
	}
	h.listeners[userID][l] = struct{}{}
	return l.hints, func() { h.remove(userID, l) }
}

func (h *hub) remove(userID uuid.UUID, l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners[userID], l)
	if len(h.listeners[userID]) == 0 {
		delete(h.listeners, userID)
	}
}

func (h *hub) publish(hint domain.JobHint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners[hint.UserID] {
		if l.job == nil || *l.job == hint.JobID {
			l.offer(hint)
		}
	}
}

// wakeAll hints at everything: the zero JobID asks for a look at all jobs.
func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for userID, listeners := range h.listeners {
		for l := range listeners {
			hint := domain.JobHint{UserID: userID}
			if l.job != nil {
				hint.JobID = *l.job
			}
			l.offer(hint)
		}
	}
}

// offer leaves a hint without waiting. When a listener to all jobs has no room,
// the oldest hint becomes one to look at everything.
func (l *listener) offer(hint domain.JobHint) {
	select {
	case l.hints <- hint:
		return
	default:
	}
	if l.job != nil {
		return
	}
	select {
	case <-l.hints:
	default:
	}
	select {
	case l.hints <- domain.JobHint{UserID: hint.UserID}:
	default:
	}
}
