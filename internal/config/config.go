package config

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/store"
)

// Config is the checked environment. Its fields have the order of the table in
// the manual.
type Config struct {
	GitHubToken   Secret
	GitHubURL     string
	PipedriveKey  Secret
	PipedriveURL  string
	Addr          string
	PublicURL     string // scheme://host as browsers write it; "" if it is not known
	Database      Database
	PasswordFile  string // of the database
	EraseKey      Secret // recognises erased users
	AdminToken    Secret
	Auth          string        // AuthAuto, AuthToken or AuthNone
	Proxies       Proxies       // forwarding headers of other peers are ignored
	OIDC          OIDC          // the sign-in at an OpenID Connect provider
	FeedInterval  time.Duration // 0: the feed is not read
	ScanInterval  time.Duration
	Backfill      gistdeal.Backfill
	Threshold     int // a larger batch of one user's deals waits for approval; 0: no limit
	AuditLogDays  int // how long entries are kept; 0: for good
	EventDays     int // how long events are kept; 0: for good
	AttemptDays   int // how long attempts at created deals are kept; 0: for good
	RunDays       int // how long runs are kept; 0: for good
	SMTPURL       Secret
	SMTPFrom      string
	PrivateHooks  bool // webhooks may have addresses of private networks
	DailyLimit    int  // deals of one user in 24 hours without approval; 0: no limit
	Order         gistdeal.PushOrder
	Target        gistdeal.Target // where new deals go
	PipedriveRate float64         // requests a second, 0 for the rate of the account
	QuotaReserve  float64         // share of the day's tokens that is left to other people and tools
	RequestWait   time.Duration
	PushTimeout   time.Duration
	Lease         time.Duration
	ResendAfter   time.Duration
	Drain         time.Duration
	TraceURL      string                      // of the receiver of traces; "" for none
	TraceHeaders  Secret                      // for the receiver, as name=value,...
	Log           string                      // "text", "json", or "" for text on a terminal and JSON elsewhere
	Locked        map[gistdeal.Setting]string // settings that a variable decides, with the variable's name

	Version string // of the program; not from the environment
	Demo    bool   // the remotes are simulators; not from the environment

	env map[string]string // that Parse has read
}

// Reread parses the same environment again: only the contents of files may differ.
func (c Config) Reread() (Config, error) { return Parse(c.env) }

// Values of GISTDEAL_AUTH.
const (
	AuthAuto  = "auto"  // without any token or public URL, requests from this machine need none
	AuthToken = "token" // every request needs a token
	AuthNone  = "none"  // no request to the public URL needs a token, except for the scope admin
)

// minAdminToken is the minimum length of GISTDEAL_ADMIN_TOKEN.
const minAdminToken = 24

// DefaultAddr is the address to listen on if none is configured: this machine only.
const DefaultAddr = "127.0.0.1:8050"

// ErrNoKey is among the errors of Parse if there is no Pipedrive key.
var ErrNoKey = errors.New("PIPEDRIVE_API_KEY is not set: it is the API token of your Pipedrive user (Settings > Personal preferences > API); set it, or PIPEDRIVE_API_KEY_FILE, or try `gistdeal demo`, which needs none")

