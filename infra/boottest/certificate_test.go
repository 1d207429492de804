package boottest

import (
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

// certificate returns the issuer and the serial number of the machine's certificate.
// nginx may still be about to listen: it reloads while the script goes on.
func (m *machine) certificate() (issuer, serial string) {
	m.t.Helper()
	var r reply
	eventually(m.t, 10*time.Second, func() (err error) {
		if r, err = m.ask(balancerAddress, m.address, "GET", "https://"+apiDomain+"/readyz", nil); err == nil && r.status != 200 {
			err = fmt.Errorf("its status is %d", r.status)
		}
		return err
	})
	return r.issuer, r.serial
}

// look has the machine look after its certificate, as its timer does.
func (m *machine) look() (string, error) {
	out, err := m.command("env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "/usr/local/sbin/gistdeal-certificate").CombinedOutput()
	return string(out), err
}

func TestWithoutTheAuthorityAMachineServesUntilItIsThere(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	m := w.started(render(t, parameterised))
	if issuer, _ := m.certificate(); issuer != "gistdeal" {
		t.Errorf("signed by %q, want by the machine itself", issuer)
	}
	if told := m.told(); !strings.Contains(told, "the authority gives no certificate now") || !strings.HasSuffix(told, "startup done\n") {
		t.Errorf("the log group is told %s", told)
	}
	w.acme(quarter)
	if out, err := m.look(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	eventually(t, 30*time.Second, m.trusted)
}

func TestTwoMachinesAtOnceGetOneCertificateAndServeItsRenewal(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.acme(quarter)
	one, two := w.machine(), w.machine()
	script := render(t, parameterised)
	var both sync.WaitGroup
	for _, m := range []*machine{one, two} {
		both.Go(func() {
			if out, err := m.boot(script); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	both.Wait()
	if t.Failed() {
		return
	}
	one.serves(two, "1")
	renewal := "/srv/world/shared/letsencrypt/renewal/" + apiDomain + ".conf"
	w.sh("sed -i '1i renew_before_expiry = 100 days' " + renewal)
	if out, err := one.look(); err != nil || !strings.Contains(out, "nginx has a new certificate") {
		t.Fatalf("%v\n%s", err, out)
	}
	w.sh("sed -i '/^renew_before_expiry/d' " + renewal)
	if out, err := two.look(); err != nil || !strings.Contains(out, "nginx has a new certificate") {
		t.Fatalf("%v\n%s", err, out)
	}
	one.serves(two, "2")
}

// serves fails the test if the two machines do not both come to serve the
// certificate that the authority gave last, of so many.
func (m *machine) serves(other *machine, count string) {
	m.t.Helper()
	archive := "/mnt/gistdeal/letsencrypt/archive/" + apiDomain
	if got := m.ran("sh", "-c", "ls "+archive+"/cert*.pem | wc -l"); got != count+"\n" {
		m.t.Errorf("the authority gave %swant %s", got, count)
	}
	text := m.ran("openssl", "x509", "-noout", "-serial", "-in", archive+"/cert"+count+".pem")
	last, ok := new(big.Int).SetString(strings.TrimSpace(strings.TrimPrefix(text, "serial=")), 16)
	if !ok {
		m.t.Fatal(text)
	}
	for _, each := range []*machine{m, other} {
		eventually(m.t, 30*time.Second, func() error {
			if _, serial := each.certificate(); serial != last.String() {
				return fmt.Errorf("%s serves %s, want %s", each.name, serial, last)
			}
			return nil
		})
	}
}

func TestAMachineMountsNoFileSystemButItsOwn(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	other := "fs-2.efs.us-east-1.amazonaws.com"
	w.files.Store(&other)
	m := w.started(render(t, parameterised))
	if told := m.told(); !strings.Contains(told, "the shared folder cannot be mounted") {
		t.Errorf("the log group is told %s", told)
	}
	if log := m.ran("cat", "/var/log/standin/tunnel.log"); !strings.Contains(log, "erification failed") && !strings.Contains(log, "certificate verify failed") {
		t.Errorf("the tunnel says %s", log)
	}
}

func TestAMountThatIsMissingLeavesAMachineWithItsOwnCertificate(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.acme(quarter)
	w.sh("rmdir /srv/world/shared")
	m := w.started(render(t, parameterised))
	if issuer, _ := m.certificate(); issuer != "gistdeal" {
		t.Errorf("signed by %q, want by the machine itself", issuer)
	}
	if told := m.told(); !strings.Contains(told, "the shared folder cannot be mounted") {
		t.Errorf("the log group is told %s", told)
	}
}
