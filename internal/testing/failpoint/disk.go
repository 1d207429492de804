//go:build failpoint

package failpoint

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The word record=FILE puts a layer between SQLite and its files that appends all
// operations to FILE. With it a power cut can be simulated: writes before a
// completed sync are on the disk, and any part of the other writes may be.
//
// A record is the byte of the operation; the length of the name, the length of the
// data and the offset in the file, each as four bytes in big endian; the name
// without its folder; and the data. Each record is one write, so a kill leaves
// only complete records. A write is recorded before it is done, a sync afterwards.
// Hits of steps are recorded too.
const (
	opWrite    = 'w'
	opTruncate = 't' // to the offset
	opSync     = 's'
	opDelete   = 'd'
	opHit      = 'h' // the name is that of a step
)

// disk is the record, nil if there is none.
var disk *os.File

func record(op byte, name string, data []byte, place int64) {
	if disk == nil {
		return
	}
	b := []byte{op}
	for _, n := range []int64{int64(len(name)), int64(len(data)), place} {
		b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // Test databases are small.
	}
	b = append(append(b, name...), data...)
	if _, err := disk.Write(b); err != nil {
		panic(err)
	}
}

// The methods of SQLite, which the recording methods call. Files of one kind have
// the same methods.
var (
	unix  sqlite3.Tsqlite3_vfs
	files sync.Map // SQLite's file, a uintptr, to *file
)

type file struct {
	name    string
	methods *sqlite3.Tsqlite3_io_methods // the original ones
}

func recordDisk(name string) (err error) {
	if disk, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	tls := libc.NewTLS()
	const size = unsafe.Sizeof(unix)
	vfs := libc.Xmalloc(tls, libc.Tsize_t(size))
	original := sqlite3.Xsqlite3_vfs_find(tls, 0)
	unix = *at[sqlite3.Tsqlite3_vfs](original)
	*at[sqlite3.Tsqlite3_vfs](vfs) = unix
	v := at[sqlite3.Tsqlite3_vfs](vfs)
	v.FzName, err = libc.CString("recorded")
	set(&v.FxOpen, openFile)
	set(&v.FxDelete, deleteFile)
	sqlite3.Xsqlite3_vfs_register(tls, vfs, 1)
	return err
}

// at returns the value at p in SQLite's memory.
func at[T any](p uintptr) *T { return (*T)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) }

// set sets a function field of SQLite to f.
func set[F any](field *uintptr, f F) { *field = *(*uintptr)(unsafe.Pointer(&f)) }

// call returns the function in a field of SQLite.
func call[F any](field uintptr) F {
	return *(*F)(unsafe.Pointer(&field))
}

func openFile(tls *libc.TLS, vfs, path, f uintptr, flags int32, outFlags uintptr) int32 {
	rc := call[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](unix.FxOpen)(tls, vfs, path, f, flags, outFlags)
	if lasting := sqlite3.SQLITE_OPEN_MAIN_DB | sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_WAL; rc != sqlite3.SQLITE_OK || int(flags)&lasting == 0 {
		return rc // A power cut does not affect temporary files.
	}
	opened := at[sqlite3.Tsqlite3_file](f)
	methods := at[sqlite3.Tsqlite3_io_methods](opened.FpMethods)
	files.Store(f, &file{name: filepath.Base(libc.GoString(path)), methods: methods})
	opened.FpMethods = recording(tls, opened.FpMethods)
	return rc
}

var (
	recordingMu sync.Mutex
	recordings  = map[uintptr]uintptr{} // by the original methods
)

// recording returns methods like the original ones that record.
func recording(tls *libc.TLS, original uintptr) uintptr {
	recordingMu.Lock()
	defer recordingMu.Unlock()
	if p := recordings[original]; p != 0 {
		return p
	}
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	m := at[sqlite3.Tsqlite3_io_methods](p)
	*m = *at[sqlite3.Tsqlite3_io_methods](original)
	set(&m.FxWrite, writeFile)
	set(&m.FxTruncate, truncateFile)
	set(&m.FxSync, syncFile)
	recordings[original] = p
	return p
}

func opened(f uintptr) *file {
	v, _ := files.Load(f)
	return v.(*file)
}

func writeFile(tls *libc.TLS, f, data uintptr, n int32, place int64) int32 {
	o := opened(f)
	record(opWrite, o.name, unsafe.Slice(at[byte](data), n), place)
	return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](o.methods.FxWrite)(tls, f, data, n, place)
}

func truncateFile(tls *libc.TLS, f uintptr, size int64) int32 {
	o := opened(f)
	record(opTruncate, o.name, nil, size)
	return call[func(*libc.TLS, uintptr, int64) int32](o.methods.FxTruncate)(tls, f, size)
}

func syncFile(tls *libc.TLS, f uintptr, flags int32) int32 {
	if Broken(NoSync) {
		return sqlite3.SQLITE_OK
	}
	o := opened(f)
	rc := call[func(*libc.TLS, uintptr, int32) int32](o.methods.FxSync)(tls, f, flags)
	if rc == sqlite3.SQLITE_OK {
		record(opSync, o.name, nil, 0)
	}
	return rc
}

func deleteFile(tls *libc.TLS, vfs, path uintptr, syncFolder int32) int32 {
	record(opDelete, filepath.Base(libc.GoString(path)), nil, 0)
	return call[func(*libc.TLS, uintptr, uintptr, int32) int32](unix.FxDelete)(tls, vfs, path, syncFolder)
}
