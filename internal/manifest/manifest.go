package manifest

import (
	"context"
	"fmt"
	"io"
	"iter"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/rules"
)

// Gistdeal is a gistdeal: the one of a database, or at a server.
type Gistdeal interface {
	Users(ctx context.Context, f gistdeal.UserFilter) iter.Seq2[gistdeal.User, error]
	AddUsers(ctx context.Context, add admin.Addition) iter.Seq2[admin.Result, error]
	ChangeUsers(ctx context.Context, inputs []string, c admin.Change) ([]admin.Result, error)
	Settings(ctx context.Context) ([]settings.Setting, error)
	ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string) ([]settings.Setting, error)
	Rules(ctx context.Context) (rules.Stored, error)
	SaveRules(ctx context.Context, set rules.Set, version int64) (rules.Stored, error)
}

// Export writes the settings and all users but removed ones. A user whose login is
// another's by now is left out, because no file can name it.
func Export(ctx context.Context, g Gistdeal, to io.Writer) error {
	all, err := g.Settings(ctx)
	if err != nil {
		return err
	}
	values, err := valuesOf(all)
	if err != nil {
		return err
	}
	stored, err := g.Rules(ctx)
	if err != nil {
		return err
	}
	w := &writer{w: to}
	w.text(head)
	w.yaml(struct {
		Version  int           `yaml:"version"`
		Settings settingValues `yaml:"settings"`
	}{Version, values})
	if stored.Version > 0 {
		w.yaml(stored.Set)
	}
	w.text("users:\n")
	if err := w.users(ctx, g); err != nil {
		return err
	}
	return w.err
}

// users writes the users. Its error is that of reading them.
func (w *writer) users(ctx context.Context, g Gistdeal) error {
	var some []User
	empty := true
	for u, err := range g.Users(ctx, gistdeal.UserFilter{}) {
		if err != nil {
			return err
		}
		if u.LoginStale {
			w.text(fmt.Sprintf("# id:%d is left out: another user has its login %s now.\n", u.ID, u.Login))
			continue
		}
		some, empty = append(some, User{Login: u.Login, Backfill: u.Backfill, Paused: u.State == gistdeal.UserPaused}), false
		if len(some) == page {
			w.yaml(some)
			some = some[:0]
		}
		if w.err != nil {
			return w.err
		}
	}
	if empty {
		w.text("  []\n")
	} else if len(some) > 0 {
		w.yaml(some)
	}
	return nil
}

// Action is what makes a difference go away.
type Action string

// The actions.
const (
	Set      Action = "set"      // change a setting
	Rules    Action = "rules"    // replace the rules
	Add      Action = "add"      // track a user
	Backfill Action = "backfill" // change the backfill of a user before its first scan
	Pause    Action = "pause"
	Resume   Action = "resume"
	Remove   Action = "remove" // stop tracking a user
)

// Difference is one thing that a gistdeal has otherwise than its manifest.
type Difference struct {
	Action Action `json:"action"`
	Name   string `json:"name"` // the setting, or the login
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Paused bool   `json:"paused,omitempty"` // pause the user once it is added
	Kept   string `json:"kept,omitempty"`   // why it stays as it is; "" if it changes
}

// Compare returns how a gistdeal differs. Users that the manifest does not name differ
// only with prune.
func (m Manifest) Compare(ctx context.Context, g Gistdeal, prune bool) ([]Difference, error) {
	all, err := g.Settings(ctx)
	if err != nil {
		return nil, err
	}
	differences := m.compareSettings(all)
	if m.Rules != nil {
		stored, err := g.Rules(ctx)
		if err != nil {
			return nil, err
		}
		differences = append(differences, m.compareRules(stored)...)
	}
	left := make(map[string]User, len(m.Users)) // not seen yet, by login key
	for _, u := range m.Users {
		left[gistdeal.LoginKey(u.Login)] = u
	}
	for u, err := range g.Users(ctx, gistdeal.UserFilter{}) {
		if err != nil {
			return nil, err
		}
		wanted, named := left[gistdeal.LoginKey(u.Login)]
		switch {
		case u.LoginStale:
		case named:
			delete(left, gistdeal.LoginKey(u.Login))
			differences = append(differences, compare(u, wanted)...)
		case prune:
			differences = append(differences, Difference{Action: Remove, Name: u.Login})
		}
	}
	for _, u := range m.Users {
		if _, missing := left[gistdeal.LoginKey(u.Login)]; missing {
			differences = append(differences, Difference{Action: Add, Name: u.Login, To: string(u.Backfill), Paused: u.Paused})
		}
	}
	return differences, nil
}

// compareSettings returns how the settings differ, never nil.
func (m Manifest) compareSettings(all []settings.Setting) []Difference {
	differences := []Difference{}
	for _, s := range all {
		if value, named := m.Settings[s.Name]; named && value != s.Value && (value != "" || s.Value != s.Default) {
			d := Difference{Action: Set, Name: string(s.Name), From: s.Value, To: value}
			if s.LockedBy != "" {
				d.Kept = s.LockedBy + " decides it: change or unset that variable"
			}
			differences = append(differences, d)
		}
	}
	return differences
}

// compare returns how a tracked user differs.
func compare(u gistdeal.User, wanted User) (differences []Difference) {
	if wanted.Backfill != "" && wanted.Backfill != u.Backfill {
		d := Difference{Action: Backfill, Name: u.Login, From: string(u.Backfill), To: string(wanted.Backfill)}
		if !u.LastScanAt.IsZero() {
			d.Kept = "a user keeps its backfill after its first scan"
		}
		differences = append(differences, d)
	}
	switch paused := u.State == gistdeal.UserPaused; {
	case wanted.Paused && !paused:
		differences = append(differences, Difference{Action: Pause, Name: u.Login, From: string(u.State), To: string(gistdeal.UserPaused)})
	case paused && !wanted.Paused:
		differences = append(differences, Difference{Action: Resume, Name: u.Login, From: string(u.State), To: string(gistdeal.UserActive)})
	}
	return differences
}
