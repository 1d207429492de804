package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"gistdeal/internal/desk"
)

// pingEvery is how often a stream says that it lives.
const pingEvery = 15 * time.Second

// pinged says that the stream lives, and nothing else.
type pinged struct {
	At time.Time `json:"at"`
}

// happened is what came of deals since the event before.
type happened struct {
	Deals []desk.Event `json:"deals"`
}

// events adds the stream of what happens. Its ids only tell events apart: what
// was missed is not sent again; read the lists anew after a reconnect.
func (a *API) events() {
	sse.Register(a.huma, huma.Operation{
		OperationID: "follow-events", Method: http.MethodGet, Path: Path + "/events", Tags: []string{"events"},
		Summary:     "Follow what happens, as server-sent events",
		Description: "`deals` tells what came of attempts at deals, `ping` each 15 s that the stream lives. What happened while you were not connected is not told: read the lists anew.",
		Security:    []map[string][]string{{"token": {}}, {}},
	}, map[string]any{"deals": happened{}, "ping": pinged{}}, a.stream)
}

// stream sends events until the client leaves, reads too slowly, or gistdeal stops.
func (a *API) stream(ctx context.Context, _ *struct{}, send sse.Sender) {
	listening := a.changes.listen(ctx)
	if listening == nil {
		return
	}
	defer a.changes.leave(listening)
	ping := time.NewTicker(pingEvery)
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
			err = send(sse.Message{ID: id, Data: happened{deals}})
		}
	}
}

// Close ends all streams, and those that come.
func (a *API) Close() { a.changes.close() }
