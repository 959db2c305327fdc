package extraction_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

func TestPublicAddr(t *testing.T) {
	t.Parallel()
	public := []string{"8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "2a00:1450:4001:81b::2004"}
	private := []string{
		"127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "192.88.99.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1",
		"64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "fc00::1", "fd12::1",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1",
	}
	for _, a := range public {
		if !extraction.PublicAddr(netip.MustParseAddr(a)) {
			t.Errorf("%s is public", a)
		}
	}
	for _, a := range private {
		if extraction.PublicAddr(netip.MustParseAddr(a)) {
			t.Errorf("%s is not public", a)
		}
	}
	if extraction.PublicAddr(netip.Addr{}) {
		t.Error("no address is not public")
	}
}

// site serves pages on loopback and a Fetcher that may go there.
func site(t *testing.T, options extraction.FetchOptions, routes map[string]http.HandlerFunc) (string, *extraction.Fetcher) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", http.NotFound)
	for path, handler := range routes {
		mux.HandleFunc(path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	loopback := netip.MustParseAddr("127.0.0.1")
	options.AllowAddr = func(a netip.Addr) bool { return a.Unmap() == loopback }
	options.AllowPort = func(uint16) bool { return true }
	return server.URL, extraction.NewFetcher(options)
}

func serve(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(code)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	document := pdf([]string{"A document"})
	base, fetcher := site(t, extraction.FetchOptions{}, map[string]http.HandlerFunc{
		"/page":     serve("text/html; charset=iso-8859-1", "<html><body>Gr\xfc\xdfe</body></html>"),
		"/untyped":  serve("text/html", "just words"),
		"/file.pdf": serve("application/octet-stream", string(document)),
		"/notes":    serve("text/plain", "<html>shown as it is"),
		"/moved":    redirect("/moved-again"), "/moved-again": redirect("page"),
	})
	tests := []struct {
		path, final string
		kind        domain.DocumentType
		size        int
	}{
		{"/page#part", "/page", domain.TypeHTML, len("<html><body>Gr\xfc\xdfe</body></html>")},
		{"/untyped", "/untyped", domain.TypeHTML, 10},
		{"/file.pdf", "/file.pdf", domain.TypePDF, len(document)},
		{"/notes", "/notes", domain.TypeTXT, 20},
		{"/moved", "/page", domain.TypeHTML, len("<html><body>Gr\xfc\xdfe</body></html>")},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			got, err := fetcher.Fetch(t.Context(), base+tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if got.Type != tt.kind || got.URL != base+tt.final || len(got.Body) != tt.size {
				t.Errorf("got %s from %s, %d bytes", got.Type, got.URL, len(got.Body))
			}
		})
	}
}

func TestFetchRefusals(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	gzipTo(t, &bomb, make([]byte, 32<<20))
	compressed := func(contentType string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}
	}
	base, fetcher := site(t, extraction.FetchOptions{MaxBytes: 1 << 20}, map[string]http.HandlerFunc{
		"/robots.txt": serve("text/plain", "User-agent: *\nDisallow: /secret"),
		"/secret":     serve("text/html", "<html>no"), "/to-secret": redirect("/secret"),
		"/loop": redirect("/loop"), "/a": redirect("/b"), "/b": redirect("/a"),
		"/inside": redirect("http://10.0.0.1/"), "/metadata": redirect("http://169.254.169.254/latest"),
		"/other-scheme": redirect("file:///etc/passwd"), "/ftp": redirect("ftp://example.com/"),
		"/large": serve("text/html", strings.Repeat("x", 2<<20)), "/bomb": compressed("text/html"),
		"/gzip-type": compressed("application/gzip"), "/picture": serve("image/png", "\x89PNG"),
		"/sitemap.xml.gz": serve("text/html", bomb.String()), "/empty": serve("text/html", ""),
		"/binary": serve("application/octet-stream", "\x7fELF\x00\x00\x00"),
		"/gone":   status(http.StatusGone), "/login": status(http.StatusUnauthorized),
		"/down": status(http.StatusServiceUnavailable), "/slow-down": status(http.StatusTooManyRequests),
	})
	tests := []struct {
		address string
		want    domain.Code
	}{
		{base + "/secret", domain.CodeURLRobotsDenied},
		{base + "/to-secret", domain.CodeURLRobotsDenied},
		{base + "/loop", domain.CodeURLRedirectLoop},
		{base + "/a", domain.CodeURLRedirectLoop},
		{base + "/inside", domain.CodeURLForbidden},
		{base + "/metadata", domain.CodeURLForbidden},
		{base + "/other-scheme", domain.CodeURLInvalid},
		{base + "/ftp", domain.CodeURLInvalid},
		{base + "/large", domain.CodeTooLarge},
		{base + "/bomb", domain.CodeTooLarge},
		{base + "/gzip-type", domain.CodeUnsupportedType},
		{base + "/picture", domain.CodeUnsupportedType},
		{base + "/sitemap.xml.gz", domain.CodeUnsupportedType},
		{base + "/binary", domain.CodeUnsupportedType},
		{base + "/empty", domain.CodeEmptyDocument},
		{base + "/gone", domain.CodeURLStatus},
		{base + "/login", domain.CodeURLStatus},
		{base + "/missing", domain.CodeURLStatus},
		{base + "/down", domain.CodeURLUnreachable},
		{base + "/slow-down", domain.CodeURLUnreachable},
		{"http://[::1]:80/", domain.CodeURLForbidden},
		{"http://192.168.0.1/", domain.CodeURLForbidden},
		{"http://does-not-exist.invalid/", domain.CodeURLUnreachable},
		{"file:///etc/passwd", domain.CodeURLInvalid},
		{"ftp://example.com/", domain.CodeURLInvalid},
		{"http://user:secret@example.com/", domain.CodeURLInvalid},
		{"http://", domain.CodeURLInvalid},
		{"example.com", domain.CodeURLInvalid},
		{"http://example.com:99999/", domain.CodeURLInvalid},
		{"http://example.com/" + strings.Repeat("a", 3000), domain.CodeURLInvalid},
		{"javascript:alert(1)", domain.CodeURLInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.address[:min(len(tt.address), 60)], func(t *testing.T) {
			t.Parallel()
			_, err := fetcher.Fetch(t.Context(), tt.address)
			if got := domain.CodeOf(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
			if strings.HasSuffix(tt.address, "down") && domain.AsError(err).RetryAfter != 7*time.Second {
				t.Errorf("retry after %s", domain.AsError(err).RetryAfter)
			}
		})
	}
}

// TestFetchPublicOnly uses a Fetcher as it is by default: names and spellings
// of addresses that lead to this machine are refused when dialling.
func TestFetchPublicOnly(t *testing.T) {
	t.Parallel()
	fetcher := extraction.NewFetcher(extraction.FetchOptions{})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f000001", "127.1"} {
		_, err := fetcher.Fetch(t.Context(), "http://"+host+"/")
		if code := domain.CodeOf(err); code != domain.CodeURLForbidden && code != domain.CodeURLUnreachable {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if _, err := fetcher.Fetch(t.Context(), "http://"+host+"/"); domain.CodeOf(err) != domain.CodeURLForbidden {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := fetcher.CheckURL("https://example.com:8443/"); domain.CodeOf(err) != domain.CodeURLForbidden {
		t.Errorf("other port: %v", err)
	}
	if err := fetcher.CheckURL("https://example.com/page?q=1"); err != nil {
		t.Error(err)
	}
}

func TestFetchSilentServer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	fetcher := extraction.NewFetcher(extraction.FetchOptions{
		AllowAddr: func(netip.Addr) bool { return true }, AllowPort: func(uint16) bool { return true },
		IgnoreRobots: true, Timeout: 50 * time.Millisecond,
	})
	address := fmt.Sprintf("http://%s/", listener.Addr())
	if _, err := fetcher.Fetch(t.Context(), address); domain.CodeOf(err) != domain.CodeURLUnreachable {
		t.Errorf("got %v", err)
	}
	cause := errors.New("cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := fetcher.Fetch(ctx, address); !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
}