// Environ returns the environment of the process as a map.
func Environ() map[string]string {
	env := map[string]string{}
	for _, line := range os.Environ() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

// Parse reads env. Its error joins all mistakes.
func Parse(env map[string]string) (Config, error) {
	p := parser{env: env, used: map[string]bool{}, wrong: map[string]bool{}}
	c := Config{
		env:           env,
		GitHubToken:   p.secret("GITHUB_AT", "GITHUB_TOKEN"),
		GitHubURL:     p.url("GITHUB_API_URL", "https://api.github.com"),
		PipedriveKey:  p.secret("PIPEDRIVE_API_KEY", "PIPEDRIVE_TOKEN"),
		PipedriveURL:  p.pipedriveURL("PIPEDRIVE_API_URL", pipedrive.DefaultURL),
		Addr:          p.addr("GISTDEAL_ADDR", DefaultAddr),
		PublicURL:     p.origin("GISTDEAL_PUBLIC_URL"),
		Database:      p.database("GISTDEAL_DATABASE_URL", "gistdeal.db"),
		PasswordFile:  p.text("GISTDEAL_DATABASE_PASSWORD_FILE", ""),
		EraseKey:      p.eraseKey("GISTDEAL_ERASE_KEY"),
		AdminToken:    p.secret("GISTDEAL_ADMIN_TOKEN"),
		Auth:          p.oneOf("GISTDEAL_AUTH", AuthAuto, AuthAuto, AuthToken, AuthNone),
		Proxies:       p.addresses("GISTDEAL_TRUSTED_PROXIES"),
		FeedInterval:  p.duration("GISTDEAL_FEED_INTERVAL", time.Minute, 0),
		ScanInterval:  p.duration("GISTDEAL_SCAN_INTERVAL", 3*time.Hour, time.Second),
		Backfill:      p.backfill("GISTDEAL_BACKFILL"),
		Threshold:     p.number("GISTDEAL_APPROVAL_THRESHOLD", "0"),
		DailyLimit:    p.number("GISTDEAL_DAILY_LIMIT", "0"),
		AuditLogDays:  p.number("GISTDEAL_AUDIT_LOG_DAYS", "365"),
		EventDays:     p.number("GISTDEAL_EVENT_DAYS", "30"),
		AttemptDays:   p.attemptDays(),
		RunDays:       p.number("GISTDEAL_RUN_DAYS", "90"),
		SMTPURL:       p.secret("GISTDEAL_SMTP_URL"),
		SMTPFrom:      p.text("GISTDEAL_SMTP_FROM", ""),
		PrivateHooks:  p.oneOf("GISTDEAL_WEBHOOK_PRIVATE", "false", "false", "true") == "true",
		Order:         gistdeal.PushOrder(p.oneOf("GISTDEAL_PUSH_ORDER", string(gistdeal.PushNewest), string(gistdeal.PushNewest), string(gistdeal.PushOldest))),
		Target:        gistdeal.Target{Pipeline: p.text("GISTDEAL_PIPELINE", ""), Stage: p.text("GISTDEAL_STAGE", ""), Owner: p.text("GISTDEAL_OWNER", ""), Visibility: p.oneOf("GISTDEAL_VISIBILITY", "", append([]string{""}, gistdeal.Visibilities...)...)},
		PipedriveRate: p.rate("GISTDEAL_PIPEDRIVE_RATE"),
		QuotaReserve:  p.share("GISTDEAL_QUOTA_RESERVE", "40%"),
		RequestWait:   p.duration("GISTDEAL_REQUEST_WAIT", 25*time.Second, time.Millisecond),
		PushTimeout:   p.duration("GISTDEAL_PUSH_TIMEOUT", 10*time.Second, time.Millisecond),
		Lease:         p.duration("GISTDEAL_LEASE", 12*time.Second, time.Millisecond),
		ResendAfter:   p.duration("GISTDEAL_RESEND_AFTER", 10*time.Minute, time.Millisecond),
		Drain:         p.duration("GISTDEAL_DRAIN", 0, 0),
		TraceURL:      p.optionalURL("OTEL_EXPORTER_OTLP_ENDPOINT"),
		TraceHeaders:  p.headers("OTEL_EXPORTER_OTLP_HEADERS"),
		Log:           p.oneOf("GISTDEAL_LOG", "", "", "text", "json"),
	}
	c.OIDC = p.oidc(c.PublicURL)
	if c.PipedriveKey == "" && !p.wrong["PIPEDRIVE_API_KEY"] {
		p.errs = append(p.errs, ErrNoKey)
	}
	if c.PushTimeout >= c.ResendAfter || c.PushTimeout >= c.Lease {
		p.mistake("GISTDEAL_PUSH_TIMEOUT (%v) must be less than GISTDEAL_LEASE (%v) and GISTDEAL_RESEND_AFTER (%v): otherwise a deal could be sent again while the first request is still running",
			c.PushTimeout, c.Lease, c.ResendAfter)
	}
	if c.Auth == AuthNone && c.PublicURL == "" && p.env["GISTDEAL_PUBLIC_URL"] == "" {
		p.mistake("GISTDEAL_AUTH=none needs GISTDEAL_PUBLIC_URL: set it to the address that browsers use; requests to any other need a token")
	}
	if n := len(c.AdminToken); n > 0 && n < minAdminToken {
		p.mistake("GISTDEAL_ADMIN_TOKEN has %d characters and could be guessed: use at least %d; `openssl rand -hex 24` makes a good one", n, minAdminToken)
	}
	p.smtp(string(c.SMTPURL), c.SMTPFrom)
	c.Locked = p.locked()
	p.password(c.Database, c.PasswordFile)
	p.proxies()
	p.renamed()
	p.unknown()
	return c, errors.Join(p.errs...)
}

// StoreOptions returns the options with which the database is opened.
func (c Config) StoreOptions(log *slog.Logger) store.Options {
	return store.Options{PasswordFile: c.PasswordFile, EraseKey: string(c.EraseKey), Lease: c.Lease, Log: log}
}

// Mistakes returns each mistake that an error of Parse joins.
func Mistakes(err error) []error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	return joined.Unwrap()
}
