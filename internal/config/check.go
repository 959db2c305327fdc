package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// minSecret is the length below which a signing key can be guessed.
const minSecret = 32

// minPassword is the shortest password that production accepts for the
// administrator.
const minPassword = 12

// LargestUploadMB is the most that MAX_UPLOAD_MB may allow.
const LargestUploadMB = 2048

// check collects what is wrong with the values.
type check []string

func (c *check) that(ok bool, name, problem string) {
	if !ok {
		*c = append(*c, name+": "+problem)
	}
}

func (c *check) between(name string, v, low, high int) {
	c.that(low <= v && v <= high, name, fmt.Sprintf("%d is not between %d and %d", v, low, high))
}

func (c *check) lasting(name string, d, low, high time.Duration) {
	c.that(low <= d && d <= high, name, fmt.Sprintf("%v is not between %v and %v", d, low, high))
}

func (c Config) check(process Process) []string {
	var all check
	all.that(slices.Contains([]Environment{Development, Production}, c.Environment), "ENVIRONMENT", "must be development or production")
	all.between("METRICS_PORT", c.MetricsPort, 0, 65535)
	all.lasting("SHUTDOWN_TIMEOUT", c.ShutdownTimeout, time.Second, 10*time.Minute)
	all.that(c.TracesEndpoint == "" || isURL(c.TracesEndpoint, "http", "https"), "OTEL_EXPORTER_OTLP_ENDPOINT", "must look like http://localhost:4318")
	c.Stores.check(&all, process)
	c.Models.check(&all)
	c.Jobs.check(&all)
	c.Extraction.check(&all)
	c.Chunking.check(&all)
	if process != Worker {
		c.HTTP.check(&all)
		c.Accounts.check(&all, process)
		c.Mail.check(&all)
	}
	if c.Environment == Production {
		c.checkProduction(&all, process)
	}
	return all
}

func (h HTTP) check(all *check) {
	all.between("PORT", h.Port, 0, 65535)
	all.between("MAX_UPLOAD_MB", int(h.MaxUploadMB), 1, LargestUploadMB)
	all.that(isURL(h.PublicURL, "http", "https") && !strings.ContainsAny(h.PublicURL, "?#"), "PUBLIC_URL", "must look like https://app.example.org")
	for _, proxy := range h.TrustedProxies {
		all.that(isNetwork(proxy), "TRUSTED_PROXIES", fmt.Sprintf("%q is neither an address nor a network such as 10.0.0.0/8", proxy))
	}
	for _, origin := range h.AllowedOrigins {
		all.that(origin == "*" || isOrigin(origin), "ALLOWED_ORIGINS", fmt.Sprintf("%q is not an origin such as https://app.example.org", origin))
	}
}

// isNetwork reports whether s is an address, or a network in CIDR notation.
func isNetwork(s string) bool {
	_, addressErr := netip.ParseAddr(s)
	_, prefixErr := netip.ParsePrefix(s)
	return addressErr == nil || prefixErr == nil
}

func isOrigin(s string) bool {
	return isURL(s, "http", "https") && strings.Count(s, "/") == 2
}

func (a Accounts) check(all *check, process Process) {
	if a.SecretKey == "" {
		all.that(process == Standalone, "SECRET_KEY", "must be set; `openssl rand -hex 32` makes one")
	} else {
		all.that(len(a.SecretKey) >= minSecret, "SECRET_KEY", fmt.Sprintf("must have at least %d characters; `openssl rand -hex 32` makes one", minSecret))
	}
	all.that(a.Algorithm == "HS256", "ALGORITHM", "only HS256 is supported")
	all.between("ACCESS_TOKEN_EXPIRE_MINUTES", a.AccessTokenMinutes, 1, 24*60)
	all.between("REFRESH_TOKEN_EXPIRE_DAYS", a.RefreshTokenDays, 1, 365)
	modes := []Registration{RegistrationOpen, RegistrationVerify, RegistrationApprove, RegistrationClosed}
	all.that(slices.Contains(modes, a.Registration), "REGISTRATION_MODE", "must be open, verify, approve or closed")
	if a.AdminEmail != "" {
		parsed, err := mail.ParseAddress(a.AdminEmail)
		all.that(err == nil && parsed.Address == a.AdminEmail, "ADMIN_EMAIL", "is not an e-mail address")
	}
	all.that(a.AdminPassword == "" || len(a.AdminPassword) >= 8, "ADMIN_PASSWORD", "must have at least 8 characters")
	all.that(a.AdminPassword == "" || a.AdminEmail != "" || process == Standalone, "ADMIN_EMAIL", "must be set where ADMIN_PASSWORD is")
}

func (m Mail) check(all *check) {
	all.between("SMTP_PORT", m.SMTPPort, 1, 65535)
	all.that(slices.Contains([]Security{SecurityStartTLS, SecurityTLS, SecurityNone}, m.Security), "SMTP_TLS", "must be starttls, tls or none")
	_, err := mail.ParseAddress(m.From)
	all.that(err == nil || m.From == "" && m.Host == "", "SMTP_FROM", "must be an e-mail address, as in no-reply@example.org")
	all.that((m.Username == "") == (m.Password == ""), "SMTP_PASSWORD", "must be set where SMTP_USERNAME is, and only there")
	all.that(m.Username == "" || m.Security != SecurityNone, "SMTP_USERNAME", "would be sent in the clear with SMTP_TLS=none")
}

