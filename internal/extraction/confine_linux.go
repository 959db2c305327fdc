package extraction

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// vitals tells of this process what the kernel knows, through a file that was
// opened before opening files was forbidden.
type vitals struct{ status *os.File }

// confine sets the limits of this process, for good. The limit on memory counts
// from what the runtime and the document hold already; one on address space
// would strike the runtime itself.
func confine(limits Limits) (*vitals, error) {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return nil, err
	}
	v := &vitals{status}
	held := v.read("VmData")
	seconds := uint64((limits.CPU + time.Second - 1) / time.Second)
	memory := uint64(held + limits.Memory)
	err = errors.Join(
		limit(unix.RLIMIT_DATA, memory),
		limit(unix.RLIMIT_CPU, seconds),
		limit(unix.RLIMIT_CORE, 0),
		limit(unix.RLIMIT_FSIZE, 0),
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
	)
	return v, errors.Join(err, forbidSyscalls())
}

// roomLeft reports whether this process has used so little of its limits that
// it can take another document: processor time counts over all of them.
func roomLeft(limits Limits, size int) bool {
	const small = 8 << 20
	var used unix.Rusage
	if size > small || unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return false
	}
	spent := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return spent < limits.CPU/5
}

func limit(resource int, value uint64) error {
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value})
}

// read returns a size by its name, such as VmHWM for the largest resident size,
// in bytes.
func (v *vitals) read(name string) int64 {
	buf := make([]byte, 8<<10)
	n, _ := v.status.ReadAt(buf, 0) // at the end of the file there is an error, too
	lines := bufio.NewScanner(bytes.NewReader(buf[:n]))
	for lines.Scan() {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), name+": %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
