package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// minMajor is the oldest server that the schema works with.
const minMajor = 15

type installation struct {
	bin    string
	major  int
	vector bool
}

// FindBinaries returns the directory of the server's programs as Start finds it
// for a new cluster.
func FindBinaries() (string, error) { return binaries("", "") }

// binaries returns the directory of the server's programs: dir when given, else
// PG_BINDIR, else the newest installation, one with pgvector before one
// without. An existing data directory insists on its own major version.
func binaries(dir, data string) (string, error) {
	if dir == "" {
		dir = os.Getenv("PG_BINDIR")
	}
	if dir != "" {
		return dir, executable(filepath.Join(dir, "postgres"))
	}
	major, err := dataVersion(data)
	if err != nil {
		return "", err
	}
	for _, found := range installations() {
		if found.major >= minMajor && (major == 0 || found.major == major) {
			return found.bin, nil
		}
	}
	if major != 0 {
		return "", fmt.Errorf("the data in %s belong to PostgreSQL %d, which is not installed", data, major)
	}
	return "", fmt.Errorf("no PostgreSQL %d or later is installed: run `make setup`, or set PG_BINDIR", minMajor)
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("no PostgreSQL server here: %w: run `make setup`, or set PG_BINDIR", err)
	}
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s cannot be executed", path)
	}
	return nil
}

func dataVersion(data string) (int, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the data directory's version: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("the data directory's version: %w", err)
	}
	return major, nil
}

// installations lists the servers of the distribution and the private copy that
// deploy/install-postgres.sh makes, best first.
func installations() []installation {
	var all []installation
	for _, prefix := range []string{"", privatePrefix()} {
		paths, _ := filepath.Glob(filepath.Join("/", prefix, "usr/lib/postgresql/*/bin/postgres"))
		for _, path := range paths {
			bin := filepath.Dir(path)
			name := filepath.Base(filepath.Dir(bin))
			major, err := strconv.Atoi(name)
			if err != nil || executable(path) != nil {
				continue
			}
			control := filepath.Join("/", prefix, "usr/share/postgresql", name, "extension/vector.control")
			_, err = os.Stat(control)
			all = append(all, installation{bin: bin, major: major, vector: err == nil})
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].vector != all[j].vector {
			return all[i].vector
		}
		return all[i].major > all[j].major
	})
	return all
}

func privatePrefix() string {
	home := os.Getenv("XDG_DATA_HOME")
	if home == "" {
		home = filepath.Join(os.Getenv("HOME"), ".local/share")
	}
	return filepath.Join(home, "generalbackend/postgres")
}
