package domain

import (
	"time"

	"github.com/google/uuid"
)

// MailKind says what a mail is about.
type MailKind string

// The kinds of mail.
const (
	MailVerify          MailKind = "verify"           // a link that proves the address
	MailReset           MailKind = "reset"            // a link that sets a new password
	MailTaken           MailKind = "taken"            // somebody tried to register the owner's address
	MailRegistered      MailKind = "registered"       // to administrators: an account waits for approval
	MailApproved        MailKind = "approved"         // an administrator let the account in
	MailPasswordChanged MailKind = "password_changed" // notice to the owner
	MailEmailChanged    MailKind = "email_changed"    // notice to the former address
)

// Mail is one to be sent. Either UserID or Recipient says to whom; a Recipient
// without UserID is an address that somebody typed, which may be nobody's.
type Mail struct {
	ID        uuid.UUID
	Kind      MailKind
	UserID    *uuid.UUID
	Recipient string
	About     string // an address the text names
	Attempt   int
	CreatedAt time.Time
}

// Letter is a mail as it goes out.
type Letter struct {
	ID       uuid.UUID // of the mail, the same each time it is sent
	Kind     MailKind
	To       string
	Language string // ISO 639-1, or empty
	Link     string // secret; empty where the text has none
	About    string
}

// LinkPurpose is what a mailed link is good for.
type LinkPurpose string

// The purposes of links.
const (
	LinkVerify LinkPurpose = "verify"
	LinkReset  LinkPurpose = "reset"
)

// Link is one that was mailed. Its id is the mail's; Email is the address it was
// sent to. PasswordHash, where there is one, becomes the account's with it.
type Link struct {
	ID           uuid.UUID
	UserID       uuid.UUID
	Purpose      LinkPurpose
	Email        string
	SecretHash   []byte
	PasswordHash string
	ExpiresAt    time.Time
}
