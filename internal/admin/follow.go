package admin

import (
	"context"
	"iter"

	"gistdeal"
)

// outcome is the outcome of a scan request: its result, or the reason why that
// has to wait.
type outcome struct {
	gistdeal.Ask
	Answer  gistdeal.Answer
	Waiting string
}

// follow yields the outcome of each request. If there is no leader, or ctx ends,
// the requests without a result are waiting. pending is called now and then.
func (a *Admin) follow(ctx context.Context, requests []gistdeal.Ask, pending func()) iter.Seq2[outcome, error] {
	return func(yield func(outcome, error) bool) {
		for {
			answers, waiting, err := a.answers(ctx, requests)
			if err != nil {
				yield(outcome{}, err)
				return
			}
			var left []gistdeal.Ask
			for _, r := range requests {
				answer, ok := answers[gistdeal.LoginKey(r.Login)]
				switch {
				case ok:
					if !yield(outcome{Ask: r, Answer: answer}, nil) {
						return
					}
				case waiting != "":
					if !yield(outcome{Ask: r, Waiting: waiting}, nil) {
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
func (a *Admin) answers(ctx context.Context, requests []gistdeal.Ask) (answers map[string]gistdeal.Answer, waiting string, err error) {
	// The leader comes first: one that answers and then ends leaves its answers.
	leader, err := a.db.Worked(ctx)
	if err == nil {
		answers, err = a.db.Answers(ctx, requests...)
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
