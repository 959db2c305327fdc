package domain

import (
	"time"

	"github.com/google/uuid"
)

// ChatRole says whose words a message holds.
type ChatRole string

// The roles.
const (
	ChatUser      ChatRole = "user"
	ChatAssistant ChatRole = "assistant"
)

// ChatState says whether a message is complete. Questions always are.
type ChatState string

// The states of a message.
const (
	ChatPending ChatState = "pending"
	ChatReady   ChatState = "ready"
	ChatFailed  ChatState = "failed" // its content is what there was until then
)

// ChatMessage is one side of a turn in a project's chat. QuestionID is set on
// answers; Ordinal counts within the project.
type ChatMessage struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	ProjectID  uuid.UUID
	QuestionID *uuid.UUID
	Ordinal    int64
	Role       ChatRole
	Content    string
	State      ChatState
	Error      *JobError
	Metadata   ChatMetadata
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// ChatTurn is a question to be answered; Answer is the message to be written,
// with what was asked for in its metadata.
type ChatTurn struct {
	Question string
	Answer   ChatMessage
}

// ChatExchange is a question that was answered.
type ChatExchange struct {
	Question string
	Answer   string
}

// ChatFlag marks an answer that needs a second look.
type ChatFlag string

// The flags of an answer.
const (
	FlagUnknownCitation ChatFlag = "unknown_citation" // a number that names no passage was removed
	FlagWeakSupport     ChatFlag = "weak_support"     // a citation whose passage says little of what is claimed
	FlagNoCitation      ChatFlag = "no_citation"      // an answer that names no passage at all
	FlagShortHistory    ChatFlag = "short_history"    // earlier turns were left out of the prompt
)

// ChatMetadata is what is known of an answer: what was asked for, and how the
// answer came about. Zero times were not measured.
type ChatMetadata struct {
	Provider    string      `json:"provider"`
	Model       string      `json:"model"`
	Temperature float64     `json:"temperature"`
	DocumentIDs []uuid.UUID `json:"document_ids"` // to look in; none: all of the project

	Answered      bool         `json:"answered"`
	Judge         Judge        `json:"judge"` // who answered: a model, or rules without one
	Language      string       `json:"language"`
	Rewritten     string       `json:"rewritten"` // the question as it was searched for, where that differs
	SearchMode    string       `json:"search_mode"`
	Citations     []Citation   `json:"citations"`
	Sources       []ChatSource `json:"sources"`
	Flags         []ChatFlag   `json:"flags"`
	Usage         ChatUsage    `json:"usage"`
	Timings       ChatTimings  `json:"timings"`
	PromptVersion string       `json:"prompt_version"`
}

// Support says how far a quote carries what cites it.
type Support string

// The degrees of support.
const (
	SupportStrong Support = "strong"
	SupportWeak   Support = "weak"
)

// Citation is one [n] of an answer: the sentence of the passage that carries
// the claim best. CharFrom and CharTo are offsets in runes into the document's
// text. Verified says that the quote stands there, word for word. Deleted marks
// one whose document is gone, and its quote with it.
type Citation struct {
	Number     int       `json:"number"`
	DocumentID uuid.UUID `json:"document_id"`
	Filename   string    `json:"filename"`
	Title      string    `json:"title"`
	Page       int       `json:"page"`
	CharFrom   int       `json:"char_from"`
	CharTo     int       `json:"char_to"`
	Quote      string    `json:"quote"`
	Verified   bool      `json:"verified"`
	Support    Support   `json:"support"`
	Deleted    bool      `json:"deleted,omitempty"`
}

// ChatSource is a passage the answer was written from, by its number.
type ChatSource struct {
	Number     int       `json:"number"`
	DocumentID uuid.UUID `json:"document_id"`
	Filename   string    `json:"filename"`
	Title      string    `json:"title"`
	PageFrom   int       `json:"page_from"`
	PageTo     int       `json:"page_to"`
	CharFrom   int       `json:"char_from"`
	CharTo     int       `json:"char_to"`
	Relevance  float64   `json:"relevance_score"` // 0 to 1, the best has 1
}

// ChatUsage counts tokens as the provider does, over all calls of a turn.
type ChatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// ChatTimings are milliseconds since the attempt began.
type ChatTimings struct {
	SearchedMS   int `json:"searched_ms"`
	FirstTokenMS int `json:"first_token_ms"`
	DoneMS       int `json:"done_ms"`
}

// TokenType says what a TokenEvent tells.
type TokenType string

// The types of token events.
const (
	TokenStart TokenType = "start" // an attempt begins; what earlier ones said is void
	TokenText  TokenType = "token"
	TokenEnd   TokenType = "end" // the attempt is over; Postgres knows how it went
)

// TokenEvent is a piece of an answer being written, on stream TOKENS. Attempt
// is the fence of the attempt's lease, Index counts its events from 0 without
// gaps, so that a reader knows what it missed. Its schema is
// schema/events/tokens.json.
type TokenEvent struct {
	JobID   uuid.UUID `json:"job_id"`
	Attempt int64     `json:"attempt"`
	Index   int64     `json:"index"`
	Type    TokenType `json:"type"`
	Text    string    `json:"text"`
}
