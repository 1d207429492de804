package boottest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/testing/pgtest"
)

// database is a PostgreSQL as RDS makes one: it is reached by TCP, with TLS and a
// password, and its master creates roles and databases, but is no superuser.
type database struct {
	*pgtest.Server
	w              *world
	dir            string
	secret, wanted string // where machines find the passwords of the master and of the program
}

// database starts one under the host's name that the script's URL has.
func (w *world) database(script string) *database {
	w.t.Helper()
	host := named(w.t, script, `gistdeal@(\S+):5432`)
	w.write("/srv/hosts", w.read("/srv/hosts")+databaseAddress+" "+host+"\n")
	server := pgtest.Start(w.t)
	address, err := url.Parse(server.URL(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	d := &database{server, w, address.Query().Get("host"), "/srv/world/parameters/" + named(w.t, script, `--secret-id '(\S+)'`), "/srv/world/parameters/gistdeal/database-password"}
	server.Exec(w.t, "CREATE ROLE rdsadmin LOGIN SUPERUSER")
	for _, statement := range []string{
		"ALTER ROLE gistdeal RENAME TO first", "CREATE ROLE postgres LOGIN CREATEROLE CREATEDB", "CREATE DATABASE gistdeal OWNER postgres",
		"ALTER SYSTEM SET listen_addresses = '" + databaseAddress + "'", "ALTER SYSTEM SET ssl = on",
		"ALTER SYSTEM SET ssl_cert_file = '" + d.dir + "/cert.pem'", "ALTER SYSTEM SET ssl_key_file = '" + d.dir + "/key.pem'",
	} {
		d.Exec(w.t, statement)
	}
	d.shows(w.rds, host)
	d.changesMaster(`master$HOME"'\ &`)
	w.write(d.wanted, `first$HOME"'\ &`+"\n")
	w.sh("echo 'hostssl gistdeal gistdeal,postgres all scram-sha-256' >>" + d.dir + "/data/pg_hba.conf")
	server.Stop(w.t)
	server.Go(w.t)
	return d
}

// Exec runs a statement as a superuser, and not as the user of the embedded one,
// whose name is the program's here.
func (d *database) Exec(t *testing.T, statement string) { d.tell(t, statement) }

// tell returns the result of a statement, line by line.
func (d *database) tell(t *testing.T, statement string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "psql", "-qAtX", "-h", d.dir, "-U", "rdsadmin", "-d", "gistdeal", "-c", statement).CombinedOutput()
	if err != nil {
		out, err = exec.CommandContext(t.Context(), "psql", "-qAtX", "-h", d.dir, "-U", "rdsadmin", "-d", "postgres", "-c", statement).CombinedOutput()
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", statement, err, out)
	}
	return string(out)
}

// Cut ends the connections of the program.
func (d *database) Cut(t *testing.T) {
	t.Helper()
	d.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gistdeal'")
}

// shows has the database show a certificate for a host from its next connection on.
func (d *database) shows(ca *authority, host string) {
	d.w.t.Helper()
	cert, private := ca.issue(d.w.t, host)
	d.w.write(d.dir+"/cert.pem", cert)
	d.w.write(d.dir+"/key.pem", private)
	d.w.sh("cd " + d.dir + " && chown --reference data cert.pem key.pem && chmod 0600 key.pem")
	d.Exec(d.w.t, "SELECT pg_reload_conf()")
}

// changesMaster changes the master's password, as RDS does each week: in the database
// and in the secret.
func (d *database) changesMaster(password string) {
	d.w.t.Helper()
	d.Exec(d.w.t, "ALTER ROLE postgres PASSWORD '"+strings.ReplaceAll(password, "'", "''")+"'")
	text, err := json.Marshal(map[string]string{"username": "postgres", "password": password})
	if err != nil {
		d.w.t.Fatal(err)
	}
	d.w.write(d.secret, string(text))
}

// ready waits until the machine is.
func (m *machine) ready() {
	m.t.Helper()
	eventually(m.t, 30*time.Second, func() error {
		r, err := m.ask(balancerAddress, m.address, "GET", "https://"+apiDomain+"/readyz", nil)
		if err == nil && r.status != http.StatusOK {
			err = fmt.Errorf("/readyz is %d", r.status)
		}
		return err
	})
}

// restart starts the container anew, without waiting until the old one has drained.
func (m *machine) restart() {
	m.t.Helper()
	m.ran("sh", "-c", "touch /run/standin/stopped; kill -KILL $(cat /run/standin/container) 2>/dev/null || true")
	m.ran("truncate", "-s", "0", "/var/log/standin/container.log")
	m.ran("/usr/local/sbin/systemctl", "restart", "gistdeal.service")
}

// refuses starts the container anew and waits until it was ended for that reason.
func (m *machine) refuses(why string) {
	m.t.Helper()
	m.restart()
	eventually(m.t, 30*time.Second, func() error {
		if log := m.ran("cat", "/var/log/standin/container.log"); !strings.Contains(log, why) {
			return fmt.Errorf("it does not say %q: %s", why, log)
		}
		return nil
	})
}

func TestAMachineTrustsItsOwnDatabaseAloneAndFollowsItsPassword(t *testing.T) {
	t.Parallel()
	if matches, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); err != nil || len(matches) == 0 {
		t.Skip("no PostgreSQL")
	}
	w := enter(t)
	if w == nil {
		return
	}
	script := render(t, whole)
	d := w.database(script)
	w.acme(quarter)
	m := w.machine()
	if out, err := m.boot(strings.Replace(script, " postgresql-client", "", 1)); err == nil || !strings.Contains(out, `failed in step "secrets"`) {
		t.Errorf("without postgresql-client: %v\n%s", err, out)
	}
	m.starts(script)
	for _, complaint := range m.deals() {
		t.Error(complaint)
	}
	if got := m.ran("stat", "-c", "%n %a %u", "/etc/gistdeal/rds.pem", "/etc/gistdeal/database_password"); got != "/etc/gistdeal/rds.pem 644 0\n/etc/gistdeal/database_password 400 65532\n" {
		t.Errorf("files are %s", got)
	}
	if got := m.ran("ls", "/run/standin/active"); !strings.Contains(got, "gistdeal-password.timer") {
		t.Errorf("only these are active: %s", got)
	}

	// The command of the timer.
	renew := strings.TrimSpace(strings.TrimPrefix(m.ran("grep", "^ExecStart=", "/etc/systemd/system/gistdeal-password.service"), "ExecStart="))
	w.write(d.wanted, "second\n")
	m.ran(renew)
	d.Cut(t)
	m.ready()
	d.Exec(t, "ALTER ROLE gistdeal PASSWORD 'third'")
	m.refuses("password authentication failed")
	d.Exec(t, "ALTER ROLE gistdeal PASSWORD 'second'")
	m.restart()
	m.ready()

	host := named(t, script, `gistdeal@(\S+):5432`)
	d.shows(w.ca, host) // Trusted by the machine, but not for databases.
	m.refuses("certificate signed by unknown authority")
	d.shows(w.rds, "another."+host)
	m.refuses("certificate is valid for another.")
	d.shows(w.rds, host)
	m.restart()
	m.ready()
}

