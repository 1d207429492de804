package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"gistdeal"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/api/document"
	"gistdeal/internal/problem"
)

const (
	// pingInterval is the time between two heartbeats of a stream.
	pingInterval = 15 * time.Second
	// eventsAtOnce is the number of events that a stream reads at once to catch up.
	eventsAtOnce = 500
)

// ping is the heartbeat of a stream. Its id is the last event that the stream has passed, so
// that a client that reconnects goes on there.
type ping struct {
	At time.Time `json:"at" doc:"The time of the server."`
}

// reset tells the reader of a stream that events were deleted before they were read.
type reset struct {
	LastEvent int64 `json:"last_event" doc:"The id of the last event. The stream goes on after it: read the lists again."`
}

// EventSelection selects events. It is exported because huma ignores unexported embedded types.
type EventSelection struct {
	After int64    `query:"after" minimum:"0" doc:"Only events with a greater id."`
	Type  []string `query:"type" maxItems:"50" doc:"Only events of these types, such as deal.created."`
	User  string   `query:"user" maxLength:"255" doc:"Only events about this user: a login, or id: and the user's number on GitHub."`
}

func (a *API) eventQuery(ctx context.Context, s EventSelection) (q gistdeal.EventQuery, err error) {
	q = gistdeal.EventQuery{After: s.After, Limit: eventsAtOnce}
	if q.Types, err = parseNames(s.Type, gistdeal.EventTypes); err != nil || s.User == "" {
		return q, err
	}
	u, err := a.admin.KnownUser(ctx, s.User)
	q.UserID = u.ID
	return q, err
}

