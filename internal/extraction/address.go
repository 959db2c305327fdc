package extraction

import (
	"context"
	"net/netip"
	"syscall"

	"generalbackend/internal/domain"
)

// PublicAddr reports whether an address is one of the public internet: global
// unicast and in no range that IANA has set aside, including those that embed
// IPv4 addresses and so could lead back inside.
func PublicAddr(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() && !netip.MustParsePrefix("2000::/3").Contains(addr) {
		return false
	}
	for _, cidr := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
		"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
	} {
		if netip.MustParsePrefix(cidr).Contains(addr) {
			return false
		}
	}
	return addr.IsValid()
}

// dialControl refuses connections to addresses and ports that are not allowed.
// It runs after name resolution, for every address tried, so no answer of a
// name server can lead around it.
func (f *Fetcher) dialControl(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !f.options.AllowAddr(ap.Addr()) || !f.options.AllowPort(ap.Port()) {
		return errForbiddenAddress()
	}
	return nil
}

func errForbiddenAddress() *domain.Error {
	return domain.Errorf(domain.CodeURLForbidden, "The address leads to a private or local network, or to a port that is not allowed.").
		WithHint("Only public web addresses on ports 80 and 443 can be fetched.")
}
