package api

import (
	"net/netip"
	"net/url"
	"strings"

	"generalbackend/internal/domain"
)

// publicURL refuses at once what is plainly no public web address. The fetch
// checks again, with the addresses a name stands for.
func publicURL(raw string, allowPrivate bool) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Hostname() == "" || len(raw) > maxURL || plain(raw, maxURL) != strings.TrimSpace(raw) {
		return "", domain.Errorf(domain.CodeURLInvalid, "This is not a web address. It should look like https://example.org/page.")
	}
	if scheme := strings.ToLower(u.Scheme); scheme != "http" && scheme != "https" {
		return "", domain.Errorf(domain.CodeURLInvalid, "Only http and https addresses can be fetched.")
	}
	if u.User != nil {
		return "", domain.Errorf(domain.CodeURLInvalid, "The address must not hold a user name or password.")
	}
	if !allowPrivate && private(u.Hostname()) {
		return "", domain.Errorf(domain.CodeURLForbidden, "This address is not on the public web.")
	}
	u.Fragment = ""
	return u.String(), nil
}

const maxURL = 2048

// private recognises names and addresses that never are public.
func private(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || !strings.ContainsAny(host, ".:") {
		return true
	}
	for _, suffix := range []string{".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	address = address.Unmap()
	return !address.IsGlobalUnicast() || address.IsPrivate() || sharedNetwork.Contains(address) || address.Zone() != ""
}

// sharedNetwork is for carriers, RFC 6598.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")
