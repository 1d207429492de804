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
	"gistdeal/internal/api/document"
	"gistdeal/internal/problem"
)

// pingInterval is the time between two heartbeats of a stream.
const pingInterval = 15 * time.Second

// streamsPerClient is the maximum number of streams per client. An office behind
// one address may have many pages open, and each page needs one stream.
const streamsPerClient = 100

// ping is the heartbeat of a stream.
type ping struct {
	At time.Time `json:"at" doc:"The time of the server."`
}

// dealEvents is an event of the stream.
type dealEvents struct {
	Deals []activity.Event `json:"deals" doc:"The attempts that ended since the previous event."`
}

// addEventRoute adds the stream of events. Event ids only distinguish events:
// missed ones are not sent again, and clients read the lists after a reconnect.
func (a *API) addEventRoute() {
	sse.Register(a.huma, huma.Operation{
		OperationID: "follow-events", Method: http.MethodGet, Path: Path + "/events", Tags: []string{document.Tag("/events")},
		Summary: "Stream the outcomes of deals as server-sent events",
		Description: "`deals` lists the outcomes of attempts; `ping` is a heartbeat every 15 seconds. Missed events are not repeated: read the lists after a reconnect. A client may have " +
			strconv.Itoa(streamsPerClient) + " streams at a time. " + needs(gistdeal.ScopeRead),
		Security:    secured,
		Errors:      []int{http.StatusBadGateway},
		Middlewares: huma.Middlewares{scoped(gistdeal.ScopeRead), requireValidText, a.limitStreams},
	}, map[string]any{"deals": dealEvents{}, "ping": ping{}}, a.stream)
}

// limitStreams is a middleware that limits the streams per client. Programs on
// this machine have no client and no limit.
func (a *API) limitStreams(ctx huma.Context, next func(huma.Context)) {
	client := gistdeal.CallerOf(ctx.Context()).Client
	if !a.streams.enter(client) {
		ctx.SetHeader("Retry-After", "60")
		refuse(ctx, problem.Problem{
			Type: "about:blank", Title: "Too many streams", Status: http.StatusTooManyRequests,
			Detail: fmt.Sprintf("this client has %d open streams, the maximum: close one and try again", streamsPerClient),
		})
		return
	}
	defer a.streams.leave(client)
	next(ctx)
}

// streams counts the open streams of each client.
type streams struct {
	mu       sync.Mutex
	byClient map[string]int
}

// enter counts a new stream. It reports false if the client has the maximum.
func (s *streams) enter(client string) bool {
	if client == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byClient == nil {
		s.byClient = map[string]int{}
	}
	if s.byClient[client] >= streamsPerClient {
		return false
	}
	s.byClient[client]++
	return true
}

func (s *streams) leave(client string) {
	if client == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byClient[client]--; s.byClient[client] == 0 {
		delete(s.byClient, client)
	}
}

// stream sends events until the client disconnects, reads too slowly or loses its
// access, or gistdeal stops.
func (a *API) stream(ctx context.Context, _ *struct{}, send sse.Sender) {
	events := a.broadcaster.listen(ctx)
	if events == nil {
		return
	}
	defer a.broadcaster.leave(events)
	ticker := time.NewTicker(a.pingInterval)
	defer ticker.Stop()
	err := send(sse.Message{ID: 1, Data: ping{time.Now().UTC()}}) // Clients learn at once that the stream works.
	for id := 2; err == nil; id++ {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			err = sendTo(ctx, send, sse.Message{ID: id, Data: ping{now.UTC()}})
		case deals, ok := <-events:
			if !ok {
				return
			}
			err = sendTo(ctx, send, sse.Message{ID: id, Data: dealEvents{deals}})
		}
	}
}

// sendTo sends an event if the caller still has its access.
func sendTo(ctx context.Context, send sse.Sender, m sse.Message) error {
	if recheck := gistdeal.CallerOf(ctx).Recheck; recheck != nil {
		if err := recheck(); err != nil {
			return err
		}
	}
	return send(m)
}

// Close ends all streams and refuses new ones.
func (a *API) Close() { a.broadcaster.close() }
