package doctor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	"gistdeal"
)

// address checks whether gistdeal can listen, or does so already.
func (d *doctor) address(ctx context.Context) []Check {
	if d.mistaken("GISTDEAL_ADDR") {
		return allSkipped("configuration", "address")
	}
	addr := d.config.Addr
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err == nil {
		_ = l.Close()
		return []Check{{"address", OK, addr + " is free to listen on"}}
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return []Check{{"address", Fail, lines(err) + ": set GISTDEAL_ADDR to an address of this machine"}}
	}
	return []Check{d.listener(ctx, addr)}
}

// listener checks whether the program that listens at addr is a gistdeal on this database.
func (d *doctor) listener(ctx context.Context, addr string) Check {
	a, err := ask(ctx, addr)
	switch {
	case err != nil:
		return Check{"address", Fail, fmt.Sprintf("%s is in use by another program (%s): stop that one, or set GISTDEAL_ADDR", addr, lines(err))}
	case !d.readable:
		return skipped("address", "database")
	case d.identity == "" || a.Proof != gistdeal.Proof(d.identity, a.challenge):
		return Check{"address", Fail, fmt.Sprintf("the gistdeal at %s works on another database than %s: set GISTDEAL_DATABASE_URL to that one's, or GISTDEAL_ADDR to a free address; two databases on one Pipedrive account create duplicates",
			addr, d.config.Database.Place())}
	case a.Status != "ready":
		return Check{"address", Fail, fmt.Sprintf("the gistdeal of this database at %s is not ready: %s", addr, a.Status)}
	}
	return Check{"address", OK, fmt.Sprintf("the gistdeal of this database at %s is ready", addr)}
}

// Ready returns the status of the gistdeal that listens at addr, "ready" if all
// is well. An error means that no gistdeal answers there.
func Ready(ctx context.Context, addr string) (status string, err error) {
	a, err := ask(ctx, addr)
	return a.Status, err
}

// answer is the answer of a gistdeal.
type answer struct {
	Status    string `json:"status"`
	Proof     string `json:"proof"`
	challenge string
}

// ask asks the gistdeal that listens at addr whether it is ready. An error means that no
// gistdeal answers there: others know nothing of challenges.
func ask(ctx context.Context, addr string) (a answer, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return a, err
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost" // The server listens on all addresses of this machine.
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return a, err
	}
	a.challenge = rand.Text()
	req.Header.Set(gistdeal.HeaderChallenge, a.challenge)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&a)
	if err != nil || a.Status == "" || len(a.Proof) != len(gistdeal.Proof("", "")) {
		return a, fmt.Errorf("%s answers %s, not as gistdeal does", addr, resp.Status)
	}
	return a, nil
}
