package app

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/github"
	"gistdeal/internal/pipedrive"
)

// reloadTimeout is how long a remote may take to accept a new secret.
const reloadTimeout = 30 * time.Second

// hangups returns a channel with each SIGHUP until stop. At a terminal the signal means
// that the terminal is gone, and still ends the program.
func hangups() (c chan os.Signal, stop func()) {
	c = make(chan os.Signal, 1)
	if !IsTerminal(os.Stdin) && !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c, syscall.SIGHUP)
	}
	return c, func() { signal.Stop(c) }
}

// reloadOn reads the secrets again at each signal, until ctx ends.
func (a *App) reloadOn(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			a.notify("RELOADING=1")
			a.reload(ctx)
			a.notify("READY=1")
		}
	}
}

// secret is a secret that changes without a restart.
type secret struct {
	variable string
	old, new *config.Secret
	accept   func(context.Context, string) error // checks a new value and uses it
}

// reload reads the secrets from their files again. A new one is used if its remote accepts
// it; otherwise the old one stays.
func (a *App) reload(ctx context.Context) {
	c, err := a.config.Reread()
	if err != nil {
		a.log.Warn("secrets not read again", "error", err, "meaning", "all old ones are still used")
		return
	}
	changed := []string{}
	for _, s := range []secret{
		// First, since no remote is asked: a leaked token must not stay valid while one is slow.
		{"GISTDEAL_ADMIN_TOKEN", &a.config.AdminToken, &c.AdminToken, a.setAdminToken},
		{"GITHUB_TOKEN", &a.config.GitHubToken, &c.GitHubToken, a.acceptGitHubToken},
		{"PIPEDRIVE_API_KEY", &a.config.PipedriveKey, &c.PipedriveKey, a.acceptPipedriveKey},
	} {
		if *s.old == *s.new {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
		err := s.accept(ctx, string(*s.new))
		cancel()
		if err != nil {
			a.log.Warn("new secret not used", "variable", s.variable, "error", err, "meaning", "the old one is still used")
			continue
		}
		*s.old = *s.new
		changed = append(changed, s.variable)
	}
	a.log.Info("secrets read again", "changed", changed)
	if len(changed) > 0 {
		a.engine.TryNow()
	}
}

func (a *App) acceptGitHubToken(ctx context.Context, token string) error {
	hub, err := github.New(a.config.GitHubURL, github.Options{Token: token, UserAgent: config.UserAgent(a.config.Version)})
	if err != nil {
		return err
	}
	if _, err := hub.Identify(ctx); err != nil {
		return err
	}
	a.github.SetToken(token)
	return nil
}

// acceptPipedriveKey uses a key of the same company whose user sees all deals. A key that
// sees less needs a restart, which says what follows from that.
func (a *App) acceptPipedriveKey(ctx context.Context, key string) error {
	pipe, err := pipedrive.New(a.config.PipedriveURL, pipedrive.Options{Token: key, UserAgent: config.UserAgent(a.config.Version)})
	if err != nil {
		return err
	}
	ctx, _ = gistdeal.WithPurpose(ctx, gistdeal.PurposeInteractive)
	me, err := pipe.Me(ctx)
	if err != nil {
		return err
	}
	company, err := a.store.Setting(ctx, gistdeal.KeyCompany)
	if err != nil {
		return err
	}
	if id := strconv.FormatInt(me.CompanyID, 10); company != "" && company != id {
		return fmt.Errorf("the database belongs to the Pipedrive company %s, but the key is of company %s", company, id)
	}
	may, err := pipe.Permissions(ctx)
	if err != nil {
		return err
	}
	if !may.SeeAllDeals {
		return fmt.Errorf("%s; a restart uses the key nevertheless", pipedrive.HiddenDeals)
	}
	a.pipedrive.SetToken(key)
	_, err = a.pipedrive.Me(ctx) // Later calls are about the new key's user.
	return err
}
