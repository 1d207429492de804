package activity

import (
	"context"
	"io"
	"iter"
	"strconv"

	"gistdeal"
	"gistdeal/internal/format"
)

// Runs returns up to limit of the runs that f means from before the number
// before (0: from the last), the last first.
func (a *Activity) Runs(ctx context.Context, f gistdeal.RunFilter, before int64, limit int) ([]gistdeal.Run, error) {
	return a.db.Runs(ctx, f, before, limit)
}

// AllRuns yields the pages of all runs that f means, the last run first.
func (a *Activity) AllRuns(ctx context.Context, f gistdeal.RunFilter) iter.Seq2[[]gistdeal.Run, error] {
	return func(yield func([]gistdeal.Run, error) bool) {
		for before := int64(0); ; {
			runs, err := a.db.Runs(ctx, f, before, page)
			if (len(runs) > 0 || err != nil) && !yield(runs, err) || len(runs) < page {
				return
			}
			before = runs[page-1].ID
		}
	}
}

// WriteRuns writes pages of runs as CSV: a head, and a row for each run.
func WriteRuns(w io.Writer, pages iter.Seq2[[]gistdeal.Run, error]) error {
	out := format.NewCSV(w)
	if err := out.Row("id", "kind", "login", "started_at", "updated_at", "ended_at", "total", "done", "gists", "deals", "failed", "requests", "tokens", "problem"); err != nil {
		return err
	}
	for runs, err := range pages {
		if err != nil {
			return err
		}
		for _, r := range runs {
			cells := []string{strconv.FormatInt(r.ID, 10), string(r.Kind), r.Login, format.CSVTime(r.StartedAt), format.CSVTime(r.UpdatedAt), format.CSVTime(r.Ended)}
			for _, n := range []int{r.Total, r.Done, r.Gists, r.Deals, r.Failed, r.Requests, r.Tokens} {
				cells = append(cells, strconv.Itoa(n))
			}
			if err := out.Row(append(cells, r.Problem)...); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Flush()
}
