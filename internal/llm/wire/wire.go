// Package wire holds what every client of a provider's server needs: an HTTP
// transport that suits long answers, and names for what goes wrong on the way.
package wire

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// HeaderTimeout is how long a server may take until its answer begins, where
// nothing else is configured: its queue, loading and the prompt.
const HeaderTimeout = 5 * time.Minute

// NewClient returns a client without an overall timeout, because a stream may
// run as long as its context. The answer must begin within headers.
func NewClient(headers time.Duration) *http.Client {
	if headers == 0 {
		headers = HeaderTimeout
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: headers,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
	}}
}

// BaseURL parses the address of a server, such as example.
func BaseURL(address, example string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, domain.Errorf(domain.CodeInvalid, "The address of a language model server must look like %s.", example).WithCause(err)
	}
	return base, nil
}

// TransportError names a failure before any reply of the server called name.
func TransportError(ctx context.Context, name, hint string, err error) error {
	if interrupted := llm.Interrupted(ctx); interrupted != nil {
		return interrupted
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return domain.Errorf(domain.CodeModelTimeout, "%s did not answer in time.", name).WithCause(err)
	}
	return domain.Errorf(domain.CodeModelUnavailable, "%s cannot be reached.", name).WithHint(hint).WithCause(err)
}

// BrokenOff says that an answer began and did not end as it should.
func BrokenOff(cause error) *domain.Error {
	return domain.Errorf(domain.CodeModelMalformed, "The language model broke off while answering.").WithCause(cause)
}

// RetryAfter reads when to come back: Retry-After-Ms, or Retry-After in seconds
// or as a date.
func RetryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	after := h.Get("Retry-After")
	if s, err := strconv.Atoi(after); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(after); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}

// overloaded is Anthropic's status for it; others use 503.
const overloaded = 529

// StatusError names a reply of the server called name by its status alone, or
// returns nil where the status does not tell.
func StatusError(status int, name string) *domain.Error {
	switch status {
	case http.StatusServiceUnavailable, overloaded:
		return domain.Errorf(domain.CodeModelOverloaded, "%s has too much to do at the moment.", name)
	case http.StatusTooManyRequests:
		return domain.Errorf(domain.CodeModelRateLimited, "%s asks to wait before the next request.", name)
	case http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return domain.Errorf(domain.CodeModelUnavailable, "%s cannot be reached.", name)
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return domain.Errorf(domain.CodeModelUnavailable, "%s refuses to talk to us.", name)
	case http.StatusRequestEntityTooLarge:
		return domain.Errorf(domain.CodeContextTooLong, "The text is longer than the language model can read at once.")
	}
	return nil
}
