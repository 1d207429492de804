package boottest

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal/internal/sim"
)

// complaints lists the faults of a machine after the script ran.
type complaints []string

func (c *complaints) want(what, got, want string) {
	if got != want {
		*c = append(*c, fmt.Sprintf("%s: %q, want %q", what, got, want))
	}
}

// status asks the load balancer, as a visitor does, and compares the answer's status.
func (c *complaints) status(w *world, want int, method, path string, headers ...string) reply {
	r, err := w.ask(visitorAddress, balancerAddress, method, "https://"+apiDomain+path, nil, headers...)
	if err != nil {
		*c = append(*c, err.Error())
	} else if r.status != want {
		*c = append(*c, fmt.Sprintf("%s %s with %q: %d, want %d: %s", method, path, headers, r.status, want, r.body))
	}
	return r
}

// roots trusts the authority, and nobody else.
func (w *world) roots() *x509.CertPool {
	w.t.Helper()
	text, err := w.acmeRoot()
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(text)) {
		w.t.Fatalf("no certificate: %s", text)
	}
	return roots
}

// complaints are all that a test of a whole start looks at.
func (m *machine) complaints() complaints {
	m.t.Helper()
	c := m.settled()
	// nginx takes a certificate a moment after it is told to.
	if err := within(m.t.Context(), 5*time.Second, m.trusted); err != nil {
		c = append(c, "not signed by the authority: "+err.Error())
	}
	c = append(c, m.doors()...)
	c = append(c, m.forgeries()...)
	return append(c, m.deals()...)
}

// trusted requests a page from the machine and trusts only the authority.
func (m *machine) trusted() error {
	_, err := m.ask(balancerAddress, m.address, "GET", "https://"+apiDomain+"/readyz", m.roots())
	return err
}

// settled checks the files and settings that the script leaves on the machine.
func (m *machine) settled() complaints {
	var c complaints
	c.want("swap", m.saw("cat", "/run/standin/swap")+m.saw("grep", "^/swapfile", "/etc/fstab"), "/swapfile\n/swapfile none swap sw 0 0\n")
	c.want("Debian's timer", m.saw("readlink", "-m", "/etc/systemd/system/certbot.timer"), "/dev/null\n")
	c.want("after a reboot", m.saw("ls", "/run/standin/enabled"), "gistdeal-certificate.timer\ngistdeal-tunnel.service\ngistdeal.service\nnginx.service\n")
	c.want("timers", m.saw("sh", "-c", "cd /run/standin/active && ls *.timer"), "gistdeal-certificate.timer\n")
	c.want("files", m.saw("sh", "-c", "cd /etc/gistdeal && stat -c '%n %a %u' * && cd ../nginx && stat -c '%n %a %u' gistdeal.pem"), `admin_token 400 65532
env 600 0
github_token 400 65532
pipedrive_api_key 400 65532
gistdeal.pem 600 0
`)
	c.want("the shared key", m.saw("sh", "-c", "stat -Lc %a /mnt/gistdeal/letsencrypt/live/*/privkey.pem"), "600\n")
	if _, err := m.command("setpriv", "--reuid=65532", "--clear-groups", "curl", "-sS", "--max-time", "5", "-o", "/dev/null", "http://169.254.169.254/").CombinedOutput(); err == nil {
		c = append(c, "the container reaches the role's credentials")
	}
	if told := m.told(); !strings.HasSuffix(told, "startup done\n") {
		c = append(c, "the log group does not say how it ended: "+told)
	}
	return c
}

// doors checks the access to each address and the answers there.
func (m *machine) doors() complaints {
	var c complaints
	for url, want := range map[string]string{
		"http://10.0.1.1/healthz":                              "200 ok\n",
		"http://" + apiDomain + "/user/octocat?peek=true":      "301 https://" + apiDomain + "/user/octocat?peek=true",
		"http://10.0.1.1/.well-known/acme-challenge/not-there": "404 ",
	} {
		r, err := m.ask(balancerAddress, m.address, "GET", url, nil)
		if err != nil {
			c = append(c, err.Error())
			continue
		}
		text := r.header.Get("Location")
		if r.status == 200 {
			text = r.body
		}
		c.want(url, fmt.Sprintf("%d %s", r.status, text), want)
	}
	for _, login := range []string{adminLogin, m.logIn(&c)} {
		c.want("readiness", c.status(m.world, 200, "GET", "/readyz", login).body, `{"status":"ready"}`+"\n")
	}
	c.status(m.world, 404, "GET", "/metrics", adminLogin)
	c.status(m.world, 200, "GET", "/trackedusers", adminLogin)
	c.status(m.world, 401, "GET", "/trackedusers")
	return c
}

// logIn logs in at the load balancer and returns the header with the cookie.
func (m *machine) logIn(c *complaints) string {
	m.t.Helper()
	body, err := json.Marshal(map[string]string{"token": adminToken})
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := m.send(visitorAddress, balancerAddress, "POST", "https://"+apiDomain+"/login", string(body), nil)
	if err != nil || r.status != 200 {
		*c = append(*c, fmt.Sprintf("log-in: %d, %v: %s", r.status, err, r.body))
	}
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	return "Cookie: " + cookie
}

// forgeries tries to be somebody else by headers that proxies send.
func (m *machine) forgeries() complaints {
	var c complaints
	for _, forged := range []string{"X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;host=localhost", "X-Forwarded-Host: localhost"} {
		c.status(m.world, 401, "GET", "/trackedusers", "Host: localhost:8050", forged)
	}
	// Guesses with many forged addresses count for one client and for no other.
	var statuses []int
	for i := range 12 {
		r, err := m.ask(visitorAddress, balancerAddress, "GET", "https://"+apiDomain+"/trackedusers", nil,
			"Authorization: Bearer wrong", fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i))
		if err != nil {
			return append(c, err.Error())
		}
		statuses = append(statuses, r.status)
	}
	if !slices.Contains(statuses, 429) {
		c = append(c, fmt.Sprintf("who guesses under forged addresses is not stopped: %v", statuses))
	}
	other, err := m.ask(gatewayAddress, balancerAddress, "GET", "https://"+apiDomain+"/trackedusers", nil, "Authorization: Bearer wrong")
	if err != nil || other.status != 401 {
		c = append(c, fmt.Sprintf("somebody else pays for it: %d, %v", other.status, err))
	}
	return c
}

// deals looks whether a gist becomes a deal.
func (m *machine) deals() complaints {
	var c complaints
	m.sim.AddUser(sim.User{Login: "octocat"})
	gist := m.sim.AddGist("octocat", sim.Gist{Description: "made on a machine"})
	r, err := m.ask(gatewayAddress, balancerAddress, "POST", "https://"+apiDomain+"/user/octocat", nil, adminLogin)
	if err != nil || r.status != 200 || !strings.Contains(r.body, gist) {
		return append(c, fmt.Sprintf("tracking: %d, %v: %s", r.status, err, r.body))
	}
	err = within(m.t.Context(), 30*time.Second, func() error {
		if deals := m.sim.Report().ByGist[gist]; len(deals) != 1 {
			return fmt.Errorf("a gist has the deals %v", deals)
		}
		return nil
	})
	if err != nil {
		c = append(c, err.Error())
	}
	return c
}
