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

// aim is where new deals go, by names.
type aim struct{ pipeline, stage string }

// chosen returns what a person chose, else what the configuration says, which
// decides alone what it locks.
func (e *Engine) chosen(ctx context.Context, c gistdeal.Choice, configured string) (string, error) {
	if e.options.Locked[c] != "" {
		return configured, nil
	}
	value, err := e.store.Setting(ctx, string(c))
	return cmp.Or(value, configured), err
}

// aim returns where new deals shall go now.
func (e *Engine) aim(ctx context.Context) (a aim, err error) {
	if a.pipeline, err = e.chosen(ctx, gistdeal.ChoicePipeline, e.options.Pipeline); err != nil {
		return a, err
	}
	a.stage, err = e.chosen(ctx, gistdeal.ChoiceStage, e.options.Stage)
	return a, err
}

// firstScan returns the policy of users that are tracked from now on.
func (e *Engine) firstScan(ctx context.Context) (gistdeal.FirstScan, error) {
	policy, err := e.chosen(ctx, gistdeal.ChoiceFirstScan, string(e.options.FirstScan))
	return gistdeal.FirstScan(policy), err
}

// firstScanMax returns how many deals a first scan of u may bring without a
// person's yes: 0 for any number, or if it is not u's first.
func (e *Engine) firstScanMax(ctx context.Context, u gistdeal.User) (int, error) {
	if !neverScanned(u) {
		return 0, nil
	}
	text, err := e.chosen(ctx, gistdeal.ChoiceFirstScanMax, strconv.Itoa(e.options.FirstScanMax))
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

// pipelinesEvery is how often pipelines are listed at the most: it costs tokens
// of the day at each start, and only who chooses one needs it.
const pipelinesEvery = time.Hour

// notePipelines lists the pipelines that can be chosen, if that is due.
func (e *Engine) notePipelines(ctx context.Context) {
	var at *time.Time
	e.noteAccounts(ctx, func(a *gistdeal.Accounts) { at = a.PipelinesAt })
	if at != nil && e.now().Sub(*at).Abs() < pipelinesEvery {
		return
	}
	pipelines, err := e.pipedrive.Pipelines(ctx)
	if err != nil {
		e.log.Warn("pipelines not listed", "meaning", "the page offers none to choose", "error", err)
		return
	}
	now := e.now().UTC()
	e.noteAccounts(ctx, func(a *gistdeal.Accounts) { a.Pipelines, a.PipelinesAt = pipelines, &now })
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
		p.Pipeline, p.Stage = e.aimed.pipeline, e.aimed.stage
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
