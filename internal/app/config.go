package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/store"
)

// Config is what the environment says, checked. Its fields are the table of
// the README in the same order.
type Config struct {
	GitHubToken   Secret
	GitHubURL     string
	PipedriveKey  Secret
	PipedriveURL  string
	Addr          string
	PublicURL     string // scheme://host as browsers write it; "" if it is not known
	Database      Database
	PasswordFile  string // of the database
	AdminToken    Secret
	Open          bool
	ScanInterval  time.Duration
	FirstScan     gistdeal.FirstScan
	FirstScanMax  int          // 0: no limit
	Aim           gistdeal.Aim // where new deals go
	PipedriveRate float64      // requests a second, 0 for what the account allows
	DayReserve    float64      // share of the day's tokens
	AnswerWait    time.Duration
	PushTimeout   time.Duration
	Lease         time.Duration
	Absence       time.Duration
	Drain         time.Duration
	Version       string                     // of the program; not from the environment
	Locked        map[gistdeal.Choice]string // what a person cannot choose, by which variable decides it
	Log           string                     // "text", "json", or "" to choose by where the log goes

	Demo bool // the remotes are simulators; not from the environment
}

// DefaultAddr is where gistdeal listens if nobody says otherwise: on this machine only.
const DefaultAddr = "127.0.0.1:8050"

// Secret is a text that is never shown.
type Secret string

// String returns what may be shown instead of the secret.
func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set, hidden)"
}

// LogValue hides the secret in logs too.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Database is the path or the URL of a database.
type Database string

// String returns it without its password.
func (d Database) String() string { return store.DisplayName(string(d)) }

// IsFile reports whether the database is a file on this machine.
func (d Database) IsFile() bool { return store.IsFile(string(d)) }

// LogValue hides the password in logs too.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

// ErrNoKey is among the errors of ParseConfig if there is no Pipedrive key.
var ErrNoKey = errors.New("PIPEDRIVE_API_KEY is not set: it is the API token of your Pipedrive user (Settings > Personal preferences > API); set it, or PIPEDRIVE_API_KEY_FILE, or try `gistdeal demo`, which needs none")

// Environ returns the process's environment as a map.
func Environ() map[string]string {
	env := map[string]string{}
	for _, line := range os.Environ() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

// ParseConfig reads env. Its error joins all mistakes that there are.
func ParseConfig(env map[string]string) (Config, error) {
	p := parser{env: env, used: map[string]bool{}, wrong: map[string]bool{}}
	c := Config{
		GitHubToken:   p.secret("GITHUB_AT", "GITHUB_TOKEN"),
		GitHubURL:     p.url("GITHUB_API_URL", "https://api.github.com"),
		PipedriveKey:  p.secret("PIPEDRIVE_API_KEY", "PIPEDRIVE_TOKEN"),
		PipedriveURL:  p.url("PIPEDRIVE_API_URL", pipedrive.DefaultURL),
		Addr:          p.addr("GISTDEAL_ADDR", DefaultAddr),
		PublicURL:     p.origin("GISTDEAL_PUBLIC_URL"),
		Database:      p.database("GISTDEAL_DATABASE_URL", "gistdeal.db"),
		PasswordFile:  p.text("GISTDEAL_DATABASE_PASSWORD_FILE", ""),
		AdminToken:    p.secret("GISTDEAL_ADMIN_TOKEN"),
		Open:          p.choice("GISTDEAL_OPEN", "0", "0", "1") == "1",
		ScanInterval:  p.duration("GISTDEAL_SCAN_INTERVAL", 3*time.Hour, time.Second),
		FirstScan:     gistdeal.FirstScan(p.choice("GISTDEAL_FIRST_SCAN", "all", "all", "new")),
		FirstScanMax:  p.number("GISTDEAL_FIRST_SCAN_MAX"),
		Aim:           gistdeal.Aim{Pipeline: p.text("GISTDEAL_PIPELINE", ""), Stage: p.text("GISTDEAL_STAGE", ""), Owner: p.text("GISTDEAL_OWNER", "")},
		PipedriveRate: p.rate("GISTDEAL_PIPEDRIVE_RATE"),
		DayReserve:    p.share("GISTDEAL_DAY_RESERVE", "40%"),
		AnswerWait:    p.duration("GISTDEAL_ANSWER_WAIT", 25*time.Second, time.Millisecond),
		PushTimeout:   p.duration("GISTDEAL_PUSH_TIMEOUT", 10*time.Second, time.Millisecond),
		Lease:         p.duration("GISTDEAL_LEASE", 12*time.Second, time.Millisecond),
		Absence:       p.duration("GISTDEAL_ABSENCE", 10*time.Minute, time.Millisecond),
		Drain:         p.duration("GISTDEAL_DRAIN", 0, 0),
		Log:           p.choice("GISTDEAL_LOG", "", "", "text", "json"),
	}
	if c.PipedriveKey == "" && !p.wrong["PIPEDRIVE_API_KEY"] {
		p.errs = append(p.errs, ErrNoKey)
	}
	if c.PushTimeout >= c.Absence || c.PushTimeout >= c.Lease {
		p.mistake("GISTDEAL_PUSH_TIMEOUT (%v) must be less than GISTDEAL_LEASE (%v) and GISTDEAL_ABSENCE (%v): otherwise a deal could be sent again while the first request is under way",
			c.PushTimeout, c.Lease, c.Absence)
	}
	c.Locked = p.locked()
	p.password(c.Database, c.PasswordFile)
	p.unknown()
	return c, errors.Join(p.errs...)
}

// OpenDatabase opens the database, makes it if there is none, and brings its
// schema up to date.
func (c Config) OpenDatabase(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	return store.Open(ctx, string(c.Database), store.Options{PasswordFile: c.PasswordFile, Lease: c.Lease, Log: log})
}

// ReadDatabase opens the database as it is, for reading only; see store.OpenReadOnly.
func (c Config) ReadDatabase(ctx context.Context) (*store.Store, error) {
	return store.OpenReadOnly(ctx, string(c.Database), store.Options{PasswordFile: c.PasswordFile, Lease: c.Lease})
}

// Mistakes returns each mistake that an error of ParseConfig joins.
func Mistakes(err error) []error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	return joined.Unwrap()
}

