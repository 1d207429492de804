package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gistdeal"
)

// eraseKeySuffix follows the path of a SQLite file in the path of its key.
const eraseKeySuffix = ".erase-key"

// settingEraseCheck is the setting with the hash of a fixed text. It tells another key
// from the one with which names were hashed.
const settingEraseCheck = "erase_key_check"

// keySource is the place of the HMAC key for erased names. The key is never in the
// database: with it, anybody could hash all logins and compare.
type keySource struct {
	configured string // GISTDEAL_ERASE_KEY; "" if it is not set
	file       string // beside a SQLite file; "" for PostgreSQL
}

// EraseKeyFile returns the path of the file with the key of a SQLite database, "" if there
// is none.
func EraseKeyFile(database string) string {
	path, err := existingFile(database)
	if err == nil {
		path += eraseKeySuffix
		_, err = os.Stat(path)
	}
	if err != nil {
		return ""
	}
	return path
}

// read returns the key, "" if there is none.
func (k keySource) read() (string, error) {
	if k.configured != "" || k.file == "" {
		return k.configured, nil
	}
	text, err := os.ReadFile(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// create returns the key, and creates the file with a new one if there is none.
func (k keySource) create() (string, error) {
	key, err := k.read()
	if err != nil || key != "" {
		return key, err
	}
	if k.file == "" {
		return "", gistdeal.Errorf(gistdeal.Temporary, "erasing needs a secret outside the database: set GISTDEAL_ERASE_KEY or GISTDEAL_ERASE_KEY_FILE, for this command and for every instance, to a random text such as `openssl rand -hex 32` prints")
	}
	if err := newSecretFile(k.file, rand.Text()+"\n"); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("create the key of erased users: %w", err)
	}
	return k.read() // Another process may have created it.
}

// newSecretFile creates a file that only this user may read. It appears with its whole
// text, and survives a power cut.
func newSecretFile(name, text string) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil {
		return err
	}
	return syncFile(filepath.Dir(name))
}

// lost returns the error for a key that is missing or not the one of the hashes.
func (k keySource) lost() error {
	remedy := "set GISTDEAL_ERASE_KEY or GISTDEAL_ERASE_KEY_FILE as before"
	if k.file != "" && k.configured == "" {
		remedy = fmt.Sprintf("put the file %q back, or set GISTDEAL_ERASE_KEY_FILE to it", k.file)
	}
	return gistdeal.Errorf(gistdeal.Temporary, "users were erased, and the key that recognises them is missing or another one: %s; if the key is lost, see \"Erasing a person\" in docs/security.md", remedy)
}

// eraseKey returns the key of the hashes in the database, "" if nobody was erased yet.
func (s *Store) eraseKey(ctx context.Context, tx *sql.Tx) (string, error) {
	var check string
	err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingEraseCheck).Scan(&check)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	key, err := s.keys.read()
	if err == nil && (key == "" || check != erasedHash(key, settingEraseCheck)) {
		err = s.keys.lost()
	}
	return key, err
}

// newEraseKey is eraseKey, but creates the key for the first hash.
func (s *Store) newEraseKey(ctx context.Context, tx *sql.Tx) (string, error) {
	key, err := s.eraseKey(ctx, tx)
	if err != nil || key != "" {
		return key, err
	}
	if key, err = s.keys.create(); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, setSetting, settingEraseCheck, erasedHash(key, settingEraseCheck))
	return key, err
}

// CheckEraseKey returns an error if users were erased and the key that recognises them is
// missing.
func (s *Store) CheckEraseKey(ctx context.Context) error {
	return s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.eraseKey(ctx, tx)
		return err
	})
}
