package manifest

import (
	"context"
	"fmt"
	"slices"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/rules"
)

// someUsers is how many users are requested at a time: fewer than may be pending.
const someUsers = 500

// Applying makes a gistdeal as its manifest says.
type Applying struct {
	Gistdeal Gistdeal
	Rules    *rules.Set         // of the manifest
	Report   func(admin.Result) // gets the result of each difference
	Notice   func(text string)  // as in admin.Addition
}

// Apply makes the differences go away, but those that are kept. What was done before an
// error stays, and a new comparison finds the rest. Settings come first, because they
// decide about the deals of new users.
func (a Applying) Apply(ctx context.Context, differences []Difference) error {
	if err := a.set(ctx, differences); err != nil {
		return err
	}
	if err := a.replaceRules(ctx, differences); err != nil {
		return err
	}
	for _, change := range []struct {
		action Action
		change admin.Change
	}{{Pause, admin.Pause}, {Resume, admin.Resume}, {Remove, admin.Remove}} {
		var logins []string
		for _, d := range differences {
			if d.Action == change.action {
				logins = append(logins, d.Name)
			}
		}
		if err := a.change(ctx, logins, change.change); err != nil {
			return err
		}
	}
	return a.add(ctx, differences)
}

// set changes the settings, all at once: a stage belongs to its pipeline.
func (a Applying) set(ctx context.Context, differences []Difference) error {
	values := map[gistdeal.Setting]string{}
	for _, d := range differences {
		if d.Action == Set && d.Kept == "" {
			values[gistdeal.Setting(d.Name)] = d.To
		}
	}
	if len(values) == 0 {
		return nil
	}
	if _, err := a.Gistdeal.ChangeSettings(ctx, values); err != nil {
		return err
	}
	for _, d := range differences {
		if _, set := values[gistdeal.Setting(d.Name)]; set && d.Action == Set {
			a.Report(admin.Result{Input: d.Name, Result: "set", Reason: d.To})
		}
	}
	return nil
}

// replaceRules replaces the rules if they differ.
func (a Applying) replaceRules(ctx context.Context, differences []Difference) error {
	for _, d := range differences {
		if d.Action != Rules {
			continue
		}
		stored, err := a.Gistdeal.Rules(ctx)
		if err != nil {
			return err
		}
		if stored, err = a.Gistdeal.SaveRules(ctx, *a.Rules, stored.Version); err != nil {
			return err
		}
		a.Report(admin.Result{Input: d.Name, Result: "set", Reason: fmt.Sprintf("version %d", stored.Version)})
	}
	return nil
}

// change changes users.
func (a Applying) change(ctx context.Context, logins []string, c admin.Change) error {
	for some := range slices.Chunk(logins, someUsers) {
		results, err := a.Gistdeal.ChangeUsers(ctx, some, c)
		for _, r := range results {
			a.Report(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add tracks the new users, by their backfill, and pauses those that shall be paused.
func (a Applying) add(ctx context.Context, differences []Difference) error {
	byBackfill, paused := map[gistdeal.Backfill][]string{}, map[string]bool{}
	var order []gistdeal.Backfill
	for _, d := range differences {
		if d.Kept != "" || (d.Action != Add && d.Action != Backfill) {
			continue
		}
		backfill := gistdeal.Backfill(d.To)
		if byBackfill[backfill] == nil {
			order = append(order, backfill)
		}
		byBackfill[backfill] = append(byBackfill[backfill], d.Name)
		paused[d.Name] = d.Paused
	}
	for _, backfill := range order {
		policy := backfill
		if policy == "" {
			var err error
			if policy, err = a.backfill(ctx); err != nil {
				return err
			}
		}
		for some := range slices.Chunk(byBackfill[backfill], someUsers) {
			if err := a.addSome(ctx, some, policy, paused); err != nil {
				return err
			}
		}
	}
	return nil
}

// addSome tracks some users, and pauses those that are in paused.
func (a Applying) addSome(ctx context.Context, logins []string, backfill gistdeal.Backfill, paused map[string]bool) error {
	var pause []string
	for r, err := range a.Gistdeal.AddUsers(ctx, admin.Addition{Logins: logins, Backfill: backfill, Notice: a.Notice}) {
		if err != nil {
			return err
		}
		if paused[r.Input] && r.Result == "waiting" {
			r.Reason += "; run this command again then, to pause it"
		} else if paused[r.Input] && r.Done() {
			pause = append(pause, r.Input)
		}
		a.Report(r)
	}
	return a.change(ctx, pause, admin.Pause)
}

// backfill returns the backfill of new users.
func (a Applying) backfill(ctx context.Context) (gistdeal.Backfill, error) {
	all, err := a.Gistdeal.Settings(ctx)
	if err != nil {
		return "", err
	}
	return gistdeal.Backfill(settings.ValueOf(all, gistdeal.SettingBackfill)), nil
}
