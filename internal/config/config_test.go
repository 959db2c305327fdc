package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/config"
)

const (
	key      = "vK7tq2XbN9fRwZ4mLp8sHc3yGd6jTe1u"
	database = "postgres://me:hunter2hunter2@db:5432/app"
)

// environ is a complete environment of an API with changes; "X=" unsets X.
func environ(changes ...string) []string {
	return append([]string{"SECRET_KEY=" + key, "DATABASE_URL=" + database, "PATH=/bin"}, changes...)
}

func load(t *testing.T, process config.Process, env []string) config.Config {
	t.Helper()
	c, err := config.Load(env, process)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func problems(t *testing.T, process config.Process, env []string) []string {
	t.Helper()
	_, err := config.Load(env, process)
	var bad *config.Error
	if err != nil && !errors.As(err, &bad) {
		t.Fatal(err)
	}
	if bad == nil {
		return nil
	}
	return bad.Problems
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := load(t, config.API, environ())
	for _, tc := range []struct {
		name      string
		got, want any
	}{
		{"port", c.HTTP.Port, 8000},
		{"access token", c.Accounts.AccessTokenTTL(), 30 * time.Minute},
		{"refresh token", c.Accounts.RefreshTokenTTL(), 30 * 24 * time.Hour},
		{"upload", c.HTTP.MaxUploadBytes(), int64(50 << 20)},
		{"llm", c.Models.LLMProvider, "offline"},
		{"embedding", c.Models.EmbeddingProvider, "offline"},
		{"nats", c.Stores.NATSURL.Reveal(), "nats://127.0.0.1:4222"},
		{"log level", c.LogLevel, slog.LevelInfo},
		{"private addresses", c.Extraction.URLAllowPrivate, false},
		{"registration", c.Accounts.Registration, config.RegistrationOpen},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, tc.got, tc.want)
		}
	}
}

func TestValuesAreRead(t *testing.T) {
	t.Parallel()
	c := load(t, config.API, environ("PORT=9", "LOG_LEVEL=debug", "JOB_LEASE=18s",
		"ALLOWED_ORIGINS=https://a.example.org,http://localhost:5173", "OLLAMA_BASE_URL=http://ollama:11434", "MAX_UPLOAD_MB= "))
	if c.HTTP.Port != 9 || c.LogLevel != slog.LevelDebug || c.Jobs.Lease != 18*time.Second || c.HTTP.MaxUploadMB != 50 {
		t.Errorf("wrong values: %+v", c)
	}
	if diff := cmp.Diff([]string{"https://a.example.org", "http://localhost:5173"}, c.HTTP.AllowedOrigins); diff != "" {
		t.Error(diff)
	}
	if c.Models.LLMProvider != "ollama" || c.Models.EmbeddingModel != "all-minilm" || c.Models.LLMModel == "" {
		t.Errorf("naming Ollama does not choose it: %+v", c.Models)
	}
}

func TestEachProcessDemandsWhatItNeeds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		process config.Process
		want    []string
	}{
		{config.API, []string{"DATABASE_URL", "SECRET_KEY"}},
		{config.Worker, []string{"DATABASE_URL"}},
		{config.Standalone, nil},
	} {
		var got []string
		for _, p := range problems(t, tc.process, nil) {
			name, _, _ := strings.Cut(p, ":")
			got = append(got, name)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.process, diff)
		}
	}
}

