package torture

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestAPowerCutKeepsWhatWasSyncedAndAnyPartOfTheRest(t *testing.T) {
	t.Parallel()
	old, fresh := bytes.Repeat([]byte{'o'}, 1024), bytes.Repeat([]byte{'n'}, 1024)
	d := diskAfter(map[string][]byte{}, []operation{
		{kind: 'w', name: "db", data: old},
		{kind: 's', name: "db"},
		{kind: 'w', name: "db", data: fresh},
		{kind: 'w', name: "wal", data: fresh},
		{kind: 't', name: "wal", place: 10},
		{kind: 'h', name: "claimed"},
	})
	seen := map[string]bool{}
	for seed := range uint64(200) {
		files := d.cut(rand.New(rand.NewPCG(seed, 0)))
		if n := len(files["db"]); n != 1024 {
			t.Fatalf("the synced file has %d bytes", n)
		}
		seen[string([]byte{files["db"][0], files["db"][1023]})] = true
	}
	for _, want := range []string{"oo", "on", "no", "nn"} {
		if !seen[want] {
			t.Errorf("no cut results in the sectors %s", want)
		}
	}
	if d.claims != 1 || d.recorded != 0 {
		t.Errorf("%d claims, %d created", d.claims, d.recorded)
	}
}

func TestATruncatedRecordEndsWithItsLastCompleteOperation(t *testing.T) {
	t.Parallel()
	one := []byte("w\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x07dbabc")
	for n := range len(one) {
		if list, whole := operations(append(bytes.Clone(one), one[:n]...)); whole != len(one) || len(list) != 1 || list[0].name != "db" || list[0].place != 7 || string(list[0].data) != "abc" {
			t.Fatalf("%d bytes of the second: %+v", n, list)
		}
	}
}
