package api_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands before a database and can keep it from answering.
type proxy struct {
	listener net.Listener
	upstream string

	mu     sync.Mutex
	down   bool
	silent chan struct{} // closed while answers pass
	conns  []net.Conn
}

// newProxy returns a proxy and the database's address through it.
func newProxy(t *testing.T, dsn string) (*proxy, string) {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, upstream: address.Host, silent: make(chan struct{})}
	close(p.silent)
	go p.accept()
	t.Cleanup(func() {
		listener.Close()
		p.cut()
	})
	address.Host = listener.Addr().String()
	query := address.Query()
	query.Set("connect_timeout", "5") // as without one: who connects to silence shall not wait for long
	address.RawQuery = query.Encode()
	return p, address.String()
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.join(conn)
	}
}

func (p *proxy) join(conn net.Conn) {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	upstream, err := net.Dial("tcp", p.upstream)
	if err != nil || down {
		conn.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, conn, upstream)
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(upstream, conn)
		upstream.Close()
	}()
	p.answer(conn, upstream)
	conn.Close()
}

// answer passes on what the database says, but while it is to be silent.
func (p *proxy) answer(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		<-silent
		if _, e := to.Write(buffer[:n]); err != nil || e != nil {
			return
		}
	}
}

// cut breaks all connections and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// hush keeps all answers back until speak.
func (p *proxy) hush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = make(chan struct{})
}

func (p *proxy) speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.silent)
}