func TestEveryBadValueIsNamed(t *testing.T) {
	t.Parallel()
	bad := []string{
		"ENVIRONMENT=staging", "LOG_LEVEL=loud", "METRICS_PORT=70000", "SHUTDOWN_TIMEOUT=soon",
		"PORT=http", "ALLOWED_ORIGINS=https://a.example.org/path", "TRUSTED_PROXIES=proxy", "MAX_UPLOAD_MB=0",
		"SECRET_KEY=short", "ALGORITHM=none", "ACCESS_TOKEN_EXPIRE_MINUTES=0", "REFRESH_TOKEN_EXPIRE_DAYS=-1",
		"ADMIN_EMAIL=nobody", "ADMIN_PASSWORD=short", "REGISTRATION_MODE=maybe",
		"PUBLIC_URL=app.example.org", "SMTP_PORT=0", "SMTP_TLS=ssl", "SMTP_FROM=nobody", "SMTP_PASSWORD=x",
		"DATABASE_URL=mysql://db", "DATABASE_MAX_CONNS=0", "NATS_URL=http://nats", "NATS_REPLICAS=2",
		"OLLAMA_BASE_URL=ollama:11434", "LLM_PROVIDER=oracle", "LLM_CONTEXT_TOKENS=1", "LLM_TIMEOUT=0s", "MATCH_TEMPERATURE=3", "EMBEDDING_PROVIDER=oracle",
		"EXTRACT_SLOTS=0", "EMBED_SLOTS=0", "MATCH_SLOTS=0", "CHAT_SLOTS=0", "JOB_LEASE=1ms", "JOB_HEARTBEAT=29s",
		"EXTRACT_TIMEOUT=0s", "EMBED_TIMEOUT=0s", "MATCH_TIMEOUT=0s", "CHAT_TIMEOUT=0s",
		"EXTRACT_MEMORY_MB=1", "EXTRACT_CPU_SECONDS=0", "EXTRACT_MAX_PAGES=0", "EXTRACT_MAX_TEXT_MB=0",
		"URL_TIMEOUT=0s", "URL_MAX_MB=0", "URL_MAX_REDIRECTS=-1", "URL_ALLOW_PRIVATE=perhaps",
		"CHUNK_TOKENS=-1", "CHUNK_OVERLAP_TOKENS=5", "OTEL_EXPORTER_OTLP_ENDPOINT=collector",
	}
	all := "\n" + strings.Join(problems(t, config.API, environ(bad...)), "\n")
	for _, v := range bad {
		name, _, _ := strings.Cut(v, "=")
		if !strings.Contains(all, "\n"+name+": ") {
			t.Errorf("%s is not reported", v)
		}
	}
}

// What cannot be read is reported by its own name, and nothing else is on its
// account.
func TestUnreadableValues(t *testing.T) {
	t.Parallel()
	for name, kind := range unreadable(reflect.TypeFor[config.Config]()) {
		want := []string{fmt.Sprintf(`%s: %s is expected, not "soon"`, name, kind)}
		if diff := cmp.Diff(want, problems(t, config.API, environ(name+"=soon"))); diff != "" {
			t.Error(diff)
		}
	}
}

// unreadable says, by variable, what is expected where "soon" is no value.
func unreadable(t reflect.Type) map[string]string {
	kinds := map[string]string{
		"int": "a whole number", "int64": "a whole number", "float64": "a number", "bool": "true or false",
		"Duration": `a duration such as "30s"`, "Level": "debug, info, warn or error",
	}
	found := map[string]string{}
	for f := range t.Fields() {
		name, ok := f.Tag.Lookup("env")
		switch kind := kinds[f.Type.Name()]; {
		case ok && kind != "":
			found[name] = kind
		case !ok && f.Type.Kind() == reflect.Struct:
			maps.Copy(found, unreadable(f.Type))
		}
	}
	return found
}

