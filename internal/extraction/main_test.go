package extraction_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"generalbackend/internal/extraction"
)

// Limits whose only purpose is to make the child of a test misbehave.
const (
	entriesToCrash = 661
	entriesToHang  = 662
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == extraction.SandboxArgument {
		misbehave(os.Args[2])
		extraction.RunSandboxChild()
	}
	if len(os.Args) > 1 && os.Args[1] == "confined" {
		os.Exit(tryToEscape())
	}
	os.Exit(m.Run())
}

func misbehave(limits string) {
	switch {
	case strings.Contains(limits, `"max_entries":661`):
		os.Stderr.WriteString("simulated crash")
		os.Exit(139)
	case strings.Contains(limits, `"max_entries":662`):
		time.Sleep(time.Hour)
	}
}

// tryToEscape returns how many things a confined process should not be able to
// do it can do.
func tryToEscape() int {
	if err := extraction.Confine(); err != nil {
		os.Stderr.WriteString(err.Error())
		return 100
	}
	escaped := 0
	if _, err := os.ReadFile("/etc/passwd"); err == nil {
		escaped++
	}
	if _, err := net.Dial("udp", "127.0.0.1:9"); err == nil {
		escaped++
	}
	if exec.Command("/bin/true").Run() == nil {
		escaped++
	}
	if os.WriteFile("/tmp/extraction-escape", []byte("x"), 0o600) == nil {
		escaped++
	}
	return escaped
}
