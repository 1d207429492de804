package torture

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"gistdeal/internal/testing/failpoint"
)

// operation is an operation of the program on a file, as recorded by
// internal/testing/failpoint in disk.go.
type operation struct {
	kind  byte // w: write, t: truncate, s: sync, d: delete, h: a hit of the step name
	name  string
	data  []byte
	place int64
}

// operations reads a record and returns the length of its complete part. A kill may
// truncate the last operation, which then was not executed.
func operations(record []byte) (list []operation, whole int) {
	const head = 13
	for len(record) >= head {
		name, data := int(binary.BigEndian.Uint32(record[1:])), int(binary.BigEndian.Uint32(record[5:]))
		if len(record) < head+name+data {
			break
		}
		list = append(list, operation{
			kind: record[0], place: int64(binary.BigEndian.Uint32(record[9:])),
			name: string(record[head : head+name]), data: record[head+name : head+name+data],
		})
		record = record[head+name+data:]
		whole += head + name + data
	}
	return list, whole
}

// disk contains the synced state of a database's files and the operations since
// each file's last sync.
type disk struct {
	files    map[string][]byte
	pending  map[string][]operation
	claims   int // hits of "claimed": the program relies on as many claims
	recorded int // hits of "recorded": the program relies on as many deal ids
}

// diskAfter returns a disk with some files after the operations.
func diskAfter(base map[string][]byte, list []operation) disk {
	d := disk{files: maps.Clone(base), pending: map[string][]operation{}}
	for _, o := range list {
		switch {
		case o.kind == 's':
			d.files[o.name] = applied(d.files[o.name], d.pending[o.name])
			delete(d.pending, o.name)
		case o.kind == 'd':
			delete(d.files, o.name)
			delete(d.pending, o.name)
		case o.kind == 'h' && o.name == failpoint.Claimed:
			d.claims++
		case o.kind == 'h' && o.name == failpoint.Recorded:
			d.recorded++
		case o.kind != 'h':
			d.pending[o.name] = append(d.pending[o.name], o)
		}
	}
	return d
}

// cut returns the files after a power cut: of the unsynced writes nothing, all, or
// random sectors.
func (d disk) cut(rng *rand.Rand) map[string][]byte {
	files, share := maps.Clone(d.files), []float64{0, 1, 0.2, 0.5, 0.8}[rng.IntN(5)]
	for _, name := range slices.Sorted(maps.Keys(d.pending)) {
		var survived []operation
		for _, o := range sectors(d.pending[name]) {
			if rng.Float64() < share {
				survived = append(survived, o)
			}
		}
		files[name] = applied(files[name], survived)
	}
	return files
}

// sectors splits writes into atomic writes of a disk.
func sectors(list []operation) (small []operation) {
	const sector = 512
	for _, o := range list {
		if o.kind != 'w' {
			small = append(small, o)
			continue
		}
		for from := 0; from < len(o.data); {
			place := o.place + int64(from)
			to := min(from+int(sector-place%sector), len(o.data))
			small = append(small, operation{kind: 'w', name: o.name, data: o.data[from:to], place: place})
			from = to
		}
	}
	return small
}

// applied returns the content of a file after writes and truncations.
func applied(content []byte, list []operation) []byte {
	content = slices.Clone(content)
	for _, o := range list {
		end := int(o.place) + len(o.data)
		if grow := end - len(content); grow > 0 {
			content = append(content, make([]byte, grow)...)
		}
		if o.kind == 't' {
			content = content[:end]
		}
		copy(content[o.place:], o.data)
	}
	return content
}

// trim removes a truncated operation from the record, so that the next process can
// append.
func (f file) trim() error {
	record, err := os.ReadFile(f.record())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, whole := operations(record)
	return errors.Join(err, os.Truncate(f.record(), int64(whole)))
}

// cutPower changes the unused database to its state after a power cut at this
// moment. For this and some earlier moments it checks that the database is intact
// and contains everything on which the program relied. It returns the violations
// as text.
func (f file) cutPower(ctx context.Context, rng *rand.Rand, samples int) (wrong []string, err error) {
	record, err := os.ReadFile(f.record())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	base, baseErr := readFolder(f.base())
	if err = errors.Join(err, baseErr); err != nil {
		return nil, err
	}
	list, _ := operations(record)
	before, err := f.rebuilt(ctx, base)
	if err != nil {
		return nil, fmt.Errorf("the database before the record: %w", err)
	}
	var left map[string][]byte
	for _, n := range append(moments(rng, list, samples), len(list)) {
		then := diskAfter(base, list[:n])
		left = then.cut(rng)
		now, err := f.rebuilt(ctx, left)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("power cut after operation %d: %v", n, err))
		} else if now.claims < before.claims+then.claims || now.recorded < before.recorded+then.recorded {
			wrong = append(wrong, fmt.Sprintf("power cut after operation %d: %d claims and %d created deals, but the program relied on %d and %d",
				n, now.claims, now.recorded, before.claims+then.claims, before.recorded+then.recorded))
		}
	}
	return wrong, f.replace(left)
}

// moments returns the numbers of operations after which to try a cut: random ones
// and as many directly after syncs.
func moments(rng *rand.Rand, list []operation, samples int) (at []int) {
	var syncs []int
	for i, o := range list {
		if o.kind == 's' {
			syncs = append(syncs, i+1)
		}
	}
	for range min(samples, len(list)) {
		at = append(at, 1+rng.IntN(len(list)))
	}
	for range min(samples, len(syncs)) {
		at = append(at, syncs[rng.IntN(len(syncs))])
	}
	return at
}

// safe counts the durable attempts in a database. Attempts are never deleted.
type safe struct{ claims, recorded int }

// rebuilt opens a copy of the database made of the files and returns its counts, or
// an error if it is damaged.
func (f file) rebuilt(ctx context.Context, files map[string][]byte) (s safe, err error) {
	dir, err := os.MkdirTemp(f.dir, "rebuilt-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	if err := writeFolder(dir, files); err != nil {
		return s, err
	}
	there := file{dir: dir, mend: true}
	damage := ""
	if err := there.query(ctx, `SELECT group_concat(integrity_check) FROM pragma_integrity_check`, nil, func(r *sql.Rows) error { return r.Scan(&damage) }); err != nil {
		return s, err
	}
	if damage != "ok" && damage != "" {
		return s, fmt.Errorf("damaged: %s", damage)
	}
	err = there.query(ctx, `SELECT count(*), count(CASE outcome WHEN 'created' THEN 1 END) FROM attempts`, nil,
		func(r *sql.Rows) error { return r.Scan(&s.claims, &s.recorded) })
	return s, err
}

// replace replaces the files of the database. They are synced, so the record starts
// again.
func (f file) replace(files map[string][]byte) error {
	for _, part := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(f.url() + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(f.record()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(writeFolder(f.dir, files), os.RemoveAll(f.base()), writeFolder(f.base(), files))
}

// readFolder reads all files of a folder; a missing folder has none.
func readFolder(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	for _, e := range entries {
		data, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		err = errors.Join(err, readErr)
		files[e.Name()] = data
	}
	return files, err
}

// writeFolder writes files into a folder and creates it if necessary.
func writeFolder(dir string, files map[string][]byte) error {
	err := os.MkdirAll(dir, 0o700)
	for name, data := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return err
}
