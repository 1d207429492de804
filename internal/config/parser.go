package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
)

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

// secret returns the value of the first of names that is set, or the content of
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

// eraseKey returns the secret. With a short one, somebody who has the hashes could find
// it by trying.
func (p *parser) eraseKey(name string) Secret {
	const least = 24
	key := p.secret(name)
	if key != "" && len(key) < least {
		p.mistake("%s has %d characters, want at least %d: use a random text such as `openssl rand -hex 32` prints", name, len(key), least)
	}
	return key
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
	v := p.text(name, standard)
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

func (p *parser) oneOf(name, standard string, offered ...string) string {
	v := p.text(name, standard)
	if !slices.Contains(offered, v) {
		p.mistake("%s: %q is not one of %s", name, v, strings.Trim(strings.Join(offered, ", "), ", "))
	}
	return v
}

// backfill returns the backfill policy: all, none or a date.
func (p *parser) backfill(name string) gistdeal.Backfill {
	f := gistdeal.Backfill(p.text(name, string(gistdeal.BackfillAll)))
	if err := f.Check(); err != nil {
		p.mistake("%s: %w", name, err)
	}
	return f
}

func (p *parser) duration(name string, standard, least time.Duration) time.Duration {
	v := p.text(name, standard.String())
	d, err := time.ParseDuration(v)
	if err != nil {
		p.mistake("%s: %q is not a duration (want 90s, 10m, 3h ...)", name, v)
	} else if d < least {
		p.mistake("%s: %v is less than the minimum, %v", name, d, least)
	}
	return d
}

func (p *parser) number(name, standard string) int {
	v := p.text(name, standard)
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		p.mistake("%s: %q is not a number (want 1, 100, 5000 ... or 0 for no limit)", name, v)
	}
	return n
}

// leastAttemptDays is how long attempts are kept at least: a catch-up asks the newer ones
// whether another database was in use.
const leastAttemptDays = 7

func (p *parser) attemptDays() int {
	const name = "GISTDEAL_ATTEMPT_DAYS"
	n := p.number(name, "365")
	if n > 0 && n < leastAttemptDays {
		p.mistake("%s: %d is too short (want %d or more, or 0 to keep them for good)", name, n, leastAttemptDays)
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
	// A claim follows its last lookup within 5 seconds: a lower rate makes that impossible.
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

// unknown reports variables with our prefix that nothing reads: a mistyped name
// would otherwise be ignored silently.
func (p *parser) unknown() {
	var names []string
	for name := range p.env {
		if strings.HasPrefix(name, "GISTDEAL_") && !p.used[name] && !slices.Contains(serverVariables, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.mistake("%s is not a variable of this version of gistdeal: check its spelling; the manual lists all variables", name)
	}
}
