package postgres_test

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// Both ends of a connection give up a peer that fell silent.
func TestDeadConnectionsAreGivenUp(t *testing.T) {
	t.Parallel()
	conn, err := open(t).Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for setting, want := range map[string]string{
		"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("the server has %s = %s, want %s (%v)", setting, got, want, err)
		}
	}
	socket, err := conn.Conn().PgConn().Conn().(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[int]int{unix.TCP_USER_TIMEOUT: 30_000, unix.TCP_KEEPIDLE: 10, unix.TCP_KEEPINTVL: 5, unix.TCP_KEEPCNT: 4} {
		if err := socket.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option); err != nil || got != want {
				t.Errorf("our side has option %d = %d, want %d (%v)", option, got, want, err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}
