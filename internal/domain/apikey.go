package domain

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Scope is what an API key may be used for. Accounts, sessions, keys and the
// administration are in none.
type Scope string

// The scopes.
const (
	ScopeRead           Scope = "read" // whatever the others let see, without changing anything
	ScopeProjects       Scope = "projects"
	ScopeDocumentsRead  Scope = "documents:read" // searching included
	ScopeDocumentsWrite Scope = "documents:write"
	ScopeMatches        Scope = "matches"
	ScopeChat           Scope = "chat"
	ScopeStories        Scope = "stories"
	ScopeLLM            Scope = "llm"
	ScopeJobs           Scope = "jobs"
)

// Scopes are all of them.
func Scopes() []Scope {
	return []Scope{
		ScopeRead, ScopeProjects, ScopeDocumentsRead, ScopeDocumentsWrite,
		ScopeMatches, ScopeChat, ScopeStories, ScopeLLM, ScopeJobs,
	}
}

// APIKey lets a program act for a user. Its secret is shown once, when it is
// made; Prefix is the beginning of it.
type APIKey struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	Name       string
	Prefix     string
	SecretHash []byte
	Scopes     []Scope
	ExpiresAt  *time.Time // nil: never
	LastUsedAt *time.Time // at most a minute behind
	CreatedAt  time.Time
}

// Allows reports whether the key may be used for an operation of a scope, and
// one that changes nothing. No key is good for an operation without a scope.
func (k APIKey) Allows(scope Scope, reads bool) bool {
	if scope == "" {
		return false
	}
	return slices.Contains(k.Scopes, scope) || reads && slices.Contains(k.Scopes, ScopeRead)
}
