package extraction

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gocolly/colly/v2"

	"generalbackend/internal/domain"
)

// FetchOptions say what a Fetcher may do. The zero value of a field means its
// default.
type FetchOptions struct {
	AllowAddr    func(netip.Addr) bool // PublicAddr
	AllowPort    func(uint16) bool     // 80 and 443
	MaxBytes     int64                 // of the page, decompressed: 20 MiB
	MaxRedirects int                   // 5
	Timeout      time.Duration         // for everything together: 30 s
	UserAgent    string
	IgnoreRobots bool
}

func (o FetchOptions) withDefaults() FetchOptions {
	if o.AllowAddr == nil {
		o.AllowAddr = PublicAddr
	}
	if o.AllowPort == nil {
		o.AllowPort = func(port uint16) bool { return port == 80 || port == 443 }
	}
	if o.UserAgent == "" {
		o.UserAgent = "GeneralBackend/1.0"
	}
	o.MaxBytes = orDefault(o.MaxBytes, 20<<20)
	o.MaxRedirects = orDefault(o.MaxRedirects, 5)
	o.Timeout = orDefault(o.Timeout, 30*time.Second)
	return o
}

// Fetched is a document from the web.
type Fetched struct {
	Type        domain.DocumentType
	ContentType string
	URL         string // after redirects
	Body        []byte
}

// Fetcher gets documents from the public web, obeying robots.txt.
type Fetcher struct {
	options   FetchOptions
	transport *http.Transport
}

// NewFetcher returns a Fetcher.
func NewFetcher(options FetchOptions) *Fetcher {
	f := &Fetcher{options: options.withDefaults()}
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: f.dialControl}
	f.transport = &http.Transport{
		DialContext:            dialer.DialContext, // and no proxy, which would dial for us
		DisableKeepAlives:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
	}
	return f
}

// CheckURL reports whether an address can be fetched at all, without a look at
// where its name leads. The error is a *domain.Error.
func (f *Fetcher) CheckURL(address string) error {
	_, err := f.parse(address)
	return err
}

func (f *Fetcher) parse(address string) (*url.URL, error) {
	invalid := domain.Errorf(domain.CodeURLInvalid, "The address is not a valid web address.").
		WithHint("It must begin with http:// or https:// and must not hold a user name or password.")
	if len(address) > 2048 {
		return nil, invalid
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, invalid.WithCause(err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return nil, invalid
	}
	port := map[string]uint64{"http": 80, "https": 443}[u.Scheme]
	if u.Port() != "" {
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
			return nil, invalid
		}
	}
	literal, err := netip.ParseAddr(u.Hostname())
	if !f.options.AllowPort(uint16(port)) || err == nil && !f.options.AllowAddr(literal) {
		return nil, errForbiddenAddress()
	}
	u.Fragment = ""
	return u, nil
}

// Fetch gets a document, following redirects. The error is a *domain.Error, or
// the context's own when it was cancelled.
func (f *Fetcher) Fetch(ctx context.Context, address string) (Fetched, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, f.options.Timeout)
	defer cancel()
	c := f.collector(ctx)
	for range f.options.MaxRedirects + 1 {
		u, err := f.parse(address)
		if err != nil {
			return Fetched{}, err
		}
		a, err := visit(c, u.String())
		if parent.Err() != nil {
			return Fetched{}, context.Cause(parent)
		}
		if err != nil {
			return Fetched{}, fetchError(err)
		}
		if a.next != "" {
			address = a.next
			continue
		}
		return a.document()
	}
	return Fetched{}, domain.Errorf(domain.CodeURLRedirectLoop, "The address redirects too often.")
}

// collector returns a colly collector for one fetch. It follows redirects of
// robots.txt only: those of the page come back to Fetch, where each new address
// is checked like the first, robots.txt of its host included.
func (f *Fetcher) collector(ctx context.Context) *colly.Collector {
	c := colly.NewCollector(
		colly.UserAgent(f.options.UserAgent),
		colly.AllowURLRevisit(),
		colly.MaxBodySize(0), // boundedTransport refuses what colly would cut off
	)
	c.IgnoreRobotsTxt = f.options.IgnoreRobots
	c.ParseHTTPErrorResponse = true
	c.SetRequestTimeout(f.options.Timeout)
	c.WithTransport(&boundedTransport{ctx: ctx, next: f.transport, limit: f.options.MaxBytes})
	c.SetRedirectHandler(func(req *http.Request, via []*http.Request) error {
		if via[0].URL.Path != "/robots.txt" || len(via) > f.options.MaxRedirects {
			return http.ErrUseLastResponse
		}
		_, err := f.parse(req.URL.String())
		return err
	})
	return c
}

