package settings

import (
	"context"
	"encoding/json"
	"fmt"

	"gistdeal"
)

// Accounts returns the accounts as the leader last saw them.
func (s *Settings) Accounts(ctx context.Context) (a gistdeal.Accounts, err error) {
	text, err := s.db.Setting(ctx, gistdeal.KeyAccounts)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &a)
	}
	if err != nil {
		return a, fmt.Errorf("read the accounts: %w", err)
	}
	if a.Pipelines == nil {
		a.Pipelines = []gistdeal.AccessPipeline{}
	}
	if a.Owners == nil {
		a.Owners = []string{}
	}
	if a.Pipedrive.Fields == nil {
		a.Pipedrive.Fields = []gistdeal.AccessField{}
	}
	if a.Pipedrive.Warnings == nil {
		a.Pipedrive.Warnings = []string{}
	}
	return a, nil
}