// TestAWorldEndsWithWhoeverStartedIt runs itself as a process that is killed.
func TestAWorldEndsWithWhoeverStartedIt(t *testing.T) {
	if os.Getenv("BOOTTEST_VICTIM") != "" {
		cmd := inside(t.Context(), "echo started; sleep 600; echo lives")
		cmd.Stdout = os.Stdout
		t.Fatal(cmd.Run())
	}
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("no root")
	}
	if err := namespaces(); err != nil {
		t.Skipf("no namespaces: %v", err)
	}
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAWorldEndsWithWhoeverStartedIt$")
	victim.Env = append(os.Environ(), "BOOTTEST_VICTIM=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	// Every process of the world holds its output open.
	ended := make(chan string, 1)
	said := make([]byte, len("started\n"))
	if _, err := out.Read(said); err != nil || string(said) != "started\n" {
		t.Fatalf("%q, %v", said, err)
	}
	go func() {
		rest := make([]byte, 100)
		n, err := out.Read(rest)
		ended <- fmt.Sprintf("%q %v", rest[:n], err)
	}()
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-ended:
		if got != `"" EOF` {
			t.Errorf("it says %s", got)
		}
	case <-time.After(20 * time.Second):
		t.Error("the world lives on")
	}
	_ = victim.Wait() // It was killed.
}
