package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"gistdeal"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/problem"
)

// pingEvery is how often a stream says that it lives.
const pingEvery = 15 * time.Second

// streamsOfClient is how many streams a client may have: an office behind one
// address has many pages open, and none of them needs a second one.
const streamsOfClient = 100

// pinged says that the stream lives, and nothing else.
type pinged struct {
	At time.Time `json:"at"`
}

// ended has the ended attempts since the previous event.
type ended struct {
	Deals []activity.Event `json:"deals"`
}

// events adds the event stream. Its ids only distinguish events: missed ones are not
// sent again, so clients read the lists after a reconnect.
func (a *API) events() {
	sse.Register(a.huma, huma.Operation{
		OperationID: "follow-events", Method: http.MethodGet, Path: Path + "/events", Tags: []string{"events"},
		Summary: "Follow what happens, as server-sent events",
		Description: "`deals` tells what came of attempts at deals, `ping` each 15 s that the stream lives. What happened while you were not connected is not told: read the lists anew. A client may have " +
			strconv.Itoa(streamsOfClient) + " streams. " + needs(gistdeal.ScopeRead),
		Security:    secured(gistdeal.ScopeRead),
		Errors:      []int{400, 401, 403, 413, 422, 429, 503},
		Middlewares: huma.Middlewares{scoped(gistdeal.ScopeRead), readable, a.boundStreams},
	}, map[string]any{"deals": ended{}, "ping": pinged{}}, a.stream)
}

// boundStreams lets a client have so many streams and no more. This machine's
// own programs may have as many as they like.
func (a *API) boundStreams(ctx huma.Context, next func(huma.Context)) {
	client := gistdeal.CallerOf(ctx.Context()).Client
	if !a.streams.enter(client) {
		ctx.SetHeader("Retry-After", "60")
		refuse(ctx, problem.Problem{
			Type: "about:blank", Title: "Too many streams", Status: http.StatusTooManyRequests,
			Detail: fmt.Sprintf("this client follows events in %d streams already, as many as one may: end one", streamsOfClient),
		})
		return
	}
	defer a.streams.leave(client)
	next(ctx)
}

// streams counts the open streams of each client.
type streams struct {
	mu sync.Mutex
	of map[string]int
}

func (s *streams) enter(client string) bool {
	if client == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]int{}
	}
	if s.of[client] >= streamsOfClient {
		return false
	}
	s.of[client]++
	return true
}

func (s *streams) leave(client string) {
	if client == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[client]--; s.of[client] == 0 {
		delete(s.of, client)
	}
}

// stream sends events until the client leaves, reads too slowly, or gistdeal stops.
func (a *API) stream(ctx context.Context, _ *struct{}, send sse.Sender) {
	listening := a.changes.listen(ctx)
	if listening == nil {
		return
	}
	defer a.changes.leave(listening)
	ping := time.NewTicker(a.ping)
	defer ping.Stop()
	err := send(sse.Message{ID: 1, Data: pinged{time.Now().UTC()}}) // So that clients know at once.
	for id := 2; err == nil; id++ {
		select {
		case <-ctx.Done():
			return
		case now := <-ping.C:
			err = send(sse.Message{ID: id, Data: pinged{now.UTC()}})
		case deals, ok := <-listening:
			if !ok {
				return
			}
			err = send(sse.Message{ID: id, Data: ended{deals}})
		}
	}
}

// Close ends all streams, and those that come.
func (a *API) Close() { a.changes.close() }