func (s Stores) check(all *check, process Process) {
	dsn := s.DatabaseURL.Reveal()
	if dsn == "" {
		all.that(process == Standalone, "DATABASE_URL", "must be set, as in postgres://user:password@host:5432/database")
	} else {
		all.that(isURL(dsn, "postgres", "postgresql") || strings.Contains(dsn, "host="), "DATABASE_URL", "must look like postgres://user:password@host:5432/database")
	}
	for _, server := range strings.Split(s.NATSURL.Reveal(), ",") {
		all.that(server == "" || isURL(strings.TrimSpace(server), "nats", "tls", "ws", "wss"), "NATS_URL", "must look like nats://host:4222")
	}
	all.between("DATABASE_MAX_CONNS", s.DatabaseMaxConns, 2, 500)
	all.that(slices.Contains([]int{1, 3, 5}, s.NATSReplicas), "NATS_REPLICAS", "must be 1, 3 or 5")
}

func (j Jobs) check(all *check) {
	all.between("EXTRACT_SLOTS", j.ExtractSlots, 1, 256)
	all.between("EMBED_SLOTS", j.EmbedSlots, 1, 256)
	all.between("MATCH_SLOTS", j.MatchSlots, 1, 256)
	all.between("CHAT_SLOTS", j.ChatSlots, 1, 256)
	all.between("STORY_SLOTS", j.StorySlots, 1, 256)
	all.lasting("JOB_LEASE", j.Lease, time.Second, 19*time.Second) // below queue.Redelivery
	all.that(j.Heartbeat > 0 && j.Heartbeat <= j.Lease/3, "JOB_HEARTBEAT", "must be at most a third of JOB_LEASE, so that one missed beat does not lose the job")
	all.lasting("EXTRACT_TIMEOUT", j.ExtractTimeout, time.Second, 24*time.Hour)
	all.lasting("EMBED_TIMEOUT", j.EmbedTimeout, time.Second, 24*time.Hour)
	all.lasting("MATCH_TIMEOUT", j.MatchTimeout, time.Second, 24*time.Hour)
	all.lasting("CHAT_TIMEOUT", j.ChatTimeout, time.Second, 24*time.Hour)
	all.lasting("STORY_TIMEOUT", j.StoryTimeout, time.Second, 24*time.Hour)
}

func (e Extraction) check(all *check) {
	all.between("EXTRACT_MEMORY_MB", e.MemoryMB, 128, 1<<16)
	all.between("EXTRACT_CPU_SECONDS", e.CPUSeconds, 1, 3600)
	all.between("EXTRACT_MAX_PAGES", e.MaxPages, 1, 100_000)
	all.between("EXTRACT_MAX_TEXT_MB", int(e.MaxTextMB), 1, 1024)
	all.lasting("URL_TIMEOUT", e.URLTimeout, time.Second, 10*time.Minute)
	all.between("URL_MAX_MB", int(e.URLMaxMB), 1, LargestUploadMB)
	all.between("URL_MAX_REDIRECTS", e.URLMaxRedirects, 0, 20)
}

func (c Chunking) check(all *check) {
	all.between("CHUNK_TOKENS", c.Tokens, 0, 8192)
	all.that(c.OverlapTokens >= 0 && (c.OverlapTokens == 0 || c.OverlapTokens < c.Tokens), "CHUNK_OVERLAP_TOKENS", "must be less than CHUNK_TOKENS")
}

// checkProduction refuses what anybody could guess or reach.
func (c Config) checkProduction(all *check, process Process) {
	all.that(!c.Extraction.URLAllowPrivate, "URL_ALLOW_PRIVATE", "lets users reach this network; it is for tests and refused in production")
	if process == Worker {
		return
	}
	all.that(c.Accounts.SecretKey == "" || !guessable(c.Accounts.SecretKey.Reveal()), "SECRET_KEY", "looks like an example; `openssl rand -hex 32` makes a good one")
	all.that(c.Accounts.Registration != RegistrationVerify || c.Mail.Host != "", "REGISTRATION_MODE", "is verify, which needs SMTP_HOST in production")
	all.that(c.Mail.Host == "" || !local(c.HTTP.PublicURL), "PUBLIC_URL", "must be the address under which users reach the server, since mailed links lead there")
	if password := c.Accounts.AdminPassword.Reveal(); password != "" {
		all.that(len(password) >= minPassword && !guessable(password), "ADMIN_PASSWORD", fmt.Sprintf("must have at least %d characters in production and not be an example", minPassword))
	}
	all.that(!slices.Contains(c.HTTP.AllowedOrigins, "*"), "ALLOWED_ORIGINS", "must name origins in production, not *")
}

// local recognises addresses that mean another machine in each mailbox.
func local(address string) bool {
	u, err := url.Parse(address)
	return err != nil || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// guessable recognises examples and values of few different characters.
func guessable(s string) bool {
	lower := strings.ToLower(s)
	for _, word := range []string{"change", "secret", "password", "passwort", "example", "admin", "default", "123456789"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	different := map[rune]bool{}
	for _, r := range s {
		different[r] = true
	}
	return len(different) < 6
}