// addEventRoutes adds the stream of events, and the same events as pages.
func (a *API) addEventRoutes() {
	sse.Register(a.huma, huma.Operation{
		OperationID: "follow-events", Method: http.MethodGet, Path: Path + "/events", Tags: []string{document.Tag("/events")},
		Summary: "Stream events as server-sent events",
		Description: "Each `event` is one thing that happened. The stream begins after the event in `Last-Event-ID` or `after`, without one with the next event. " +
			"`reset` says that events after that one were deleted: read the lists again. `ping` is a heartbeat every 15 seconds. A client may have " +
			strconv.Itoa(streamsPerClient) + " streams at a time. " + needs(gistdeal.ScopeRead),
		Security:    secured,
		Errors:      []int{http.StatusNotFound, http.StatusBadGateway},
		Middlewares: huma.Middlewares{scoped(gistdeal.ScopeRead), requireValidText, a.limitStreams, a.checkSelection},
	}, map[string]any{"event": gistdeal.Event{}, "ping": ping{}, "reset": reset{}}, a.stream)
	add(a, route{
		method: http.MethodGet, path: "/event-log", id: "list-events", scope: gistdeal.ScopeRead, errors: []int{http.StatusGone},
		summary:     "List events, the first one first, and wait for new ones",
		middlewares: huma.Middlewares{a.limitStreams},
	}, a.listEvents)
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

// checkSelection is a middleware that refuses an unknown type or user, because a stream that
// has begun cannot.
func (a *API) checkSelection(ctx huma.Context, next func(huma.Context)) {
	s := EventSelection{User: ctx.Query("user")}
	if types := ctx.Query("type"); types != "" {
		s.Type = strings.Split(types, ",")
	}
	if _, err := a.eventQuery(ctx.Context(), s); err != nil {
		p := problem.Of(err)
		if wait := problem.RetryAfter(err); wait != "" {
			ctx.SetHeader("Retry-After", wait)
		}
		refuse(ctx, p)
		return
	}
	next(ctx)
}

type streamInput struct {
	EventSelection
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"As after, and it goes before: browsers send it when they reconnect."`
}

// stream sends events until the client disconnects, reads too slowly or loses its
// access, or gistdeal stops.
func (a *API) stream(ctx context.Context, in *streamInput, send sse.Sender) {
	batches := a.broadcaster.listen(ctx) // Before the past is read, so that nothing is missed between.
	if batches == nil {
		return
	}
	defer a.broadcaster.leave(batches)
	s := follower{api: a, send: send}
	if s.begin(ctx, in) != nil || s.catchUp(ctx) != nil {
		return
	}
	ticker := time.NewTicker(a.pingInterval)
	defer ticker.Stop()
	for err := error(nil); err == nil; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			err = s.ping(ctx)
		case events, ok := <-batches:
			if !ok {
				return
			}
			err = s.pass(ctx, events)
		}
	}
}

// follower is the state of one stream.
type follower struct {
	api  *API
	send sse.Sender
	q    gistdeal.EventQuery // After is the last event that the stream has passed
}

// begin finds the place where the stream begins, and tells the client at once that it works.
func (f *follower) begin(ctx context.Context, in *streamInput) (err error) {
	if f.q, err = f.api.eventQuery(ctx, in.EventSelection); err != nil {
		return err
	}
	if in.LastEventID != "" {
		f.q.After, err = strconv.ParseInt(in.LastEventID, 10, 64)
		if err != nil || f.q.After < 0 { // Not one of ours, so nothing is known about what was missed.
			return f.reset(ctx)
		}
	}
	if f.q.After == 0 {
		if f.q.After, err = f.api.activity.LastEvent(ctx); err != nil {
			return err
		}
	}
	return f.ping(ctx)
}

func (f *follower) ping(ctx context.Context) error {
	return sendTo(ctx, f.send, sse.Message{ID: int(f.q.After), Data: ping{time.Now().UTC()}})
}

// reset goes on after the last event.
func (f *follower) reset(ctx context.Context) (err error) {
	if f.q.After, err = f.api.activity.LastEvent(ctx); err != nil {
		return err
	}
	return sendTo(ctx, f.send, sse.Message{ID: int(f.q.After), Data: reset{f.q.After}})
}

// catchUp sends the events that were stored before the stream began.
func (f *follower) catchUp(ctx context.Context) error {
	for {
		events, err := f.api.activity.Events(ctx, f.q)
		if errors.Is(err, gistdeal.ErrEventsDeleted) {
			return f.reset(ctx)
		}
		if err != nil {
			return err
		}
		if err := f.pass(ctx, events); err != nil || len(events) < f.q.Limit {
			return err
		}
	}
}

// pass sends those of the next events that the client asked for.
func (f *follower) pass(ctx context.Context, events []gistdeal.Event) error {
	for _, e := range events {
		if e.ID <= f.q.After {
			continue // It was sent while the stream caught up.
		}
		f.q.After = e.ID
		if len(f.q.Types) > 0 && !slices.Contains(f.q.Types, e.Type) || f.q.UserID != 0 && e.UserID != f.q.UserID {
			continue
		}
		if err := sendTo(ctx, f.send, sse.Message{ID: int(e.ID), Data: e}); err != nil {
			return err
		}
	}
	return nil
}

// sendTo sends an event if the caller still has its access.
func sendTo(ctx context.Context, send sse.Sender, m sse.Message) error {
	if err := recheck(ctx); err != nil {
		return err
	}
	return send(m)
}

// recheck returns an error if the caller has lost its access.
func recheck(ctx context.Context) error {
	if recheck := gistdeal.CallerOf(ctx).Recheck; recheck != nil {
		return recheck()
	}
	return nil
}

type listEventsInput struct {
	EventSelection
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"The maximum number of events in the page."`
	Wait  int `query:"wait" minimum:"0" maximum:"25" default:"0" doc:"For how many seconds to wait for an event if there is none yet."`
}

func (a *API) listEvents(ctx context.Context, in *listEventsInput) (*reply[activity.EventPage], error) {
	q, err := a.eventQuery(ctx, in.EventSelection)
	if err != nil {
		return nil, err
	}
	q.Limit = in.Limit
	list, err := a.activity.EventPage(ctx, q)
	if err == nil && len(list.Events) == 0 && in.Wait > 0 {
		list, err = a.waitForEvents(ctx, q, time.Duration(in.Wait)*time.Second)
	}
	if errors.Is(err, gistdeal.ErrEventsDeleted) {
		return nil, a.startAnew(ctx, err)
	}
	return &reply[activity.EventPage]{list}, err
}

// waitForEvents returns the events after q.After once there are some, or an empty page when
// the time is over or gistdeal stops.
func (a *API) waitForEvents(ctx context.Context, q gistdeal.EventQuery, wait time.Duration) (activity.EventPage, error) {
	batches := a.broadcaster.listen(ctx)
	defer a.broadcaster.leave(batches)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for over := false; ; {
		list, err := a.activity.EventPage(ctx, q)
		if err == nil {
			err = recheck(ctx)
		}
		if err != nil || over || batches == nil || len(list.Events) > 0 {
			return list, err
		}
		q.After = list.After
		select {
		case <-ctx.Done():
			return list, ctx.Err()
		case <-timer.C:
			over = true
		case _, ok := <-batches:
			over = !ok
		}
	}
}

// startAnew returns the problem for a reader that has missed deleted events.
func (a *API) startAnew(ctx context.Context, cause error) error {
	last, err := a.activity.LastEvent(ctx)
	if err != nil {
		return err
	}
	p := &Problem{Problem: problem.Of(cause)}
	p.Detail = fmt.Sprintf("%v: read the lists again, then go on after the event %d", cause, last)
	p.LastEvent = last
	return p
}

// Close ends all streams and refuses new ones.
func (a *API) Close() { a.broadcaster.close() }
