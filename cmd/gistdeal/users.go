package main

import (
	"context"
	"fmt"
	"os"

	"gistdeal"
	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type usersCmd struct {
	Add     usersAddCmd     `cmd:"" help:"Track users: a line for each, as its answer comes."`
	List    usersListCmd    `cmd:"" help:"List the users."`
	Remove  usersRemoveCmd  `cmd:"" help:"End the tracking of users. Their gists and deals are kept."`
	Pause   usersPauseCmd   `cmd:"" help:"Stop scanning users."`
	Resume  usersResumeCmd  `cmd:"" help:"Scan paused users again."`
	Erase   usersEraseCmd   `cmd:"" help:"Forget a person, but for the ids of its gists and their deals; it is never tracked again unless you say so."`
	Approve usersApproveCmd `cmd:"" help:"Say yes to first scans that found more gists than are allowed: their deals are made."`
}

type usersAddCmd struct {
	loginArgs
	printing
	FirstScan string `help:"A deal for each gist that a user has (all), or only for those to come (new). By default a user keeps what it was tracked with, and a new one gets GISTDEAL_FIRST_SCAN, or new if there are several." enum:"all,new," default:"" placeholder:"all|new"`
	Again     bool   `help:"Track those too that were erased."`
	Yes       bool   `help:"Don't ask."`
}

// Run asks for the users and prints what becomes of each.
func (c *usersAddCmd) Run(ctx context.Context) error {
	logins, err := c.read()
	if err != nil {
		return err
	}
	otherwise := gistdeal.FirstScan("")
	if len(logins) > 1 && c.FirstScan == "" {
		if otherwise, err = c.policy(len(logins)); err != nil {
			return err
		}
	}
	results := []desk.Result{}
	err = atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		if c.Again {
			if err := d.AllowAgain(ctx, logins); err != nil {
				return err
			}
		}
		return d.AddUsers(ctx, logins, gistdeal.FirstScan(c.FirstScan), otherwise, notice, func(r desk.Result) {
			results = append(results, r)
			if !c.JSON {
				printResult(r)
			}
		})
	})
	if c.JSON && err == nil {
		err = c.print(usersDone{results}, nil)
	}
	if err != nil {
		return err
	}
	return desk.Undone(results)
}

// notice tells a person what standard output has no place for.
func notice(text string) { fmt.Fprintln(os.Stderr, plain(text)) }

type usersDone struct {
	Users []desk.Result `json:"users"`
}

// policy asks the person at the terminal for the first-scan policy of those of
// many users who are new; without one it is the careful one.
func (c *usersAddCmd) policy(users int) (gistdeal.FirstScan, error) {
	if c.Yes || !mayAsk() {
		return gistdeal.FirstScanNew, nil
	}
	answer, err := question(fmt.Sprintf("Track %s users. Deals for all gists that they have, or only for new ones? [all/NEW/cancel] ", desk.Number(users)))
	switch {
	case err != nil:
		return "", err
	case answer == "all":
		return gistdeal.FirstScanAll, nil
	case answer == "new", answer == "":
		return gistdeal.FirstScanNew, nil
	}
	return "", errCancelled
}

type usersListCmd struct {
	printing
	State  []string `help:"Only users in these states." enum:"active,paused,removed,gone"`
	Search string   `help:"Only logins that contain this." placeholder:"TEXT"`
}

// Run prints the users.
func (c *usersListCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.ReadDesk, func(d *desk.Desk) error {
		users, err := d.Users(ctx, c.State, c.Search)
		if err != nil {
			return err
		}
		return c.print(struct {
			Users []desk.User `json:"users"`
		}{users}, func(t *table) {
			t.row("LOGIN", "STATE", "FIRST SCAN", "TRACKED", "LAST SCAN", "NEXT SCAN", "PROBLEM")
			for _, u := range users {
				t.row(u.Login, string(u.State), string(u.FirstScan), ago(u.TrackedAt), ago(u.LastScanAt), ago(u.NextScanAt), u.Problem)
			}
		})
	})
}

type (
	usersRemoveCmd  struct{ changeUsers }
	usersPauseCmd   struct{ changeUsers }
	usersResumeCmd  struct{ changeUsers }
	usersApproveCmd struct{ changeUsers }
)

// Run removes.
func (c *usersRemoveCmd) Run(ctx context.Context) error { return c.change(ctx, desk.Remove) }

// Run pauses.
func (c *usersPauseCmd) Run(ctx context.Context) error { return c.change(ctx, desk.Pause) }

// Run resumes.
func (c *usersResumeCmd) Run(ctx context.Context) error { return c.change(ctx, desk.Resume) }

// Run says yes.
func (c *usersApproveCmd) Run(ctx context.Context) error { return c.change(ctx, desk.Approve) }

// changeUsers is what the commands share that change users.
type changeUsers struct {
	loginArgs
	printing
}

func (c *changeUsers) change(ctx context.Context, what desk.Change) error {
	logins, err := c.read()
	if err != nil {
		return err
	}
	var results []desk.Result
	err = atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		results, err = d.ChangeUsers(ctx, logins, what)
		return err
	})
	if err == nil {
		err = c.print(usersDone{results}, func(t *table) {
			for _, r := range results {
				t.row(r.Asked, spaced(r.Result), r.Reason)
			}
		})
	}
	if err != nil {
		return err
	}
	return desk.Undone(results)
}
