package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"gistdeal"
)

// choicesPoll is how often it is looked whether a person has chosen otherwise.
const choicesPoll = 2 * time.Second

// errChosenAnew ends the pushes to where they went.
var errChosenAnew = errors.New("new deals go elsewhere from now on")

// Settings reads what is kept under a name, "" if nothing is.
type Settings interface {
	Setting(ctx context.Context, name string) (string, error)
}

// Aimed returns where new deals go: as a person chose, else as is configured,
// which decides alone what it locks.
func Aimed(ctx context.Context, kept Settings, configured gistdeal.Aim, locked map[gistdeal.Choice]string) (gistdeal.Aim, error) {
	a := configured
	for c, name := range map[gistdeal.Choice]*string{
		gistdeal.ChoicePipeline: &a.Pipeline, gistdeal.ChoiceStage: &a.Stage, gistdeal.ChoiceOwner: &a.Owner,
	} {
		value, err := chosen(ctx, kept, c, *name, locked)
		if err != nil {
			return a, err
		}
		*name = value
	}
	return a, nil
}

// chosen returns what a person chose, else what is configured.
func chosen(ctx context.Context, kept Settings, c gistdeal.Choice, configured string, locked map[gistdeal.Choice]string) (string, error) {
	if locked[c] != "" {
		return configured, nil
	}
	value, err := kept.Setting(ctx, string(c))
	return cmp.Or(value, configured), err
}

// aim returns where new deals shall go now.
func (e *Engine) aim(ctx context.Context) (gistdeal.Aim, error) {
	return Aimed(ctx, e.store, e.options.Aim, e.options.Locked)
}

// firstScan returns the policy of users that are tracked from now on.
func (e *Engine) firstScan(ctx context.Context) (gistdeal.FirstScan, error) {
	policy, err := chosen(ctx, e.store, gistdeal.ChoiceFirstScan, string(e.options.FirstScan), e.options.Locked)
	return gistdeal.FirstScan(policy), err
}

// firstScanMax returns how many deals a first scan of u may bring without a
// person's yes: 0 for any number, or if it is not u's first.
func (e *Engine) firstScanMax(ctx context.Context, u gistdeal.User) (int, error) {
	if !neverScanned(u) {
		return 0, nil
	}
	text, err := chosen(ctx, e.store, gistdeal.ChoiceFirstScanMax, strconv.Itoa(e.options.FirstScanMax), e.options.Locked)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// watchAim returns errChosenAnew once new deals shall go elsewhere, nil when ctx ends.
func (e *Engine) watchAim(ctx context.Context) error {
	for sleep(ctx, choicesPoll) {
		now, err := e.aim(ctx)
		if err == nil && now != e.aimed {
			return errChosenAnew
		}
	}
	return nil
}

// listEvery is how often pipelines and owners are listed at the most: it costs
// tokens of the day at each start, and only who chooses one needs it.
const listEvery = time.Hour

// noteOffers lists the pipelines and owners that can be chosen, if that is due.
func (e *Engine) noteOffers(ctx context.Context) {
	var at *time.Time
	e.noteAccounts(ctx, func(a *gistdeal.Accounts) { at = a.ListedAt })
	if at != nil && e.now().Sub(*at).Abs() < listEvery {
		return
	}
	pipelines, err := e.pipedrive.Pipelines(ctx)
	owners, ownersErr := e.pipedrive.Owners(ctx)
	if failed := errors.Join(err, ownersErr); failed != nil {
		e.log.Warn("pipelines or owners not listed", "meaning", "the page offers none to choose", "error", failed)
	}
	if err != nil {
		return
	}
	now := e.now().UTC()
	e.noteAccounts(ctx, func(a *gistdeal.Accounts) { a.Pipelines, a.Owners, a.ListedAt = pipelines, owners, &now })
}

// noteAccounts keeps what is known of the accounts, for people. It begins with
// what the process before this one kept.
func (e *Engine) noteAccounts(ctx context.Context, change func(*gistdeal.Accounts)) {
	e.accountsLock.Lock()
	defer e.accountsLock.Unlock()
	if e.accounts.CheckedAt == nil {
		if text, err := e.store.Setting(ctx, gistdeal.SettingAccounts); err == nil && text != "" {
			_ = json.Unmarshal([]byte(text), &e.accounts) // What cannot be read is found out anew.
		}
	}
	change(&e.accounts)
	now := e.now().UTC()
	e.accounts.CheckedAt = &now
	text, err := json.Marshal(e.accounts)
	if err == nil {
		err = e.store.Set(ctx, gistdeal.SettingAccounts, string(text))
	}
	if err != nil && ctx.Err() == nil {
		e.log.Warn("accounts not kept", "error", err)
	}
}

// notePipedrive keeps how connecting went.
func (e *Engine) notePipedrive(ctx context.Context, codes map[string]string, err error) {
	e.noteAccounts(ctx, func(a *gistdeal.Accounts) {
		p := &a.Pipedrive
		p.Problem = ""
		if err != nil {
			p.Problem = reasonOf(err)
		}
		if me := e.account.Load(); me != nil {
			p.Company, p.User = me.CompanyName, me.UserName
		}
		p.Pipeline, p.Stage, p.Owner = e.aimed.Pipeline, e.aimed.Stage, e.aimed.Owner
		if codes == nil {
			return
		}
		p.Fields = nil
		for _, name := range slices.Sorted(maps.Keys(codes)) {
			p.Fields = append(p.Fields, gistdeal.AccessField{Name: name, Code: codes[name]})
		}
	})
}

// noteGitHub asks once whose token it is.
func (e *Engine) noteGitHub(ctx context.Context) {
	login, token, err := e.github.Whose(ctx)
	if ctx.Err() != nil {
		return
	}
	e.noteAccounts(ctx, func(a *gistdeal.Accounts) {
		a.GitHub = gistdeal.GitHubAccess{Token: token, Login: login}
		if err != nil {
			a.GitHub.Problem = reasonOf(err)
		}
	})
}
