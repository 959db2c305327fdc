package extraction

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbidSyscalls takes from this process, in all its threads, what a reader of
// documents never needs: opening files, sockets, other programs. They fail with
// EPERM from now on. A kernel that cannot do it is no reason to stop: the
// resource limits hold all the same.
func forbidSyscalls() error {
	program := filter(forbidden())
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if errno == 0 || errors.Is(errno, unix.ENOSYS) || errors.Is(errno, unix.EINVAL) {
		return nil
	}
	return errno
}

// filter is the program in classic BPF: refuse any other architecture and
// numbering of system calls, then each forbidden number; allow the rest.
func filter(numbers []uint32) []unix.SockFilter {
	const (
		offsetNumber = 0
		offsetArch   = 4
		otherABI     = 0x4000_0000
		refuse       = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	)
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	give := func(value uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
	}
	program := []unix.SockFilter{
		load(offsetArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: auditArch, Jt: 1},
		give(refuse),
		load(offsetNumber),
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: otherABI, Jf: 1},
		give(refuse),
	}
	for _, n := range numbers {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: n, Jf: 1},
			give(refuse))
	}
	return append(program, give(unix.SECCOMP_RET_ALLOW))
}
