package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is whom the server runs as: the process's own user, unless that is
// root, whom PostgreSQL refuses.
type account struct {
	credential *syscall.Credential // nil: the process's own user
}

func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return &account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func (a *account) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential}
}

// own makes dir and gives it, with what is in it, to the account.
func (a *account) own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the cluster directory: %w", err)
	}
	if a.credential == nil {
		return nil
	}
	if err := traversable(filepath.Dir(dir)); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("cluster directory: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == a.credential.Uid {
		return nil
	}
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		return a.give(path)
	})
	if err != nil {
		return fmt.Errorf("give the cluster directory to PostgreSQL's user: %w", err)
	}
	return a.give(dir) // last: it marks the rest as done
}

// give hands one file to the account.
func (a *account) give(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Lchown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// traversable lets other users pass through dir and its parents, which does not
// let them list or read.
func traversable(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("parent of the cluster directory: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o001 == 0 {
		if err := os.Chmod(dir, mode|0o001); err != nil {
			return fmt.Errorf("let PostgreSQL's user pass through %s: %w", dir, err)
		}
	}
	if parent := filepath.Dir(dir); parent != dir {
		return traversable(parent)
	}
	return nil
}
