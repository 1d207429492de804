package store

import (
	"context"
	"crypto/rand"
	"fmt"

	"gistdeal"
)

// Identity returns the identity of the database, and creates it if there is none.
func (s *Store) Identity(ctx context.Context) (string, error) {
	_, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, gistdeal.KeyIdentity, rand.Text())
	if err != nil {
		return "", fmt.Errorf("create the identity of the database: %w", err)
	}
	return s.Setting(ctx, gistdeal.KeyIdentity)
}

// dropIdentity is for a copy of the database.
const dropIdentity = `DELETE FROM settings WHERE name = '` + gistdeal.KeyIdentity + `'`
