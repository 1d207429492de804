package main

import (
	"context"
	"fmt"
	"os"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/format"
	"gistdeal/internal/operation"
)

type usersCmd struct {
	Add     usersAddCmd     `cmd:"" help:"Track users, and print the result of each as soon as it is known."`
	List    usersListCmd    `cmd:"" help:"List the users."`
	Remove  usersRemoveCmd  `cmd:"" help:"Stop tracking users. Their gists and deals are kept."`
	Pause   usersPauseCmd   `cmd:"" help:"Stop scanning users."`
	Resume  usersResumeCmd  `cmd:"" help:"Scan paused users again."`
	Erase   usersEraseCmd   `cmd:"" help:"Erase a person's data, keeping only gist and deal ids. The person is never tracked again without --again."`
	Tag     usersTagCmd     `cmd:"" help:"Add tags to users, or remove tags: rules can ask for them."`
	Approve usersApproveCmd `cmd:"" help:"Approve batches held for approval: their deals are queued."`
}

type usersAddCmd struct {
	loginArgs
	printing
	Backfill backfill `help:"Create deals for all existing gists of a new user, for none, or for those created since a date. The default is the setting backfill, however many users there are; a tracked user keeps its policy." placeholder:"all|none|DATE"`
	Tag      []string `help:"Tags for all of the users, set before rules decide about their gists." placeholder:"TAG"`
	Again    bool     `help:"Also track users that were erased."`
	Yes      bool     `help:"Don't ask."`
}

// Run tracks the users and prints the result of each.
func (c *usersAddCmd) Run(ctx context.Context, at serverFlags) error {
	logins, tags, err := c.readTagged()
	if err != nil {
		return err
	}
	add := admin.Addition{Logins: logins, Tags: c.Tag, TagsOf: tags, Backfill: gistdeal.Backfill(c.Backfill), Notice: notice, Again: c.Again}
	results := []admin.Result{}
	err = c.withGistdeal(ctx, at, creates, func(g backend) error {
		policy, err := c.agree(ctx, g, len(logins))
		if err != nil {
			return err
		}
		if len(logins) > operation.SyncItems {
			add.Backfill = policy
			op, err := g.AddMany(ctx, add)
			if err != nil {
				return err
			}
			return c.followOperation(ctx, g, op)
		}
		for r, err := range g.AddUsers(ctx, add) {
			if err != nil {
				return err
			}
			results = append(results, r)
			if !c.JSON {
				printResult(r)
			}
		}
		return nil
	})
	if c.JSON && err == nil && len(logins) <= operation.SyncItems {
		err = c.print(usersDone{results}, nil)
	}
	if err != nil {
		return err
	}
	return admin.Undone(results)
}

// notice prints a text that does not belong to standard output.
func notice(text string) { fmt.Fprintln(os.Stderr, format.Escape(text)) }

type usersDone struct {
	Users []admin.Result `json:"users"`
}

// agree says which gists get a deal, and returns the backfill. At a terminal it asks
// whether to track several users if no backfill is given.
func (c *usersAddCmd) agree(ctx context.Context, g backend, users int) (gistdeal.Backfill, error) {
	policy := gistdeal.Backfill(c.Backfill)
	if policy == "" {
		all, err := g.Settings(ctx)
		if err != nil {
			return "", err
		}
		policy = gistdeal.Backfill(settings.ValueOf(all, gistdeal.SettingBackfill))
	}
	text := fmt.Sprintf("backfill %s: a new user gets %s", policy, policy.Meaning())
	if users > 1 && c.Backfill == "" && !c.Yes && interactive() {
		return policy, ask(fmt.Sprintf("Track %s users with %s. Continue? [y/N] ", format.Number(users), text))
	}
	if !c.JSON {
		notice(text)
	}
	return policy, nil
}

type usersListCmd struct {
	printing
	State  []string `help:"Only users in these states." enum:"active,paused,removed,gone"`
	Search string   `help:"Only logins that contain this." placeholder:"TEXT"`
}

