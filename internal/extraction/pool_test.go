package extraction

import (
	"testing"
	"time"
)

// TestPoolKeepsOwnersApart looks into the pool: what a child has read before
// cannot be seen from outside.
func TestPoolKeepsOwnersApart(t *testing.T) {
	t.Parallel()

	p := &pool{size: 1, keep: time.Hour, ended: func(int64) {}, start: func() (*child, error) {
		return startChild(DefaultLimits())
	}}
	defer p.close()
	first := take(t, p, "ada", false)
	p.put(first, "ada")
	p.starts.Wait()
	if got := take(t, p, "bob", false); got == first {
		t.Fatal("a child of one owner was given to another")
	} else {
		p.end(got)
	}
	if got := take(t, p, "", false); got == first {
		t.Fatal("a child of an owner was given to nobody")
	} else {
		p.end(got)
	}
	if got := take(t, p, "ada", true); got == first {
		t.Fatal("a used child was given as a fresh one")
	} else {
		p.end(got)
	}
	if take(t, p, "ada", false) != first {
		t.Fatal("the owner's own child was not used again")
	}
	p.put(first, "ada")
	second := take(t, p, "bob", false)
	p.put(second, "bob")
	if got := take(t, p, "ada", false); got == first {
		t.Fatal("a child beyond the pool's size was kept")
	} else {
		p.end(got)
	}
	p.starts.Wait()
}

func take(t *testing.T, p *pool, owner string, fresh bool) *child {
	t.Helper()
	c, err := p.take(owner, fresh)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
