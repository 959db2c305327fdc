// Package embedded runs a NATS server with JetStream inside this process, for
// installations of a single machine.
package embedded

import (
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a running NATS server. It satisfies nats.InProcessConnProvider.
type Server struct{ *server.Server }

// syncInterval of the store. Losing the last seconds of the stream costs
// nothing, because Postgres refills it.
const syncInterval = 10 * time.Second

// Start runs a server on storeDir. With port 0 it is reachable only from
// inside the process, otherwise on that port of the loopback interface.
func Start(storeDir string, port int) (*Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName: "general-backend", StoreDir: storeDir, JetStream: true,
		JetStreamMaxMemory: 256 << 20, JetStreamMaxStore: 4 << 30, SyncInterval: syncInterval,
		Host: "127.0.0.1", Port: port, DontListen: port == 0,
		NoSigs: true, NoLog: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make NATS server: %w", err)
	}
	go srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		srv.Shutdown()
		return nil, fmt.Errorf("the NATS server did not get ready; is %s writable", storeDir)
	}
	return &Server{srv}, nil
}

// Stop ends the server in order.
func (s *Server) Stop() {
	s.Shutdown()
	s.WaitForShutdown()
}
