package extraction

import (
	"context"
	"io"
	"net/http"

	"generalbackend/internal/domain"
)

// boundedTransport binds every request of a fetch, that for robots.txt too, to
// the fetch's context and its answer to a size, counted after decompression.
type boundedTransport struct {
	ctx   context.Context
	next  http.RoundTripper
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (t *boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req.Clone(t.ctx))
	if err != nil {
		return nil, err
	}
	limit := t.limit
	if req.URL.Path == "/robots.txt" {
		limit = 1 << 20
	}
	if resp.ContentLength > limit {
		resp.Body.Close()
		return nil, errPageTooLarge()
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: limit}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errPageTooLarge()
	}
	return n, err
}

func errPageTooLarge() *domain.Error {
	return domain.Errorf(domain.CodeTooLarge, "The page is larger than allowed.")
}
