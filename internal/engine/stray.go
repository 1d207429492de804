package engine

import "context"

// findStrays takes up, until ctx ends, attempts that nobody knows of. A claim
// may be committed long after its process has given it up, because it was
// frozen or the database was; if nothing is sent for it then, or the process
// dies, there would be nobody to look. Nothing is being sent any more for an
// attempt that was there an Absence ago: each has a deadline before that.
func (e *Engine) findStrays(ctx context.Context) {
	before := map[string]int{} // attempts by gist
	for sleep(ctx, e.options.Absence) {
		claims, err := e.store.Unknown(ctx)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Error("attempts of unknown outcome not read", "error", err)
			}
			continue
		}
		now := make(map[string]int, len(claims))
		for _, c := range claims {
			now[c.Draft.GistID] = c.Attempt
			if before[c.Draft.GistID] == c.Attempt {
				e.doubts.put(c)
			}
		}
		before = now
	}
}
