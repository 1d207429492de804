package boottest

import (
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	passwordFile = "/etc/gistdeal/database_password"
	setPassword  = "/usr/local/sbin/gistdeal-password"
)

// keeper makes a machine that has nothing but the script of the database's password,
// and a psql that notes its arguments, which all accounts of a machine can see.
func (d *database) keeper(script string) *machine {
	d.w.t.Helper()
	m := d.w.machine()
	m.write(m.root+setPassword, file(d.w.t, script, setPassword))
	m.write(m.root+"/usr/local/bin/psql", "#!/bin/sh\necho \"$*\" >>/var/log/arguments\nexec /usr/bin/psql \"$@\"\n")
	m.ran("sh", "-c", "mkdir -p /snap/bin /etc/gistdeal && cp /usr/local/sbin/snap /snap/bin/aws && mv /opt/packages/postgresql-client /usr/bin/psql && chmod 755 "+setPassword+" /usr/local/bin/psql")
	m.write(m.root+"/etc/gistdeal/rds.pem", d.w.rds.pem)
	return m
}

func TestTheProgramIsNotTheMasterOfItsDatabase(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	script := render(t, whole)
	d := w.database(script)
	m, other := d.keeper(script), d.keeper(script)

	// Two first boots at once: one may lose the race, and is tried again.
	var both sync.WaitGroup
	for _, m := range []*machine{m, other} {
		both.Go(func() {
			eventually(t, 30*time.Second, func() error { return m.command(setPassword).Run() })
		})
	}
	both.Wait()
	for question, want := range map[string]string{
		"SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'gistdeal'": "t|f|f|f|f|f\n",
		"SELECT datname FROM pg_database WHERE datdba = 'gistdeal'::regrole":                                                              "gistdeal\n",
		"SELECT roleid::regrole FROM pg_auth_members WHERE member = 'gistdeal'::regrole":                                                  "",
		"SELECT has_database_privilege('public', 'gistdeal', 'CONNECT')":                                                                  "f\n",
	} {
		if got := d.tell(t, question); got != want {
			t.Errorf("%s: %q, want %q", question, got, want)
		}
	}
	if got := m.ran("cat", passwordFile); got != w.read(d.wanted) {
		t.Errorf("the file holds %q", got)
	}
	known := m.ran("stat", "-c", "%a %u %i", passwordFile)
	if !strings.HasPrefix(known, "400 65532 ") {
		t.Errorf("the file is %s", known)
	}
	d.changesMaster("master2")
	if out := m.ran(setPassword) + m.ran("stat", "-c", "%a %u %i", passwordFile); out != known {
		t.Errorf("with a new password of the master it says %s", out)
	}
	w.write(d.wanted, "second'\\$\n")
	if out := m.ran(setPassword); !strings.Contains(out, "is new") || strings.Contains(out, "second") {
		t.Errorf("it says %q", out)
	}
	if seen := m.ran("cat", "/var/log/arguments"); strings.Contains(seen, "second") || strings.Contains(seen, "master") || strings.Contains(seen, "first") {
		t.Errorf("everybody sees %s", seen)
	}
	logIn := "PGPASSWORD=$(cat " + passwordFile + ") psql -qAtX 'host=" + named(t, script, `gistdeal@(\S+):5432`) + " user=gistdeal dbname=gistdeal sslmode=require' -c 'SELECT 1'"
	if got := m.ran("sh", "-c", logIn); got != "1\n" {
		t.Errorf("the new password: %s", got)
	}
	if out, err := other.command("sh", "-c", logIn).CombinedOutput(); err == nil {
		t.Errorf("the old password: %s", out)
	}
	m.keepsItsPassword(d)
}

// keepsItsPassword fails the test if the file changes where the script fails.
func (m *machine) keepsItsPassword(d *database) {
	m.t.Helper()
	known := m.ran("stat", "-c", "%a %u %i", passwordFile)
	fails := func(why string) {
		m.t.Helper()
		if out, err := m.command(setPassword).CombinedOutput(); err == nil {
			m.t.Errorf("%s: it says %q", why, out)
		}
		if got := m.ran("stat", "-c", "%a %u %i", passwordFile); got != known || m.ran("ls", "/etc/gistdeal") != "database_password\nrds.pem\n" {
			m.t.Errorf("%s: the file becomes %s, was %s", why, got, known)
		}
	}
	m.write(d.wanted, "third\n")
	d.Stop(m.t)
	fails("without the database")
	d.Go(m.t)
	m.sh("mv '" + d.secret + "' /srv/secret")
	fails("without the master's password")
	m.sh("mv /srv/secret '" + d.secret + "' && mv " + d.wanted + " /srv/wanted")
	fails("without the parameter")
	m.sh("mv /srv/wanted " + d.wanted)
	if out := m.ran(setPassword); !strings.Contains(out, "is new") {
		m.t.Errorf("when all answers again it says %q", out)
	}
}
