package postgres

import (
	"context"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Where the network loses packets without a word, a connection would hold its
// statement for a quarter of an hour and, at the server, the dispatcher's lock for
// two. Both sides give up a peer of which they hear nothing for longest.
const (
	longest    = 30 * time.Second
	probeAfter = 10 * time.Second // of silence
	probeEvery = 5 * time.Second
	probes     = int((longest - probeAfter) / probeEvery)
)

// dial connects to the server.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeEvery, Count: probes},
		Control:         limitSilence,
	}
	return d.DialContext(ctx, network, address)
}

// limitSilence bounds how long what was sent may stay unacknowledged.
func limitSilence(network, _ string, conn syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	if e := conn.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(longest.Milliseconds()))
	}); e != nil {
		return e
	}
	return err
}

// probeClients lets the server look after the connection in the same way.
func probeClients(params map[string]string) {
	params["tcp_keepalives_idle"] = strconv.Itoa(int(probeAfter.Seconds()))
	params["tcp_keepalives_interval"] = strconv.Itoa(int(probeEvery.Seconds()))
	params["tcp_keepalives_count"] = strconv.Itoa(probes)
}
