package auth

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"

	"generalbackend/internal/domain"
)

// Hashing is the cost of a password hash. The zero value is the default, 19 MiB
// and two passes, as OWASP recommends for argon2id.
type Hashing struct {
	MemoryKiB  uint32
	Iterations uint32
}

const (
	minPassword = 8
	maxPassword = 1024 // bytes; hashing longer ones would serve only an attacker
	bcryptLimit = 72   // bytes that bcrypt looks at
)

func checkNewPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return domain.Errorf(domain.CodeInvalid, "The password must have at least %d characters.", minPassword)
	case len(password) > maxPassword:
		return domain.Errorf(domain.CodeInvalid, "The password must have at most %d bytes.", maxPassword)
	}
	return nil
}

// passwords hashes and checks, a few at a time, since each takes memory.
type passwords struct {
	params *argon2id.Params
	slots  chan struct{}
	dummy  string // checked where there is no account, to take as long
}

func newPasswords(h Hashing) (*passwords, error) {
	if h == (Hashing{}) {
		h = Hashing{MemoryKiB: 19 << 10, Iterations: 2}
	}
	p := &passwords{
		params: &argon2id.Params{Memory: h.MemoryKiB, Iterations: h.Iterations, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, 2*runtime.NumCPU()),
	}
	var err error
	p.dummy, err = argon2id.CreateHash("no account has this password", p.params)
	return p, err
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	return argon2id.CreateHash(password, p.params)
}

// check compares a password with a hash of this or an older method; outdated
// asks for a new hash.
func (p *passwords) check(ctx context.Context, password, hash string) (match, outdated bool, err error) {
	if err := p.enter(ctx); err != nil {
		return false, false, err
	}
	defer p.leave()
	tooLong := len(password) > maxPassword // no account has it; what is compared is bounded
	password = password[:min(len(password), maxPassword)]
	if strings.HasPrefix(hash, "$2") {
		match, err = checkBcrypt(password, hash)
		return match && !tooLong, true, err
	}
	match, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, err
	}
	return match && !tooLong, *params != *p.params, nil
}

// checkBcrypt looks at as much of the password as the hash was made of.
func checkBcrypt(password, hash string) (bool, error) {
	if len(password) > bcryptLimit {
		password = password[:bcryptLimit]
	}
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *passwords) leave() { <-p.slots }