func TestProductionRefusesWhatIsGuessable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ set, want string }{
		{"PORT=8000", ""},
		{"ADMIN_PASSWORD=correct-horse-battery", ""},
		{"SECRET_KEY=your-secret-key-change-in-production", "SECRET_KEY"},
		{"SECRET_KEY=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "SECRET_KEY"},
		{"ADMIN_PASSWORD=adminadminadmin", "ADMIN_PASSWORD"},
		{"ADMIN_PASSWORD=k3x9-2f8", "ADMIN_PASSWORD"},
		{"ALLOWED_ORIGINS=*", "ALLOWED_ORIGINS"},
		{"URL_ALLOW_PRIVATE=true", "URL_ALLOW_PRIVATE"},
		{"REGISTRATION_MODE=approve", ""},
		{"REGISTRATION_MODE=verify", "REGISTRATION_MODE"},
	} {
		common := environ("ADMIN_EMAIL=a@example.org", tc.set)
		if got := problems(t, config.API, common); got != nil {
			t.Errorf("development refuses %s: %v", tc.set, got)
		}
		got := strings.Join(problems(t, config.API, append(common, "ENVIRONMENT=production")), "\n")
		if (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("production, %s: %q, want %q", tc.set, got, tc.want)
		}
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	smtp := []string{"SMTP_HOST=smtp.example.org", "SMTP_FROM=Post <post@example.org>", "SMTP_USERNAME=u", "SMTP_PASSWORD=p"}
	c := load(t, config.API, environ(append(smtp, "PUBLIC_URL=https://app.example.org/")...))
	if c.Mail.SMTPPort != 587 || c.Mail.Security != config.SecurityStartTLS || c.HTTP.PublicURL != "https://app.example.org" {
		t.Errorf("%+v %q", c.Mail, c.HTTP.PublicURL)
	}
	if c := load(t, config.API, environ("PORT=8123")); c.HTTP.PublicURL != "http://localhost:8123" {
		t.Errorf("public address %q", c.HTTP.PublicURL)
	}
	for _, tc := range []struct {
		name string
		env  []string
		want string
	}{
		{"no sender", []string{"SMTP_HOST=smtp.example.org"}, "SMTP_FROM"},
		{"password in the clear", append(smtp, "SMTP_TLS=none"), "SMTP_USERNAME"},
		{"links to nowhere", append(smtp, "ENVIRONMENT=production"), "PUBLIC_URL"},
		{"verifying", append(smtp, "ENVIRONMENT=production", "PUBLIC_URL=https://a.example.org", "REGISTRATION_MODE=verify"), ""},
	} {
		got := strings.Join(problems(t, config.API, environ(tc.env...)), "\n")
		if !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	c := load(t, config.API, environ("ADMIN_EMAIL=a@example.org", "ADMIN_PASSWORD=hunter2hunter2", "NATS_URL=nats://u:hunter2hunter2@n"))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "url", c.Stores.DatabaseURL)
	_, err := config.Load(environ("SECRET_KEY=hunter2hunter2", "DATABASE_URL=x://me:hunter2hunter2@db", "NATS_URL=x://hunter2hunter2"), config.API)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v", c, c), log.String(), err.Error()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, key) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

func TestSecretsAreMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	c := load(t, config.Standalone, []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "ENVIRONMENT=production"})
	first, err := config.EnsureSecrets(c)
	if err != nil {
		t.Fatal(err)
	}
	second, err := config.EnsureSecrets(c)
	if err != nil {
		t.Fatal(err)
	}
	if first.Accounts.SecretKey == "" || first.Accounts.AdminPassword == "" || first.Accounts.AdminEmail == "" {
		t.Errorf("something is missing: %#v", first.Accounts)
	}
	if !reflect.DeepEqual(first, second) {
		t.Error("the second start made other secrets")
	}
	info, err := os.Stat(c.SecretsPath())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	c.Accounts.SecretKey = config.Secret(key)
	if own, err := config.EnsureSecrets(c); err != nil || own.Accounts.SecretKey != config.Secret(key) {
		t.Errorf("a key that is set is replaced (%v)", err)
	}
}

func TestDamagedSecretsAreNotReplaced(t *testing.T) {
	t.Parallel()
	c := config.Config{DataDir: t.TempDir()}
	for _, content := range []string{"{", "{}"} {
		if err := os.WriteFile(c.SecretsPath(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.EnsureSecrets(c); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestExampleListsEverySetting(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]+)=`).FindAllSubmatch(b, -1) {
		listed = append(listed, string(m[1]))
	}
	known := names(reflect.TypeFor[config.Config]())
	slices.Sort(listed)
	slices.Sort(known)
	if diff := cmp.Diff(known, slices.DeleteFunc(listed, elsewhere)); diff != "" {
		t.Errorf(".env.example and Config differ (-Config +example):\n%s", diff)
	}
}

func TestComposePassesEverySetting(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	known := names(reflect.TypeFor[config.Config]())
	passed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +([A-Z][A-Z0-9_]+): (.*)`).FindAllSubmatch(b, -1) {
		name := string(m[1])
		passed[name] = true
		if strings.HasPrefix(string(m[2]), "${"+name) && !slices.Contains(known, name) && !elsewhere(name) {
			t.Errorf("%s is passed on, and nothing reads it", name)
		}
	}
	for _, name := range known {
		// DATA_DIR is for the process that brings its own stores, the other for tests.
		if !passed[name] && name != "DATA_DIR" && name != "URL_ALLOW_PRIVATE" {
			t.Errorf("%s does not reach the containers", name)
		}
	}
}

// elsewhere tells settings that are read by others than this package.
func elsewhere(name string) bool {
	return slices.Contains([]string{"POSTGRES_PASSWORD", "PG_BINDIR"}, name)
}

func names(t reflect.Type) []string {
	var all []string
	for f := range t.Fields() {
		if name, ok := f.Tag.Lookup("env"); ok {
			all = append(all, name)
		} else if f.Type.Kind() == reflect.Struct {
			all = append(all, names(f.Type)...)
		}
	}
	return all
}

func TestExampleIsValid(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for line := range strings.Lines(string(b)) {
		if m := regexp.MustCompile(`^#?([A-Z][A-Z0-9_]+=\S*)`).FindString(line); m != "" {
			env = append(env, strings.TrimPrefix(m, "#"))
		}
	}
	load(t, config.API, append(env, "SECRET_KEY="+key, "DATABASE_URL="+database))
}
