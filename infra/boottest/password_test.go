package boottest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTheDatabasesPasswordIsReplacedInItsFileWhenItIsAnother(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	m, script := w.machine(), render(t, whole)
	const kept, renew = "/etc/gistdeal/database_password", "/usr/local/sbin/gistdeal-password"
	w.write(m.root+renew, file(t, script, renew))
	m.ran("sh", "-c", "mkdir -p /snap/bin /etc/gistdeal && cp /usr/local/sbin/snap /snap/bin/aws && chmod 755 "+renew)
	secret := "/srv/world/parameters/" + named(t, script, `--secret-id '(\S+)'`)
	var known string
	for _, password := range []string{`first$HOME"'\n &`, `second`} {
		text, err := json.Marshal(map[string]string{"username": "gistdeal", "password": password})
		if err != nil {
			t.Fatal(err)
		}
		w.write(secret, string(text))
		if out := m.ran(renew); !strings.Contains(out, "is new") || strings.Contains(out, password) {
			t.Errorf("it says %q", out)
		}
		if got := m.ran("cat", kept); got != password+"\n" {
			t.Errorf("the file holds %q, want %q", got, password)
		}
		if out := m.ran(renew); out != "" {
			t.Errorf("the same password again: it says %q", out)
		}
		known = m.ran("stat", "-c", "%a %u %i", kept)
	}
	if !strings.HasPrefix(known, "400 65532 ") {
		t.Errorf("the file is %s", known)
	}
	w.sh("rm '" + secret + "'")
	if out, err := m.command(renew).CombinedOutput(); err == nil {
		t.Errorf("without an answer it says %q", out)
	}
	if got := m.ran("stat", "-c", "%a %u %i", kept); got != known || m.ran("ls", "/etc/gistdeal") != "database_password\n" {
		t.Errorf("without an answer the file becomes %s, was %s", got, known)
	}
}
