package main

import (
	"context"

	"gistdeal"
	"gistdeal/internal/config"
)

// backfill is the value of the flag --backfill; "" if it is not given.
type backfill string

// UnmarshalText checks the value.
func (b *backfill) UnmarshalText(text []byte) error {
	*b = backfill(text)
	if *b == "" {
		return nil
	}
	return gistdeal.Backfill(*b).Check()
}

// orConfigured returns the backfill of new users: the given one, or the setting.
func (b backfill) orConfigured(ctx context.Context, c config.Config, stored gistdeal.SettingReader) (gistdeal.Backfill, error) {
	if b != "" {
		return gistdeal.Backfill(b), nil
	}
	value, err := gistdeal.Chosen(ctx, stored, gistdeal.SettingBackfill, string(c.Backfill), c.Locked)
	return gistdeal.Backfill(value), err
}
