package main

import (
	"strings"
	"testing"
	"time"

	"gistdeal/internal/store"
)

func TestALongCopyPrintsItsProgressEachSecond(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	begin := time.Unix(0, 0)
	p := progress{w: &out, next: begin.Add(progressEvery)}
	p.show(store.CopyStep{Table: "users", Rows: 1000, Total: 9000}, begin)
	p.show(store.CopyStep{Table: "gists", Rows: 2000, Total: 9000}, begin.Add(time.Second))
	p.show(store.CopyStep{Table: "gists", Rows: 3000, Total: 9000}, begin.Add(time.Second+time.Millisecond))
	p.show(store.CopyStep{Table: "deals", Compares: true, Rows: 4000, Total: 9000}, begin.Add(5*time.Second))
	if want := "copied 2,000 of 9,000 rows (gists)\ncompared 4,000 of 9,000 rows (deals)\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
