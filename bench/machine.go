package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// machine says what figures were taken on.
type machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	MemoryGB int    `json:"memory_gb"`
	OS       string `json:"os"`
	Go       string `json:"go"`
	Load     string `json:"load"` // of the minute before the run
}

func newMachine() machine {
	m := machine{CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Go: runtime.Version()}
	var kilobytes int
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%d kB", &kilobytes); err == nil {
		m.MemoryGB = (kilobytes + 1<<19) >> 20
	}
	m.OS = runtime.GOOS + "/" + runtime.GOARCH
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.OS += " " + strings.TrimSpace(string(kernel))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("%d × %s, %d GB, %s, %s, load %s before", m.Cores, m.CPU, m.MemoryGB, m.OS, m.Go, m.Load)
}

// field reads "name: value" from one of the kernel's files.
func field(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// processorTime is what this process, and the children it has waited for, have
// used so far.
func processorTime() time.Duration {
	var total int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if syscall.Getrusage(who, &used) == nil {
			total += used.Utime.Nano() + used.Stime.Nano()
		}
	}
	return time.Duration(total)
}
