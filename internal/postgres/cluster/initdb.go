package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const superuser = "postgres"

// initdb makes the cluster where there is none and returns its password. It
// works in a directory aside, so that an interrupted one leaves nothing that
// looks complete.
func (c *Cluster) initdb(ctx context.Context) (string, error) {
	password, err := c.ensurePassword()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); err == nil {
		return password, nil
	}
	fresh := c.data() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", fmt.Errorf("clear the way for initdb: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "-D", fresh,
		"--username="+superuser, "--pwfile="+c.passwordPath(), "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8")
	if c.cfg.Settings["fsync"] == "off" {
		cmd.Args = append(cmd.Args, "--no-sync")
	}
	cmd.Dir, cmd.Env, cmd.SysProcAttr = c.cfg.Dir, environment(), c.account.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	if err := os.Rename(fresh, c.data()); err != nil {
		return "", fmt.Errorf("put the new cluster in place: %w", err)
	}
	return password, nil
}

func (c *Cluster) passwordPath() string { return filepath.Join(c.cfg.Dir, "password") }

func (c *Cluster) ensurePassword() (string, error) {
	b, err := os.ReadFile(c.passwordPath())
	if err == nil && len(b) > 0 {
		return string(b), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the cluster's password: %w", err)
	}
	password := rand.Text()
	if err := os.WriteFile(c.passwordPath(), []byte(password), 0o600); err != nil {
		return "", fmt.Errorf("write the cluster's password: %w", err)
	}
	return password, c.account.give(c.passwordPath())
}

// lockDir makes sure that one process at a time manages the directory. The
// kernel drops the lock with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the cluster's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another process uses the cluster in %s", dir), f.Close())
	}
	return f, nil
}
