package domain

import (
	"time"

	"github.com/google/uuid"
)

// Story is somebody's life, told in memories.
type Story struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	ProjectID *uuid.UUID
	Title     string
	Subject   string // whose life it is
	BornOn    *time.Time
	Language  string
	Memories  int // how many there are
	CreatedAt time.Time
	UpdatedAt time.Time
}

// StoryChange holds the fields of a story to change; nil leaves a field.
// ForgetBirth removes the date of birth.
type StoryChange struct {
	Title       *string
	Subject     *string
	BornOn      *time.Time
	ForgetBirth bool
	Language    *string
}

// VersionKind says how a version of a memory's text came to be.
type VersionKind string

// The kinds of version. The first of a memory is the original.
const (
	VersionOriginal VersionKind = "original"
	VersionRefined  VersionKind = "refined" // rewritten by a job
	VersionEdited   VersionKind = "edited"  // changed by hand
)

// Version is one form of a memory's text; Number counts from 1.
type Version struct {
	Number    int
	Kind      VersionKind
	Text      string
	Language  string
	Style     string
	Provider  string
	Model     string
	CreatedAt time.Time
}

// Memory is something that happened, as somebody tells it.
type Memory struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	StoryID    uuid.UUID
	Title      string
	Text       string // the current version's
	Period     Period
	Current    int       // number of the current version
	Versions   []Version // in order; empty in lists
	Names      []Name
	Photos     []Photo
	QuestionID *uuid.UUID // that it answers
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// MemoryChange holds the fields of a memory to change; nil leaves a field. Text
// adds a version; Current makes an earlier one current. Names of the kinds in
// Kinds are replaced by those in Names.
type MemoryChange struct {
	Title   *string
	Text    *string
	Period  *Period
	Current *int
	Kinds   []NameKind
	Names   []Name
}

// NameKind says what a name in a story stands for.
type NameKind string

// The kinds of name.
const (
	NamePerson NameKind = "person"
	NamePlace  NameKind = "place"
	NameTag    NameKind = "tag"
)

// Name is a person, place or tag of a story. Relation is a person's to the
// story's subject, in the teller's words.
type Name struct {
	ID       uuid.UUID
	StoryID  uuid.UUID
	Kind     NameKind
	Name     string
	Relation string
	Memories int // that it is in; only in lists
}

// Photo is a picture of a memory. TakenAt is what the camera's clock said, of
// no known zone.
type Photo struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	MemoryID  uuid.UUID
	Caption   string
	Width     int
	Height    int
	SHA256    []byte
	TakenAt   *time.Time
	CreatedAt time.Time
}

// PhotoSize names one of the two forms a photo is kept in, both JPEG.
type PhotoSize string

// The sizes of a photo.
const (
	PhotoFull      PhotoSize = "full"
	PhotoThumbnail PhotoSize = "thumbnail"
)

// TurnState says whether a question or refinement is there.
type TurnState string

// The states of a turn.
const (
	TurnPending TurnState = "pending"
	TurnReady   TurnState = "ready"
	TurnFailed  TurnState = "failed"
)

// Question is what an interviewer asks next. Text and what follows are empty
// until it is ready.
type Question struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	StoryID    uuid.UUID
	State      TurnState
	Provider   string
	Model      string
	Text       string
	Topic      string // what it is about, as "gap", "person", "undated"
	Subject    string // which one, as the years of a gap
	Reason     string // why it is asked
	AskedBy    AskedBy
	AnsweredBy *uuid.UUID // the first memory that answers it
	Error      *JobError
	CreatedAt  time.Time
}

// AskedBy says who phrased a question or refined a text.
type AskedBy string

// Who works on stories.
const (
	ByModel   AskedBy = "llm"
	ByOffline AskedBy = "offline" // templates and rules, without a model
)

// Refinement is a memory's text rewritten.
type Refinement struct {
	ID          uuid.UUID
	UserID      uuid.UUID
	StoryID     uuid.UUID
	MemoryID    uuid.UUID
	State       TurnState
	Provider    string
	Model       string
	Language    string
	Style       string
	Suggest     bool
	Text        string
	Base        int // the memory's current version when the rewriting began
	Version     int // that it became
	By          AskedBy
	Suggestions *Suggestions
	Error       *JobError
	CreatedAt   time.Time
}

// Suggestions are what a memory's text names. Each stands in the text.
type Suggestions struct {
	People []Name           `json:"people"`
	Places []Name           `json:"places"`
	Period *PeriodSuggested `json:"period,omitempty"`
}

// PeriodSuggested is a time that a text names, and the words that name it.
type PeriodSuggested struct {
	Period Period `json:"period"`
	Quote  string `json:"quote"`
}