// Run prints the users.
func (c *usersListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		f := gistdeal.UserFilter{Search: c.Search}
		for _, state := range c.State {
			f.States = append(f.States, gistdeal.UserState(state))
		}
		users := []gistdeal.User{}
		for u, err := range g.Users(ctx, f) {
			if err != nil {
				return err
			}
			users = append(users, u)
		}
		return c.print(struct {
			Users []gistdeal.User `json:"users"`
		}{users}, func(t *table) {
			t.row("LOGIN", "STATE", "BACKFILL", "TRACKED", "LAST SCAN", "NEXT SCAN", "PROBLEM")
			for _, u := range users {
				t.row(nameOf(u), string(u.State), string(u.Backfill), ago(u.TrackedAt), ago(u.LastScanAt), ago(u.NextScanAt), u.Problem)
			}
		})
	})
}

// nameOf returns the login of a user, with its number if the login is another's by now:
// commands accept both.
func nameOf(u gistdeal.User) string {
	if u.LoginStale {
		return fmt.Sprintf("%s (id:%d)", u.Login, u.ID)
	}
	return u.Login
}

type (
	usersRemoveCmd  struct{ changeUsers }
	usersPauseCmd   struct{ changeUsers }
	usersResumeCmd  struct{ changeUsers }
	usersApproveCmd struct {
		changeUsers
		confirming
	}
)

// Run removes.
func (c *usersRemoveCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, admin.Remove)
}

// Run pauses.
func (c *usersPauseCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, admin.Pause)
}

// Run resumes.
func (c *usersResumeCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, admin.Resume)
}

// approvedUnasked is how many deals are approved without a question.
const approvedUnasked = 50

// Run approves, and asks before it if that creates many deals.
func (c *usersApproveCmd) Run(ctx context.Context, at serverFlags) error {
	return c.changeIf(ctx, at, admin.Approve, func(g backend, logins []string) (bool, error) {
		deals, err := g.AwaitingApproval(ctx, logins)
		if err != nil || (deals <= approvedUnasked && !c.DryRun) {
			return err == nil, err
		}
		return c.creating(ctx, c.printing, g, deals)
	})
}

// changeUsers is the common part of the commands that change users.
type changeUsers struct {
	loginArgs
	printing
}

func (c *changeUsers) change(ctx context.Context, at serverFlags, what admin.Change) error {
	return c.changeIf(ctx, at, what, func(backend, []string) (bool, error) { return true, nil })
}

// changeTags changes the tags of the users, and prints their tags.
func (c *usersTagCmd) changeTags(ctx context.Context, at serverFlags, add, remove []string) error {
	logins, err := c.read()
	if err != nil {
		return err
	}
	var results []admin.Result
	err = c.withGistdeal(ctx, at, writes, func(g backend) error {
		if results, err = g.ChangeTags(ctx, logins, add, remove); err != nil {
			return err
		}
		return c.print(usersDone{results}, func(t *table) {
			for _, r := range results {
				t.row(r.Input, spaced(r.Result), r.Reason)
			}
		})
	})
	if err != nil {
		return err
	}
	return admin.Undone(results)
}

// changeIf changes the users if agree says so.
func (c *changeUsers) changeIf(ctx context.Context, at serverFlags, what admin.Change, agree func(backend, []string) (bool, error)) error {
	logins, err := c.read()
	if err != nil {
		return err
	}
	var results []admin.Result
	err = c.withGistdeal(ctx, at, requests, func(g backend) error {
		if ok, err := agree(g, logins); err != nil || !ok {
			return err
		}
		if results, err = g.ChangeUsers(ctx, logins, what); err != nil {
			return err
		}
		return c.print(usersDone{results}, func(t *table) {
			for _, r := range results {
				t.row(r.Input, spaced(r.Result), r.Reason)
			}
		})
	})
	if err != nil {
		return err
	}
	return admin.Undone(results)
}
