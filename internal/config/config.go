// Package config reads the environment, once, into one struct. It holds no
// state: whoever needs a setting is given it.
package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Process says which settings a process cannot do without.
type Process string

// The processes.
const (
	API        Process = "api"
	Worker     Process = "worker"
	Standalone Process = "standalone" // brings its own Postgres, NATS and secrets where none are named
)

// Environment is where the process runs.
type Environment string

// The environments. Production refuses what is only fit for trying out.
const (
	Development Environment = "development"
	Production  Environment = "production"
)

// Registration says who may make an account.
type Registration string

// The registration modes.
const (
	RegistrationOpen    Registration = "open"
	RegistrationVerify  Registration = "verify"  // usable after the mailed link was followed
	RegistrationApprove Registration = "approve" // usable after an administrator activated it
	RegistrationClosed  Registration = "closed"  // only administrators make accounts
)

// Config holds every setting. Each is described in .env.example.
type Config struct {
	Environment     Environment   `env:"ENVIRONMENT" envDefault:"development"`
	LogLevel        slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	DataDir         string        `env:"DATA_DIR" envDefault:"data"`
	MetricsPort     int           `env:"METRICS_PORT" envDefault:"9090"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"30s"`
	TracesEndpoint  string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`

	HTTP       HTTP
	Accounts   Accounts
	Mail       Mail
	Stores     Stores
	Models     Models
	Jobs       Jobs
	Extraction Extraction
	Chunking   Chunking
}

// HTTP is about the API's edge.
type HTTP struct {
	Port           int      `env:"PORT" envDefault:"8000"`
	PublicURL      string   `env:"PUBLIC_URL"`
	AllowedOrigins []string `env:"ALLOWED_ORIGINS"`
	TrustedProxies []string `env:"TRUSTED_PROXIES"`
	MaxUploadMB    int64    `env:"MAX_UPLOAD_MB" envDefault:"50"`
}

// MaxUploadBytes is the largest file that is accepted.
func (h HTTP) MaxUploadBytes() int64 { return h.MaxUploadMB << 20 }

// Accounts is about who may come in.
type Accounts struct {
	SecretKey          Secret       `env:"SECRET_KEY"`
	Algorithm          string       `env:"ALGORITHM" envDefault:"HS256"`
	AccessTokenMinutes int          `env:"ACCESS_TOKEN_EXPIRE_MINUTES" envDefault:"30"`
	RefreshTokenDays   int          `env:"REFRESH_TOKEN_EXPIRE_DAYS" envDefault:"30"`
	AdminEmail         string       `env:"ADMIN_EMAIL"`
	AdminPassword      Secret       `env:"ADMIN_PASSWORD"`
	Registration       Registration `env:"REGISTRATION_MODE" envDefault:"open"`
}

// AccessTokenTTL is how long an access token is good.
func (a Accounts) AccessTokenTTL() time.Duration {
	return time.Duration(a.AccessTokenMinutes) * time.Minute
}

// RefreshTokenTTL is how long a login lasts without being used.
func (a Accounts) RefreshTokenTTL() time.Duration {
	return time.Duration(a.RefreshTokenDays) * 24 * time.Hour
}

// Mail is about the server that takes mail. Without a host none is sent.
type Mail struct {
	Host     string   `env:"SMTP_HOST"`
	SMTPPort int      `env:"SMTP_PORT" envDefault:"587"`
	Username string   `env:"SMTP_USERNAME"`
	Password Secret   `env:"SMTP_PASSWORD"`
	From     string   `env:"SMTP_FROM"`
	Security Security `env:"SMTP_TLS" envDefault:"starttls"`
}

// Security says how a connection to the mail server is protected.
type Security string

// The ways to connect to a mail server.
const (
	SecurityStartTLS Security = "starttls"
	SecurityTLS      Security = "tls"
	SecurityNone     Security = "none"
)

// Stores is where the truth and the work are kept.
type Stores struct {
	DatabaseURL      Secret `env:"DATABASE_URL"`
	DatabaseMaxConns int    `env:"DATABASE_MAX_CONNS" envDefault:"20"`
	NATSURL          Secret `env:"NATS_URL"`
	NATSReplicas     int    `env:"NATS_REPLICAS" envDefault:"1"`
}

// Jobs is about how work is shared out and taken back.
type Jobs struct {
	ExtractSlots   int           `env:"EXTRACT_SLOTS" envDefault:"2"`
	EmbedSlots     int           `env:"EMBED_SLOTS" envDefault:"4"`
	MatchSlots     int           `env:"MATCH_SLOTS" envDefault:"2"`
	ChatSlots      int           `env:"CHAT_SLOTS" envDefault:"4"`
	StorySlots     int           `env:"STORY_SLOTS" envDefault:"2"`
	Lease          time.Duration `env:"JOB_LEASE" envDefault:"15s"`
	Heartbeat      time.Duration `env:"JOB_HEARTBEAT" envDefault:"5s"`
	ExtractTimeout time.Duration `env:"EXTRACT_TIMEOUT" envDefault:"2m"`
	EmbedTimeout   time.Duration `env:"EMBED_TIMEOUT" envDefault:"15m"`
	MatchTimeout   time.Duration `env:"MATCH_TIMEOUT" envDefault:"15m"`
	ChatTimeout    time.Duration `env:"CHAT_TIMEOUT" envDefault:"5m"`
	StoryTimeout   time.Duration `env:"STORY_TIMEOUT" envDefault:"10m"`
}

// Extraction bounds what one document may cost.
type Extraction struct {
	MemoryMB        int           `env:"EXTRACT_MEMORY_MB" envDefault:"768"`
	CPUSeconds      int           `env:"EXTRACT_CPU_SECONDS" envDefault:"60"`
	MaxPages        int           `env:"EXTRACT_MAX_PAGES" envDefault:"5000"`
	MaxTextMB       int64         `env:"EXTRACT_MAX_TEXT_MB" envDefault:"64"`
	URLTimeout      time.Duration `env:"URL_TIMEOUT" envDefault:"30s"`
	URLMaxMB        int64         `env:"URL_MAX_MB" envDefault:"20"`
	URLMaxRedirects int           `env:"URL_MAX_REDIRECTS" envDefault:"5"`
	URLAllowPrivate bool          `env:"URL_ALLOW_PRIVATE" envDefault:"false"`
	URLIgnoreRobots bool          `env:"URL_IGNORE_ROBOTS" envDefault:"false"`
}

// Chunking is how texts are cut; another value means another embedding space.
// Zeroes leave it to the model's window.
type Chunking struct {
	Tokens        int `env:"CHUNK_TOKENS" envDefault:"0"`
	OverlapTokens int `env:"CHUNK_OVERLAP_TOKENS" envDefault:"0"`
}

// Secret is a value that must not be seen. It prints as a placeholder wherever
// it is formatted or logged; Reveal gives the value to whoever uses it.
type Secret string

const hidden = "[secret]"

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s) }

// String hides the value.
func (Secret) String() string { return hidden }

// GoString hides the value from %#v.
func (Secret) GoString() string { return hidden }

// MarshalText hides the value from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the value from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// withDefaults fills what depends on other settings.
func (c Config) withDefaults(process Process) Config {
	if c.Stores.NATSURL == "" && process != Standalone {
		c.Stores.NATSURL = "nats://127.0.0.1:4222"
	}
	if c.HTTP.PublicURL == "" {
		c.HTTP.PublicURL = fmt.Sprintf("http://localhost:%d", c.HTTP.Port)
	}
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	c.Models = c.Models.withDefaults()
	return c
}

// ListenAddress is where the API listens: on every interface, as containers need.
func (h HTTP) ListenAddress() string { return fmt.Sprintf(":%d", h.Port) }

func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	for _, scheme := range schemes {
		if strings.EqualFold(u.Scheme, scheme) {
			return true
		}
	}
	return false
}
