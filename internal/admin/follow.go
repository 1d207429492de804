package admin

import (
	"context"
	"iter"

	"gistdeal"
)

// outcome is the outcome of a scan request: its result, or the reason why that
// has to wait.
type outcome struct {
	gistdeal.ScanRequest
	Answer  gistdeal.RequestResult
	Waiting string
}

// follow yields the outcome of each request. If there is no leader, or ctx ends,
// the requests without a result are waiting. pending is called now and then.
func (a *Admin) follow(ctx context.Context, requests []gistdeal.ScanRequest, pending func()) iter.Seq2[outcome, error] {
	return func(yield func(outcome, error) bool) {
		for {
			answers, waiting, err := a.answers(ctx, requests)
			if err != nil {
				yield(outcome{}, err)
				return
			}
			var left []gistdeal.ScanRequest
			for _, r := range requests {
				answer, ok := answers[gistdeal.LoginKey(r.Login)]
				switch {
				case ok:
					if !yield(outcome{ScanRequest: r, Answer: answer}, nil) {
						return
					}
				case waiting != "":
					if !yield(outcome{ScanRequest: r, Waiting: waiting}, nil) {
						return
					}
				default:
					left = append(left, r)
				}
			}
			if requests = left; len(requests) == 0 {
				return
			}
			pending()
			wait(ctx)
		}
	}
}

// answers returns the known results of requests by login key, and the reason why
// the others have to wait, "" if they will come.
func (a *Admin) answers(ctx context.Context, requests []gistdeal.ScanRequest) (answers map[string]gistdeal.RequestResult, waiting string, err error) {
	// The leader comes first: one that answers and then ends leaves its answers.
	leader, err := a.db.HasLeader(ctx)
	if err == nil {
		answers, err = a.db.RequestResults(ctx, requests...)
	}
	switch {
	case ctx.Err() != nil:
		return answers, errStopped.Error(), nil
	case err != nil:
		return nil, "", err
	case !leader:
		return answers, noLeader, nil
	}
	return answers, "", nil
}
