package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/admin"
)

// Webhooks returns all webhooks, by name.
func (r *Remote) Webhooks(ctx context.Context) ([]gistdeal.Webhook, error) {
	list, err := read[struct{ Webhooks []gistdeal.Webhook }](r.api.ListWebhooks(ctx))
	return list.Webhooks, err
}

// AddWebhook creates a webhook.
func (r *Remote) AddWebhook(ctx context.Context, in admin.WebhookInput) (admin.NewWebhook, error) {
	types := make([]client.EventType, len(in.Types))
	for i, t := range in.Types {
		types[i] = client.EventType(t)
	}
	return read[admin.NewWebhook](r.api.AddWebhook(ctx, &client.AddWebhookParams{}, client.AddWebhookJSONRequestBody{
		Name: in.Name, Kind: client.AddWebhookInputBodyKind(in.Kind), URL: in.URL, Headers: in.Headers, Types: types, User: in.User,
		Digest: client.AddWebhookInputBodyDigest(in.Timing.Digest), Quiet: in.Timing.Quiet, Zone: in.Timing.Zone,
	}))
}

// ChangeWebhook changes a webhook.
func (r *Remote) ChangeWebhook(ctx context.Context, name string, e admin.WebhookEdit) (gistdeal.Webhook, error) {
	// The generated type cannot tell an empty list from none.
	text, err := json.Marshal(struct {
		URL     *string               `json:"url,omitempty"`
		Headers *map[string]string    `json:"headers,omitempty"`
		Types   *[]gistdeal.EventType `json:"types,omitempty"`
		User    *string               `json:"user,omitempty"`
		State   gistdeal.WebhookState `json:"state,omitempty"`
		Digest  gistdeal.Digest       `json:"digest,omitempty"`
		Quiet   *string               `json:"quiet,omitempty"`
		Zone    *string               `json:"zone,omitempty"`
	}(e))
	if err != nil {
		return gistdeal.Webhook{}, err
	}
	return read[gistdeal.Webhook](r.api.ChangeWebhookWithBody(ctx, name, &client.ChangeWebhookParams{}, "application/json", bytes.NewReader(text)))
}

// RotateWebhook gives a webhook a new secret. The old one signs messages too for the overlap.
func (r *Remote) RotateWebhook(ctx context.Context, name string, overlap time.Duration) (admin.NewWebhook, error) {
	return read[admin.NewWebhook](r.api.RotateWebhook(ctx, name, &client.RotateWebhookParams{}, client.RotateWebhookJSONRequestBody{Overlap: overlap.String()}))
}

// DeleteWebhook deletes a webhook.
func (r *Remote) DeleteWebhook(ctx context.Context, name string) (admin.Result, error) {
	return read[admin.Result](r.api.DeleteWebhook(ctx, name))
}

// TestWebhook has a test message sent, and waits for the result as long as the server does.
func (r *Remote) TestWebhook(ctx context.Context, name string) (gistdeal.Delivery, error) {
	return read[gistdeal.Delivery](r.api.TestWebhook(ctx, name))
}

// AllDeliveries returns up to limit messages of a webhook, the last one first.
func (r *Remote) AllDeliveries(ctx context.Context, name string, states []gistdeal.DeliveryState, limit int) ([]gistdeal.Delivery, error) {
	messages := []gistdeal.Delivery{}
	for some, err := range pages(func(cursor *string) ([]gistdeal.Delivery, string, error) {
		list, err := read[struct {
			Deliveries []gistdeal.Delivery
			Next       string
		}](r.api.ListDeliveries(ctx, name, &client.ListDeliveriesParams{Cursor: cursor, Limit: new(int64(min(limit, page))), State: names[client.ListDeliveriesParamsState](states)}))
		return list.Deliveries, list.Next, err
	}) {
		if err != nil {
			return nil, err
		}
		if messages = append(messages, some...); len(messages) >= limit {
			return messages[:limit], nil
		}
	}
	return messages, nil
}

// Redeliver has messages sent again.
func (r *Remote) Redeliver(ctx context.Context, name string, d admin.Redelivery) (admin.Redelivered, error) {
	return read[admin.Redelivered](r.api.Redeliver(ctx, name, &client.RedeliverParams{}, client.RedeliverJSONRequestBody{First: d.First, Last: d.Last, Failed: d.FailedOnly}))
}
