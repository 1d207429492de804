package desk

import (
	"context"
	"time"

	"gistdeal"
)

// Run is a piece of work with what it found and cost.
type Run struct {
	ID       int64            `json:"id"`
	Kind     gistdeal.RunKind `json:"kind" enum:"scan,sweep,push" doc:"scan: one user's gists (of scans that nobody waits for, only those that found something, failed or took long). sweep: all users that were due. push: deals, until none waited."`
	Login    string           `json:"login,omitempty" doc:"Of a scan; empty if its user is not known any more."`
	Begun    time.Time        `json:"begun_at"`
	Noted    time.Time        `json:"noted_at" doc:"When these numbers were written down."`
	Ended    *time.Time       `json:"ended_at" doc:"null while it goes on."`
	Total    int              `json:"total" doc:"Pages, users or deals in all; 0 where nobody knows."`
	Done     int              `json:"done" doc:"Pages that were read, users that were scanned, or deals that were tried."`
	Gists    int              `json:"gists" doc:"That were found."`
	Deals    int              `json:"deals" doc:"That were made."`
	Failed   int              `json:"failed" doc:"Scans that ended badly, or deals that were refused."`
	Requests int              `json:"requests" doc:"To GitHub by scans and sweeps, to Pipedrive by pushes."`
	Tokens   int              `json:"tokens" doc:"Of Pipedrive's day."`
	Problem  string           `json:"problem,omitempty" doc:"Why it ended badly."`
}

// RunSelection says which runs are meant: those to which all that is set applies.
type RunSelection struct {
	Kinds []gistdeal.RunKind
	User  string // a login or an address
	Going bool   // only those that go on
}

// Runs returns up to limit of the runs from before the number before (0: from
// the last), the last first.
func (d *Desk) Runs(ctx context.Context, s RunSelection, before int64, limit int) ([]Run, error) {
	f := gistdeal.RunFilter{Kinds: s.Kinds, Going: s.Going}
	if s.User != "" {
		u, err := d.user(ctx, s.User)
		if err != nil {
			return nil, err
		}
		f.UserID = u.ID
	}
	found, err := d.db.Runs(ctx, f, before, limit)
	runs := make([]Run, len(found))
	for i, r := range found {
		runs[i] = Run{
			ID: r.ID, Kind: r.Kind, Login: r.Login, Begun: r.Begun.UTC(), Noted: r.Noted.UTC(), Ended: when(r.Ended), Total: r.Total, Done: r.Done,
			Gists: r.Gists, Deals: r.Deals, Failed: r.Failed, Requests: r.Requests, Tokens: r.Tokens, Problem: r.Problem,
		}
	}
	return runs, err
}