// parser collects the mistakes of an environment.
type parser struct {
	env   map[string]string
	used  map[string]bool
	wrong map[string]bool // secrets that are set, but with a mistake, by their first name
	errs  []error
}

func (p *parser) mistake(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

// text returns the variable's value; an empty one counts as not set.
func (p *parser) text(name, standard string) string {
	p.used[name] = true
	if v := strings.TrimSpace(p.env[name]); v != "" {
		return v
	}
	return standard
}

// secret returns the value of the first of names that is set, or what is in
// the file that NAME_FILE names.
func (p *parser) secret(names ...string) Secret {
	secret, mistakes := Secret(""), len(p.errs)
	for _, name := range names {
		value, file := p.text(name, ""), p.text(name+"_FILE", "")
		if value != "" && file != "" {
			p.mistake("%s and %s_FILE are both set: keep one", name, name)
		}
		if value == "" && file != "" {
			data, err := os.ReadFile(file)
			if err != nil {
				p.mistake("%s_FILE: %w", name, err)
			} else if value = strings.TrimSpace(string(data)); value == "" {
				p.mistake("%s_FILE: %q is empty", name, file)
			}
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			p.mistake("%s holds a character that no token has: a space, a line break, or one beyond ASCII", name)
			value = ""
		}
		if secret == "" {
			secret = Secret(value)
		}
	}
	p.wrong[names[0]] = len(p.errs) > mistakes
	return secret
}

func (p *parser) url(name, standard string) string {
	v := p.text(name, standard)
	if u, err := url.Parse(v); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		p.mistake("%s is not the URL of a server (want https://host)", name)
	}
	return v
}

// origin returns the origin of a URL as browsers write it, "" if the variable is not set.
func (p *parser) origin(name string) string {
	v := p.text(name, "")
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		p.mistake("%s is not the address of a site (want https://host, without a path)", name)
		return ""
	}
	host := strings.ToLower(u.Host)
	return u.Scheme + "://" + strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
}

func (p *parser) addr(name, standard string) string {
	v := p.text(name, standard)
	if _, port, err := net.SplitHostPort(v); err != nil {
		p.mistake("%s: %q is not an address to listen on (want host:port or :port)", name, v)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		p.mistake("%s: %q is not a port number (%d)", name, port, n)
	}
	return v
}

func (p *parser) database(name, standard string) Database {
	v := strings.TrimPrefix(p.text(name, standard), "sqlite://")
	if err := store.CheckName(v); err != nil {
		p.mistake("%s: %w", name, err)
	}
	return Database(v)
}

// password checks that the database can have its password from the file.
func (p *parser) password(database Database, file string) {
	const name = "GISTDEAL_DATABASE_PASSWORD_FILE"
	if file == "" {
		return
	}
	if !store.TakesPassword(string(database)) {
		p.mistake("%s is set, but GISTDEAL_DATABASE_URL names a file or a URL with a password in it: keep one of the two", name)
	}
	if _, err := os.ReadFile(file); err != nil {
		p.mistake("%s: %w", name, err)
	}
}

func (p *parser) choice(name, standard string, choices ...string) string {
	v := p.text(name, standard)
	if !slices.Contains(choices, v) {
		p.mistake("%s: %q is not one of %s", name, v, strings.Join(choices, ", "))
	}
	return v
}

func (p *parser) duration(name string, standard, least time.Duration) time.Duration {
	v := p.text(name, standard.String())
	d, err := time.ParseDuration(v)
	if err != nil {
		p.mistake("%s: %q is not a duration (want 90s, 10m, 3h ...)", name, v)
	} else if d < least {
		p.mistake("%s: %v is less than the least that makes sense, %v", name, d, least)
	}
	return d
}

func (p *parser) number(name string) int {
	v := p.text(name, "0")
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		p.mistake("%s: %q is not a number (want 1, 100, 5000 ... or 0 for no limit)", name, v)
	}
	return n
}

// rate returns 0 if the variable is not set.
func (p *parser) rate(name string) float64 {
	v := p.text(name, "")
	if v == "" {
		return 0
	}
	rate, err := strconv.ParseFloat(v, 64)
	// A claim follows its last look within 5 seconds, and with less it could not.
	if err != nil || !(rate >= 1 && rate <= 1000) {
		p.mistake("%s: %q is not a number of requests a second (want 1 to 1000)", name, v)
	}
	return rate
}

// share reads a percentage as a share of one.
func (p *parser) share(name, standard string) float64 {
	v := p.text(name, standard)
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(v, "%")), 64)
	if err != nil || !(percent >= 0 && percent < 100) {
		p.mistake("%s: %q is not a share (want 0%% to 99%%)", name, v)
	}
	return percent / 100
}

// unknown reports variables that look like ours and that nothing reads: a
// mistyped name would otherwise change nothing, silently.
func (p *parser) unknown() {
	var names []string
	for name := range p.env {
		if strings.HasPrefix(name, "GISTDEAL_") && !p.used[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.mistake("%s is not a variable of this version of gistdeal: is the name right? The README lists them all", name)
	}
}
