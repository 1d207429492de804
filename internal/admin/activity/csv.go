package activity

import (
	"io"
	"iter"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
)

// WriteAuditLog writes pages of the audit log as CSV: a head, and a row for each entry.
func WriteAuditLog(w io.Writer, pages iter.Seq2[[]gistdeal.AuditEntry, error]) error {
	out := format.NewCSV(w)
	if err := out.Row("id", "at", "actor", "source", "address", "action", "target", "before", "after", "reason", "count"); err != nil {
		return err
	}
	for entries, err := range pages {
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := out.Row(strconv.FormatInt(e.ID, 10), e.At.Format(time.RFC3339Nano), e.Actor, string(e.Source), e.Address,
				string(e.Action), e.Target, e.Before, e.After, e.Reason, strconv.Itoa(e.Count)); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Flush()
}
