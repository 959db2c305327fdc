package domain

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// User is an account.
type User struct {
	ID           uuid.UUID
	Email        string
	PasswordHash string
	Name         string
	Language     string
	IsAdmin      bool
	IsActive     bool
	IsVerified   bool
	LocalOnly    bool   // never on a cloud provider, by an administrator's order
	ChoseLocal   bool   // the same by the user's own choice
	WaitsFor     Wait   // what the account needs before anybody may log in
	PendingEmail string // replaces Email once it is verified
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// UserChange holds the fields of an account to change; nil leaves a field.
type UserChange struct {
	Email        *string
	Name         *string
	Language     *string
	ChoseLocal   *bool
	PasswordHash *string
	IsAdmin      *bool
	IsActive     *bool
	IsVerified   *bool
}

// EndsSessions reports whether what is logged in must log in again: after a new
// password, and when the account is shut.
func (c UserChange) EndsSessions() bool {
	return c.PasswordHash != nil || c.Shuts()
}

// Shuts reports whether the account is shut.
func (c UserChange) Shuts() bool { return c.IsActive != nil && !*c.IsActive }

// Usable reports whether the account may be logged into.
func (u User) Usable() bool { return u.IsActive && u.WaitsFor == "" }

// Wait is what a new account waits for. Setting IsVerified or IsActive ends it.
type Wait string

// What accounts wait for.
const (
	WaitVerification Wait = "verification" // of its address, by a link
	WaitApproval     Wait = "approval"     // by an administrator, who activates it
)

// Session is one login of a user; its id is in every access token.
type Session struct {
	ID          uuid.UUID
	UserID      uuid.UUID
	RefreshHash []byte // of the newest refresh token
	UserAgent   string
	CreatedAt   time.Time
	RotatedAt   time.Time // when its tokens were last renewed
	ExpiresAt   time.Time
}

// ProjectType says which showcase a project belongs to.
type ProjectType string

// The project types.
const (
	ProjectCVMatcher  ProjectType = "cv_matcher"
	ProjectPrivateGPT ProjectType = "private_gpt"
	ProjectTellMeLife ProjectType = "tell_me_life"
	ProjectOther      ProjectType = "other"
)

// Project groups documents, matches and chats of a user.
type Project struct {
	ID          uuid.UUID
	UserID      uuid.UUID
	Type        ProjectType
	Name        string
	Description string
	Config      json.RawMessage
	LocalOnly   bool // never on a cloud provider
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ProjectChange holds the fields of a project to change; nil leaves a field.
type ProjectChange struct {
	Type        *ProjectType
	Name        *string
	Description *string
	Config      json.RawMessage
	LocalOnly   *bool
}
