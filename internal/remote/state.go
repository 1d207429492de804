package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"time"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/admin/settings"
)

// PausePushes stops all pushes until ResumePushes.
func (r *Remote) PausePushes(ctx context.Context, reason string, scans bool) (activity.Pushes, error) {
	return read[activity.Pushes](r.api.PausePushes(ctx, client.PausePushesJSONRequestBody{Reason: reason, Scans: scans}))
}

// ResumePushes resumes creating deals.
func (r *Remote) ResumePushes(ctx context.Context) (activity.Pushes, error) {
	return read[activity.Pushes](r.api.ResumePushes(ctx))
}

// Quotas returns the quotas and backoffs of both remotes.
func (r *Remote) Quotas(ctx context.Context) (gistdeal.Quotas, error) {
	return read[gistdeal.Quotas](r.api.GetQuotas(ctx))
}

// EventsAfter returns a page of events, of one user if user is not "". It waits up to the
// given time for an event if there is none.
func (r *Remote) EventsAfter(ctx context.Context, user string, q gistdeal.EventQuery, wait time.Duration) (activity.EventPage, error) {
	return read[activity.EventPage](r.api.ListEvents(ctx, &client.ListEventsParams{
		After: given(q.After), Type: names[string](q.Types), User: given(user), Limit: new(int64(q.Limit)), Wait: given(int64(wait / time.Second)),
	}))
}

// AllAuditLog yields the pages of all entries that f means, the last entry first.
func (r *Remote) AllAuditLog(ctx context.Context, f gistdeal.AuditFilter) iter.Seq2[[]gistdeal.AuditEntry, error] {
	return pages(func(cursor *string) ([]gistdeal.AuditEntry, string, error) {
		list, err := read[struct {
			Entries []gistdeal.AuditEntry
			Next    string
		}](r.api.ListAuditLog(ctx, &client.ListAuditLogParams{
			Cursor: cursor, Limit: limit(), Actor: names[string](f.Actors), Action: names[string](f.Actions), Target: given(f.Target), Since: given(f.Since),
		}))
		return list.Entries, list.Next, err
	})
}

// AddToken creates a token.
func (r *Remote) AddToken(ctx context.Context, t gistdeal.Token) (admin.NewToken, error) {
	if err := t.Check(time.Now()); err != nil {
		return admin.NewToken{}, err
	}
	return read[admin.NewToken](r.api.AddToken(ctx, &client.AddTokenParams{}, client.AddTokenJSONRequestBody{
		Name: t.Name, Scope: client.Scope(t.Scope), ExpiresAt: t.ExpiresAt, Rate: int64(t.Rate),
	}))
}

// RotateToken gives a token a new value. The old one stays valid for the overlap.
func (r *Remote) RotateToken(ctx context.Context, name string, overlap time.Duration, expiresAt time.Time) (admin.NewToken, error) {
	return read[admin.NewToken](r.api.RotateToken(ctx, name, &client.RotateTokenParams{}, client.RotateTokenJSONRequestBody{Overlap: overlap.String(), ExpiresAt: expiresAt}))
}

// People returns the people who signed in, by name.
func (r *Remote) People(ctx context.Context) ([]gistdeal.KnownPerson, error) {
	list, err := read[struct{ People []gistdeal.KnownPerson }](r.api.ListPeople(ctx))
	return list.People, err
}

// SignOut ends all log-ins of a person at once.
func (r *Remote) SignOut(ctx context.Context, name string) (admin.Result, error) {
	return read[admin.Result](r.api.SignOutPerson(ctx, name))
}

// ForgetPerson deletes a person, with all log-ins and visits.
func (r *Remote) ForgetPerson(ctx context.Context, name string) (admin.Result, error) {
	return read[admin.Result](r.api.ForgetPerson(ctx, name))
}

// Tokens returns all tokens, by name.
func (r *Remote) Tokens(ctx context.Context) ([]gistdeal.Token, error) {
	list, err := read[struct{ Tokens []gistdeal.Token }](r.api.ListTokens(ctx))
	return list.Tokens, err
}

// RevokeToken ends a token, and every login made with it, at once.
func (r *Remote) RevokeToken(ctx context.Context, name string) (admin.Result, error) {
	return read[admin.Result](r.api.RevokeToken(ctx, name))
}

// settingValue is the value of a setting: a text or a number in JSON.
type settingValue string

// UnmarshalJSON implements json.Unmarshaler.
func (v *settingValue) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		return json.Unmarshal(text, (*string)(v))
	}
	*v = settingValue(text)
	return nil
}

// settingList is the answer about settings.
type settingList struct {
	Settings []struct {
		Name           gistdeal.Setting
		Value, Default settingValue
		LockedBy       string `json:"locked_by"`
		Options        []string
		Doc            string
	}
}

func (l settingList) settings() []settings.Setting {
	list := make([]settings.Setting, len(l.Settings))
	for i, s := range l.Settings {
		list[i] = settings.Setting{Name: s.Name, Value: string(s.Value), Default: string(s.Default), LockedBy: s.LockedBy, Options: s.Options, Doc: s.Doc}
	}
	return list
}

// Settings returns all settings.
func (r *Remote) Settings(ctx context.Context) ([]settings.Setting, error) {
	list, err := read[settingList](r.api.ListSettings(ctx))
	return list.settings(), err
}

// ChangeSettings changes settings; "" restores the default.
func (r *Remote) ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string) ([]settings.Setting, error) {
	body := map[gistdeal.Setting]any{}
	for name, value := range values {
		switch {
		case value == "":
			body[name] = nil
		case name.Number():
			body[name] = json.Number(value)
		default:
			body[name] = value
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	list, err := read[settingList](r.api.ChangeSettingsWithBody(ctx, &client.ChangeSettingsParams{}, "application/json", bytes.NewReader(text)))
	return list.settings(), err
}
