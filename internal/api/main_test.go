package api_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain holds the tests of this package against the contract: together they
// see every documented answer of every operation, and no other.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 && whole() {
		status = verdict(seen.gaps())
	}
	os.Exit(status)
}

// corpora are skipped by `make test` where the race detector runs; there are
// none here.
const corpora = "Corpus"

// whole reports whether all tests ran: only then gaps mean something.
func whole() bool {
	if skipped := flag.Lookup("test.skip").Value.String(); skipped != "" && skipped != corpora {
		return false
	}
	for _, name := range []string{"test.run", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

func verdict(gaps []string) int {
	if len(gaps) == 0 {
		return 0
	}
	fmt.Printf("%d answers of schema/openapi.yaml and the tests of internal/api do not agree:\n", len(gaps))
	for _, line := range gaps {
		fmt.Println("  " + line)
	}
	return 1
}
