package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gistdeal"
)

// ForeignDeals returns the gists with a given deal that no attempt in this database
// created. It leaves out gists with an attempt in doubt.
func (s *Store) ForeignDeals(ctx context.Context, deals map[string]int64) ([]string, error) {
	object, err := adoptionObject(deals)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT key FROM json_each($1)
		WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE deal_id = CAST(value ->> 'deal' AS BIGINT))
		AND NOT EXISTS (SELECT 1 FROM own_deals WHERE deal_id = CAST(value ->> 'deal' AS BIGINT))
		AND NOT EXISTS (SELECT 1 FROM deals WHERE gist_id = key AND state = 'sending')`, object)
	return collect(rows, err, scanID)
}

func scanID(row *sql.Rows) (gistID string, err error) { return gistID, row.Scan(&gistID) }

// adoptionObject returns the deals of gists as a JSON object for a bulk statement.
func adoptionObject(deals map[string]int64) (string, error) {
	rows := make(map[string]adoptionRow, len(deals))
	for gistID, id := range deals {
		rows[gistID] = adoptionRow{DealID: id}
	}
	object, err := json.Marshal(rows)
	return string(object), err
}

// Adopt records deals that exist in Pipedrive: the deal of each gist as created, even if
// the gist is not known yet. It does not change deals with an attempt in doubt, because
// lookups decide those. seen has the listed deals of the gists: Adopt records which of them
// are duplicates, and which are archived. It returns the gists whose deals were new to the
// database.
func (s *Store) Adopt(ctx context.Context, deals map[string]int64, seen map[string][]gistdeal.RemoteDeal, now time.Time) (adopted []string, err error) {
	object, err := adoptionObject(deals)
	if err != nil {
		return nil, err
	}
	living := make(map[string][]int64, len(seen))
	for gistID, all := range seen {
		living[gistID] = gistdeal.Living(all)
	}
	err = s.pushTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := queryIn(ctx, tx, `
			INSERT INTO deals (gist_id, state, deal_id, created_at, updated_at)
			SELECT key, 'created', CAST(value ->> 'deal' AS BIGINT), $2, $2 FROM json_each($1)
			WHERE NOT EXISTS (SELECT 1 FROM deals WHERE deal_id = CAST(value ->> 'deal' AS BIGINT))
			ON CONFLICT (gist_id) DO UPDATE SET state = 'created', deal_id = excluded.deal_id, problem = '', updated_at = excluded.updated_at
			WHERE deals.state IN ('awaiting_approval', 'queued', 'failed', 'skipped')
			RETURNING gist_id`, object, millis(now))
		if adopted, err = collect(rows, err, scanID); err != nil {
			return err
		}
		if err := addDuplicates(ctx, tx, living, now); err != nil {
			return err
		}
		return noteArchived(ctx, tx, seen)
	})
	if err != nil {
		return nil, fmt.Errorf("adopt %d deals: %w", len(deals), err)
	}
	return adopted, nil
}

// noteArchived records which of the listed deals are archived and alive.
func noteArchived(ctx context.Context, tx *sql.Tx, seen map[string][]gistdeal.RemoteDeal) error {
	archived, others := map[int64]dealRow{}, []int64{}
	for gistID, deals := range seen {
		for _, d := range deals {
			if d.Archived && !d.Deleted {
				archived[d.ID] = dealRow{GistID: gistID}
			} else {
				others = append(others, d.ID)
			}
		}
	}
	object, err := json.Marshal(archived)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM archived_deals WHERE deal_id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, idKeys(others)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO archived_deals (deal_id, gist_id)
		SELECT CAST(key AS BIGINT), value ->> 'gist' FROM json_each($1) WHERE true
		ON CONFLICT (deal_id) DO UPDATE SET gist_id = excluded.gist_id`, string(object))
	return err
}

// dealRow is the gist of a deal in the JSON object of a bulk statement, keyed by deal id.
type dealRow struct {
	GistID string `json:"gist"`
}

// adoptionRow is a deal in the JSON object of a bulk insert, keyed by gist id.
type adoptionRow struct {
	DealID int64 `json:"deal"`
}

// addDuplicates records duplicate deals among the given living deals of gists: those beside
// the recorded deal of the gist, if that one is alive too. So a gist's only living deal is
// never a duplicate.
func addDuplicates(ctx context.Context, tx *sql.Tx, living map[string][]int64, now time.Time) error {
	object, err := livingObject(living)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO duplicate_deals (deal_id, gist_id, noticed_at)
		SELECT CAST(key AS BIGINT), value ->> 'gist', $1 FROM json_each($2)
		WHERE EXISTS (SELECT 1 FROM deals WHERE gist_id = value ->> 'gist' AND deal_id <> CAST(key AS BIGINT) AND `+isLiving("$2")+`)
		ON CONFLICT (deal_id) DO NOTHING`, millis(now), object)
	return err
}

// livingObject returns the living deals of gists with several as a JSON object for a bulk
// statement.
func livingObject(living map[string][]int64) (string, error) {
	rows := map[int64]dealRow{}
	for gistID, ids := range living {
		if len(ids) < 2 {
			continue
		}
		for _, id := range ids {
			rows[id] = dealRow{GistID: gistID}
		}
	}
	object, err := json.Marshal(rows)
	return string(object), err
}

// isLiving is the SQL condition that the columns deal_id and gist_id are in the result of
// livingObject.
func isLiving(object string) string {
	return `(gist_id, CAST(deal_id AS TEXT)) IN (SELECT one.value ->> 'gist', one.key FROM json_each(` + object + `) one)`
}
