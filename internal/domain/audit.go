package domain

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// AuditEntry says who did what, for those who answer for the installation. It
// outlives the people and things it names. Details hold no secrets and no
// content of documents.
type AuditEntry struct {
	ID         uuid.UUID
	ActorID    *uuid.UUID // nil for the system
	ActorEmail string
	Action     string // what was done, as in "user.update"
	Target     string // to what: an id or a name
	Details    json.RawMessage
	RequestID  string
	CreatedAt  time.Time
}
