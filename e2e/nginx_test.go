package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// behindNginx starts the nginx of compose.yaml in front of the program, and returns
// its address. Only this machine reaches it.
func behindNginx(t *testing.T, p *process) string {
	t.Helper()
	nginx := testenv.Program(t, "nginx")
	text, err := os.ReadFile("../contrib/nginx.conf")
	testenv.Must(t, err)
	dir, address := t.TempDir(), testenv.FreeAddress(t)
	// Docker's names are not known here, and "resolve" is younger than Debian's nginx.
	config := strings.NewReplacer("gistdeal:8050 resolve", strings.TrimPrefix(p.url, "http://"), "listen 8080", "listen "+address,
		"/tmp/", dir+"/", "/dev/stdout", dir+"/access.log", "worker_processes auto", "worker_processes 1").Replace(string(text))
	file := filepath.Join(dir, "nginx.conf")
	testenv.Must(t, os.WriteFile(file, []byte(config), 0o600))
	log := &testenv.Log{}
	cmd := exec.Command(nginx, "-p", dir, "-c", file, "-g", "daemon off; master_process off;")
	cmd.Stdout, cmd.Stderr = log, log
	testenv.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	testenv.Eventually(t, "nginx answers", func() bool {
		return statusFrom(t, "127.0.0.5", address, "/livez") == http.StatusOK
	}, log)
	return address
}

// statusFrom sends a request from an address of this machine and returns the
// status of the answer, 0 if there is none.
func statusFrom(t *testing.T, from, address, path string, headers ...string) int {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	testenv.Must(t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestBehindTheNginxOfComposeNobodyIsBelievedToBeAnother(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	env["GISTDEAL_PUBLIC_URL"], env["GISTDEAL_TRUSTED_PROXIES"] = "http://localhost:8050", "127.0.0.1"
	env["GISTDEAL_ADMIN_TOKEN"] = "secret-admin-token-of-32-letters"
	right := "Authorization: Bearer " + env["GISTDEAL_ADMIN_TOKEN"]
	address := behindNginx(t, start(t, env))
	for _, forged := range []string{
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: ", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;host=localhost", "X-Forwarded-Host: localhost", "Connection: X-Forwarded-For",
	} {
		if got := statusFrom(t, "127.0.0.5", address, "/trackedusers", forged); got != 401 {
			t.Errorf("%s: %d", forged, got)
		}
	}
	var guesses []int
	for i := range 12 {
		guesses = append(guesses, statusFrom(t, "127.0.0.5", address, "/trackedusers", "Authorization: Bearer wrong", fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i)))
	}
	if !slices.Contains(guesses, 429) {
		t.Errorf("guesses with forged addresses are not limited: %v", guesses)
	}
	if got := statusFrom(t, "127.0.0.6", address, "/trackedusers", "Authorization: Bearer wrong"); got != 401 {
		t.Errorf("another visitor is limited too: %d", got)
	}
	if got := statusFrom(t, "127.0.0.5", address, "/trackedusers", right); got != 200 {
		t.Errorf("the right token of the same visitor: %d", got)
	}
}
