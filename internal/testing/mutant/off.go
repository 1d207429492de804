//go:build !failpoint

package mutant

import (
	"gistdeal/internal/deliver"
	"gistdeal/internal/engine"
)

// Store returns s.
func Store(s engine.Store) engine.Store { return s }

// Pipedrive returns p.
func Pipedrive(p engine.Pipedrive) engine.Pipedrive { return p }

// Sender returns s.
func Sender(s deliver.Sender) deliver.Sender { return s }
