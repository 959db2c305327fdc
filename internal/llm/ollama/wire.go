package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// maxReply bounds a reply that is read whole: 8 vectors of 4,000 dimensions are
// under 1 MB.
const maxReply = 64 << 20

// send posts in as JSON (or gets, if in is nil) and returns the body of a 200.
func (p *Provider) send(ctx context.Context, path, model string, in any) (io.ReadCloser, error) {
	req, err := p.request(ctx, path, in)
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, wire.TransportError(ctx, display, "Check that it runs and that OLLAMA_BASE_URL is right.", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return nil, statusError(resp, model, body)
}

func (p *Provider) request(ctx context.Context, path string, in any) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode request of %s: %w", path, err)
		}
		method, body = http.MethodPost, bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base.JoinPath(path).String(), body)
	if err != nil {
		return nil, fmt.Errorf("make request of %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// exchange sends in and decodes the whole reply into out.
func (p *Provider) exchange(ctx context.Context, path, model string, in, out any) error {
	body, err := p.send(ctx, path, model, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(io.LimitReader(body, maxReply)).Decode(out); err != nil {
		if interrupted := llm.Interrupted(ctx); interrupted != nil {
			return interrupted
		}
		return domain.Errorf(domain.CodeModelMalformed, "The language model's reply could not be read.").WithCause(err)
	}
	return nil
}
