package extraction_test

import (
	"os"
	"testing"

	"generalbackend/internal/extraction"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == extraction.SandboxArgument {
		extraction.RunSandboxChild()
	}
	os.Exit(m.Run())
}