// answer is what a server answered to one request.
type answer struct {
	url         *url.URL
	next        string // where it redirects to
	status      int
	retryAfter  time.Duration
	contentType string
	body        []byte
}

func visit(c *colly.Collector, address string) (answer, error) {
	var a answer
	var refused error
	c = c.Clone()
	c.OnResponseHeaders(func(r *colly.Response) {
		a.contentType = r.Headers.Get("Content-Type")
		// Without a charset colly leaves the body as it is.
		media, _, _ := strings.Cut(a.contentType, ";")
		r.Headers.Set("Content-Type", media)
		if refused = acceptable(r, media); refused != nil {
			r.Request.Abort()
		}
	})
	c.OnResponse(func(r *colly.Response) {
		a.url, a.status, a.body = r.Request.URL, r.StatusCode, r.Body
		if seconds, err := strconv.Atoi(r.Headers.Get("Retry-After")); err == nil {
			a.retryAfter = time.Duration(min(max(seconds, 0), 3600)) * time.Second
		}
		if r.StatusCode >= 300 && r.StatusCode < 400 {
			if next, err := a.url.Parse(r.Headers.Get("Location")); err == nil && r.Headers.Get("Location") != "" {
				a.next = next.String()
			}
		}
	})
	err := c.Visit(address)
	if refused != nil {
		return a, refused
	}
	return a, err
}

// acceptable refuses, before the body is read, what is no document, and what
// colly would decompress without a limit.
func acceptable(r *colly.Response, media string) error {
	if r.StatusCode < 200 || r.StatusCode >= 300 {
		return nil
	}
	media = strings.ToLower(strings.TrimSpace(media))
	ok := media == "" || media == "application/octet-stream" || media == "application/xhtml+xml" ||
		media == "application/pdf" || media == "application/epub+zip" || media == "application/rtf" ||
		media == "text/html" || media == "text/plain" || media == "text/markdown" || media == "text/rtf" ||
		strings.HasPrefix(media, "application/vnd.openxmlformats-officedocument.") ||
		media == "application/vnd.oasis.opendocument.text"
	if !ok || strings.HasSuffix(strings.ToLower(r.Request.URL.Path), ".gz") {
		return unsupported("The address does not lead to a web page or a document.")
	}
	return nil
}

// document judges the last answer and tells its type.
func (a answer) document() (Fetched, error) {
	switch {
	case a.status == http.StatusTooManyRequests || a.status >= 500:
		err := domain.Errorf(domain.CodeURLUnreachable, "The web server answered with status %d.", a.status)
		err.RetryAfter = a.retryAfter
		return Fetched{}, err
	case a.status != http.StatusOK:
		return Fetched{}, domain.Errorf(domain.CodeURLStatus, "The web server answered with status %d.", a.status).
			WithHint("Check the address in a browser; pages that need a login cannot be fetched.")
	}
	name := path.Base(a.url.Path)
	media, _, _ := strings.Cut(strings.ToLower(a.contentType), ";")
	kind, err := Detect(a.body, name)
	switch {
	case err != nil && media != "text/html":
		return Fetched{}, err
	case media == "text/html" && (err != nil || kind == domain.TypeTXT) && len(a.body) > 0:
		kind = domain.TypeHTML
	case media == "text/plain" && kind == domain.TypeHTML:
		kind = domain.TypeTXT
	case err != nil:
		return Fetched{}, err
	}
	return Fetched{Type: kind, ContentType: a.contentType, URL: a.url.String(), Body: a.body}, nil
}

// fetchError puts the ways in which a fetch fails into the product's words.
func fetchError(err error) error {
	var known *domain.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, colly.ErrRobotsTxtBlocked):
		return domain.Errorf(domain.CodeURLRobotsDenied, "The website does not allow programs to fetch this page (robots.txt).").
			WithHint("Save the page in a browser and upload the file.")
	case errors.Is(err, context.DeadlineExceeded):
		return domain.Errorf(domain.CodeURLUnreachable, "The website did not answer in time.").WithCause(err)
	}
	return domain.Errorf(domain.CodeURLUnreachable, "The website could not be reached.").
		WithHint("Check the address.").WithCause(fmt.Errorf("fetch: %w", err))
}
