package api

import (
	"context"
	"net/http"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
)

// testWait is how long a request waits for the answer to a test message.
const testWait = 20 * time.Second

// addWebhookRoutes adds the routes for webhooks.
func (a *API) addWebhookRoutes() {
	const admin = gistdeal.ScopeAdmin
	add(a, route{method: http.MethodGet, path: "/webhooks", id: "list-webhooks", scope: admin, summary: "List webhooks, without their secrets"}, a.listWebhooks)
	add(a, route{
		method: http.MethodPost, path: "/webhooks/preview", id: "preview-notices", scope: admin,
		summary: "Show an example of each message that a webhook for people would get, and when it is sent; this changes nothing",
	}, a.previewNotices)
	add(a, route{method: http.MethodGet, path: "/webhooks/{name}", id: "get-webhook", scope: admin, summary: "Show a webhook, without its secrets"}, a.getWebhook)
	add(a, route{
		method: http.MethodPost, path: "/webhooks", id: "add-webhook", scope: admin, status: http.StatusCreated, errors: []int{http.StatusConflict},
		summary: "Create a webhook, which gets the events from now on; only this answer contains its secret", once: true, secret: true,
	}, a.addWebhook)
	add(a, route{
		method: http.MethodPut, path: "/webhooks/{name}", id: "change-webhook", scope: admin,
		summary: "Change a webhook; what is left out stays. One that is enabled continues behind the last event that it got", once: true,
	}, a.changeWebhook)
	add(a, route{method: http.MethodDelete, path: "/webhooks/{name}", id: "delete-webhook", scope: admin, summary: "Delete a webhook, with the list of its messages"}, a.deleteWebhook)
	add(a, route{
		method: http.MethodPost, path: "/webhooks/{name}/rotate", id: "rotate-webhook", scope: admin,
		summary: "Give a webhook a new secret; only this answer contains it. The old one signs messages too for the overlap", once: true, secret: true,
	}, a.rotateWebhook)
	add(a, route{
		method: http.MethodPost, path: "/webhooks/{name}/test", id: "test-webhook", scope: admin,
		summary: "Have the leader send a test message, and wait up to 20 s for the answer",
	}, a.testWebhook)
	add(a, route{method: http.MethodGet, path: "/webhooks/{name}/deliveries", id: "list-deliveries", scope: admin, summary: "List the messages to a webhook, the last one first"}, a.listDeliveries)
	add(a, route{
		method: http.MethodPost, path: "/webhooks/{name}/redeliver", id: "redeliver", scope: admin,
		summary: "Have messages sent again, about one event or those of a range", once: true,
	}, a.redeliver)
}

type webhookList struct {
	Webhooks []gistdeal.Webhook `json:"webhooks"`
}

func (a *API) listWebhooks(ctx context.Context, _ *struct{}) (*reply[webhookList], error) {
	webhooks, err := a.admin.Webhooks(ctx)
	return &reply[webhookList]{webhookList{webhooks}}, err
}

type oneWebhook struct {
	Name string `path:"name" maxLength:"64" doc:"The name of the webhook." example:"n8n"`
}

func (a *API) getWebhook(ctx context.Context, in *oneWebhook) (*reply[gistdeal.Webhook], error) {
	w, err := a.admin.Webhook(ctx, in.Name)
	return &reply[gistdeal.Webhook]{w}, err
}

type addWebhookInput struct {
	Body struct {
		Name    string               `json:"name" minLength:"1" maxLength:"64" doc:"It names the webhook in addresses and lists."`
		Kind    gistdeal.WebhookKind `json:"kind,omitempty" enum:"webhook,slack,teams,ntfy,email" default:"webhook" doc:"The form of its messages: signed JSON for programs, or texts for people."`
		URL     string               `json:"url" minLength:"1" maxLength:"2000" doc:"Where messages are sent. Addresses of private networks are refused unless the configuration allows them."`
		Headers map[string]string    `json:"headers,omitempty" doc:"Additional headers of each message, such as Authorization; no answer contains their values."`
		Types   []gistdeal.EventType `json:"types,omitempty" enum:"EventType" doc:"The types of events that it gets; without them all."`
		User    string               `json:"user,omitempty" maxLength:"100" doc:"The user whose events alone it gets."`
		gistdeal.Timing
	}
}

func (a *API) addWebhook(ctx context.Context, in *addWebhookInput) (*placed[admin.NewWebhook], error) {
	b := in.Body
	w, err := a.admin.AddWebhook(ctx, admin.WebhookInput{Name: b.Name, Kind: b.Kind, URL: b.URL, Headers: b.Headers, Types: b.Types, User: b.User, Timing: b.Timing})
	return &placed[admin.NewWebhook]{Path + "/webhooks/" + w.Name, w}, err
}

type changeWebhookInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		URL     *string               `json:"url,omitempty" minLength:"1" maxLength:"2000" doc:"Where messages are sent. With another host it needs the headers for that one too, if the webhook has some."`
		Headers *map[string]string    `json:"headers,omitempty" doc:"They replace all earlier ones."`
		Types   *[]gistdeal.EventType `json:"types,omitempty" enum:"EventType" doc:"They replace all earlier ones; an empty list means all."`
		User    *string               `json:"user,omitempty" maxLength:"100" doc:"An empty text means all users."`
		State   gistdeal.WebhookState `json:"state,omitempty" enum:"enabled,disabled" doc:"enabled continues behind the last event that the webhook got."`
		Digest  gistdeal.Digest       `json:"digest,omitempty" enum:"minute,hourly,daily" doc:"When people get one message about the events."`
		Quiet   *string               `json:"quiet,omitempty" maxLength:"11" doc:"Hours without messages to people, such as 20:00-07:30; an empty text means none."`
		Zone    *string               `json:"zone,omitempty" maxLength:"64" doc:"The time zone of these hours, such as Europe/Berlin; an empty text means UTC."`
	}
}

func (a *API) changeWebhook(ctx context.Context, in *changeWebhookInput) (*reply[gistdeal.Webhook], error) {
	b := in.Body
	w, err := a.admin.ChangeWebhook(ctx, in.Name, admin.WebhookEdit{URL: b.URL, Headers: b.Headers, Types: b.Types, User: b.User, State: b.State, Digest: b.Digest, Quiet: b.Quiet, Zone: b.Zone})
	return &reply[gistdeal.Webhook]{w}, err
}

func (a *API) deleteWebhook(ctx context.Context, in *oneWebhook) (*reply[admin.Result], error) {
	r, err := a.admin.DeleteWebhook(ctx, in.Name)
	return &reply[admin.Result]{r}, err
}

type rotateWebhookInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		Overlap string `json:"overlap,omitempty" default:"24h" maxLength:"20" doc:"How long the old secret signs messages too, such as 90m, 24h or 7d, at most 30d; 0s ends it at once."`
	}
}

func (a *API) rotateWebhook(ctx context.Context, in *rotateWebhookInput) (*reply[admin.NewWebhook], error) {
	overlap, err := gistdeal.ParsePeriod(in.Body.Overlap)
	if err != nil {
		return nil, err
	}
	w, err := a.admin.RotateWebhook(ctx, in.Name, overlap)
	return &reply[admin.NewWebhook]{w}, err
}

func (a *API) testWebhook(ctx context.Context, in *oneWebhook) (*reply[gistdeal.Delivery], error) {
	ctx, cancel := context.WithTimeout(ctx, min(testWait, a.options.Wait))
	defer cancel()
	m, err := a.admin.TestWebhook(ctx, in.Name)
	return &reply[gistdeal.Delivery]{m}, err
}

type deliveryList struct {
	Deliveries []gistdeal.Delivery `json:"deliveries"`
	Next       string              `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

type listDeliveriesInput struct {
	Page
	Name  string   `path:"name" maxLength:"64"`
	State []string `query:"state" enum:"pending,delivered,failed" doc:"Only messages in these states."`
}

func (a *API) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*reply[deliveryList], error) {
	before := int64(0)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	states, err := parseNames(in.State, gistdeal.DeliveryStates)
	if err != nil {
		return nil, err
	}
	messages, err := a.admin.Deliveries(ctx, in.Name, states, before, in.Limit)
	if err != nil {
		return nil, err
	}
	list := deliveryList{Deliveries: messages}
	if len(messages) == in.Limit {
		list.Next = cursor(messages[len(messages)-1].ID)
	}
	return &reply[deliveryList]{list}, nil
}

type redeliverInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		First  int64 `json:"first" minimum:"0" doc:"The id of the first event; 0 for the oldest one that is kept."`
		Last   int64 `json:"last,omitempty" minimum:"0" doc:"The id of the last event; without it the last one that the webhook got."`
		Failed bool  `json:"failed,omitempty" doc:"Only messages that failed for good."`
	}
}

func (a *API) redeliver(ctx context.Context, in *redeliverInput) (*reply[admin.Redelivered], error) {
	r, err := a.admin.Redeliver(ctx, in.Name, admin.Redelivery{First: in.Body.First, Last: in.Body.Last, FailedOnly: in.Body.Failed})
	return &reply[admin.Redelivered]{r}, err
}
