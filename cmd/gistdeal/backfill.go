package main

import "gistdeal"

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
