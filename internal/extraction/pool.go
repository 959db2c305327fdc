package extraction

import (
	"slices"
	"sync"
	"time"
)

// keepIdle is how long a child that has read a document waits for another one
// of the same owner.
const keepIdle = 5 * time.Second

// pool keeps children that wait for work: fresh ones, started ahead so that
// nobody waits for their start, and ones that belong to an owner.
type pool struct {
	size  int           // of each kind
	keep  time.Duration // how long a child waits for its owner; 0: keepIdle
	start func() (*child, error)
	ended func(memory int64)

	mu     sync.Mutex
	idle   []*child
	closed bool
	starts sync.WaitGroup
}

// take returns a waiting child of the owner or a fresh one, and sees to it that
// another fresh one waits.
func (p *pool) take(owner string, fresh bool) (*child, error) {
	if !fresh && owner != "" {
		if c := p.pick(owner); c != nil {
			return c, nil
		}
	}
	defer p.refill()
	if c := p.pick(""); c != nil {
		return c, nil
	}
	return p.start()
}

func (p *pool) pick(owner string) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.idle, func(c *child) bool { return c.owner == owner })
	if i < 0 {
		return nil
	}
	c := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	if c.retire != nil {
		c.retire.Stop()
	}
	return c
}

// put lets a child wait for the owner's next document. The child that has
// waited longest makes room.
func (p *pool) put(c *child, owner string) {
	c.owner = owner
	c.retire = time.AfterFunc(orDefault(p.keep, keepIdle), func() { p.discard(c) })
	p.add(c)
}

func (p *pool) add(c *child) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	var surplus *child
	if p.closed {
		surplus = c
	} else if p.count(c.owner != "") > p.size {
		surplus = p.idle[slices.IndexFunc(p.idle, func(o *child) bool { return (o.owner != "") == (c.owner != "") })]
	}
	p.mu.Unlock()
	if surplus != nil {
		p.discard(surplus)
	}
}

// count counts the waiting children that have, or have not, an owner.
func (p *pool) count(owned bool) int {
	n := 0
	for _, c := range p.idle {
		if (c.owner != "") == owned {
			n++
		}
	}
	return n
}

// discard ends a child, if it still waits.
func (p *pool) discard(c *child) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		p.end(c)
	}
}

func (p *pool) end(c *child) {
	c.kill()
	p.ended(c.finish().memory)
}

// refill starts a fresh child in the background. One that cannot be started
// will be missed, and its error seen, when it is needed.
func (p *pool) refill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.count(false) >= p.size {
		return
	}
	p.starts.Add(1)
	go func() {
		defer p.starts.Done()
		if c, err := p.start(); err == nil {
			p.add(c)
		}
	}()
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.starts.Wait()
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		if c.retire != nil {
			c.retire.Stop()
		}
		p.end(c)
	}
}
