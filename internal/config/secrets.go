package config

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// defaultAdmin is the first administrator where none is named.
const defaultAdmin = "admin@example.com"

// kept is what EnsureSecrets writes down.
type kept struct {
	SecretKey     string `json:"secret_key"`
	AdminPassword string `json:"admin_password"`
}

// SecretsPath is the file, readable by its owner only, in which EnsureSecrets
// keeps what it made up.
func (c Config) SecretsPath() string { return filepath.Join(c.DataDir, "secrets.json") }

// EnsureSecrets fills in a signing key and a first administrator where none are
// set, with random values that are kept in DATA_DIR and found again by the next
// start.
func EnsureSecrets(c Config) (Config, error) {
	if c.Accounts.AdminEmail == "" {
		c.Accounts.AdminEmail = defaultAdmin
	}
	if c.Accounts.SecretKey != "" && c.Accounts.AdminPassword != "" {
		return c, nil
	}
	secrets, err := c.readSecrets()
	if errors.Is(err, os.ErrNotExist) {
		secrets = kept{SecretKey: rand.Text() + rand.Text(), AdminPassword: rand.Text()}
		err = c.writeSecrets(secrets)
	}
	if err != nil {
		return Config{}, err
	}
	if c.Accounts.SecretKey == "" {
		c.Accounts.SecretKey = Secret(secrets.SecretKey)
	}
	if c.Accounts.AdminPassword == "" {
		c.Accounts.AdminPassword = Secret(secrets.AdminPassword)
	}
	return c, nil
}

func (c Config) readSecrets() (kept, error) {
	b, err := os.ReadFile(c.SecretsPath())
	if err != nil {
		return kept{}, fmt.Errorf("read the generated secrets: %w", err)
	}
	var secrets kept
	if err := json.Unmarshal(b, &secrets); err != nil {
		return kept{}, fmt.Errorf("%s is damaged: remove it to have new secrets made: %w", c.SecretsPath(), err)
	}
	if len(secrets.SecretKey) < minSecret || secrets.AdminPassword == "" {
		return kept{}, fmt.Errorf("%s is incomplete: remove it to have new secrets made", c.SecretsPath())
	}
	return secrets, nil
}

// writeSecrets puts the file in place in one step, so that a crash leaves all of
// it or nothing.
func (c Config) writeSecrets(secrets kept) error {
	if err := os.MkdirAll(c.DataDir, 0o711); err != nil {
		return fmt.Errorf("make DATA_DIR: %w", err)
	}
	b, err := json.MarshalIndent(secrets, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the generated secrets: %w", err)
	}
	draft := c.SecretsPath() + ".new"
	if err := os.WriteFile(draft, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the generated secrets: %w", err)
	}
	if err := os.Rename(draft, c.SecretsPath()); err != nil {
		return fmt.Errorf("keep the generated secrets: %w", err)
	}
	return nil
}
