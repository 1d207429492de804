package receiver

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Conduct is how a receiver treats messages.
type Conduct string

// The conducts of a receiver.
const (
	Accepts   Conduct = ""
	Down      Conduct = "down"      // the connection ends without an answer
	Fails     Conduct = "fails"     // 500
	Gone      Conduct = "gone"      // 410
	Hangs     Conduct = "hangs"     // there is no answer until the conduct changes
	Redirects Conduct = "redirects" // to a trap on the loopback address
)

// Bad returns all conducts but Accepts.
func Bad() []Conduct { return []Conduct{Down, Fails, Gone, Hangs, Redirects} }

// trap is where redirects lead. Nobody may follow them.
const trap = "/trap"

// Receiver is an http.Handler: the path of a request is the name of the webhook. It is safe
// for concurrent use.
type Receiver struct {
	mu       sync.Mutex
	rng      *rand.Rand
	behave   map[string]behaviour
	accepted map[string]map[int64]string // bodies by webhook and event
	last     map[string]map[string]int64 // the last accepted event by webhook and its order
	problems []string
	counts   map[string]int
}

// behaviour is the conduct towards a share of the messages.
type behaviour struct {
	conduct Conduct
	share   float64
	over    chan struct{} // closed at the next change
}

// New returns a Receiver that accepts everything. The seed decides which messages it treats
// badly.
func New(seed uint64) *Receiver {
	return &Receiver{
		rng: rand.New(rand.NewPCG(seed, 4)), behave: map[string]behaviour{},
		accepted: map[string]map[int64]string{}, last: map[string]map[string]int64{}, counts: map[string]int{},
	}
}

// Behave changes the conduct towards a share of the messages of a webhook. Messages that hang
// end without an answer.
func (r *Receiver) Behave(webhook string, c Conduct, share float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.behave[webhook].over; old != nil {
		close(old)
	}
	r.behave[webhook] = behaviour{c, share, make(chan struct{})}
}

// What Counts counts beside the bad conducts.
const (
	Accepted = "accepted" // for the first time
	Repeated = "repeated" // accepted again
)

// Counts returns how many messages were accepted, repeated, and treated by each bad conduct.
func (r *Receiver) Counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[string]int{}
	for what, n := range r.counts {
		counts[what] = n
	}
	return counts
}

// Problems returns the broken promises of accepted messages and followed redirects, as text.
func (r *Receiver) Problems() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.problems...)
}

// Missing returns what a webhook lacks of the events with these ids, up to the id sent, and
// which of the events that it accepted are not among them, as text.
func (r *Receiver) Missing(webhook string, ids []int64, sent int64) (wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	exist := map[int64]bool{}
	for _, id := range ids {
		exist[id] = true
		if _, ok := r.accepted[webhook][id]; !ok && id <= sent {
			wrong = append(wrong, fmt.Sprintf("%s never got the event %d", webhook, id))
		}
	}
	for id, body := range r.accepted[webhook] {
		if !exist[id] {
			wrong = append(wrong, fmt.Sprintf("%s got the event %d, which does not exist: %s", webhook, id, body))
		}
	}
	return wrong
}

// ServeHTTP receives a message.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	webhook := strings.TrimPrefix(req.URL.Path, "/")
	if req.URL.Path == trap {
		r.note("a redirect was followed")
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // The program died in the middle of the message.
	}
	switch b := r.choose(webhook); b.conduct {
	case Accepts:
		r.accept(webhook, req.Header.Get("webhook-id"), body)
		w.WriteHeader(http.StatusNoContent)
	case Fails:
		w.WriteHeader(http.StatusInternalServerError)
	case Gone:
		w.WriteHeader(http.StatusGone)
	case Redirects:
		to := url.URL{Scheme: "http", Host: req.Host, Path: trap}
		w.Header().Set("Location", to.String())
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Hangs:
		select {
		case <-req.Context().Done():
		case <-b.over:
		}
		panic(http.ErrAbortHandler)
	case Down:
		panic(http.ErrAbortHandler)
	}
}

// choose returns the conduct towards the next message of a webhook, and counts it.
func (r *Receiver) choose(webhook string) behaviour {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.behave[webhook]
	if b.conduct == Accepts || r.rng.Float64() >= b.share {
		return behaviour{}
	}
	r.counts[string(b.conduct)]++
	return b
}

func (r *Receiver) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// accept records a message that will be answered with a success, and checks its id, that a
// repetition has the same body, and that it does not overtake another one about the same gist
// or user.
func (r *Receiver) accept(webhook, id string, body []byte) {
	var m struct {
		Data struct {
			ID     int64  `json:"id"`
			GistID string `json:"gist_id"`
			UserID int64  `json:"user_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		r.note("%s got a message that is no JSON: %v", webhook, err)
		return
	}
	event := m.Data.ID
	if want := "evt_" + strconv.FormatInt(event, 10); id != want {
		r.note("%s got the message %q, want %q", webhook, id, want)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accepted[webhook] == nil {
		r.accepted[webhook], r.last[webhook] = map[int64]string{}, map[string]int64{}
	}
	if first, again := r.accepted[webhook][event]; again {
		r.counts[Repeated]++
		if first != string(body) {
			r.problems = append(r.problems, fmt.Sprintf("%s got the event %d as %s, and then as %s", webhook, event, first, body))
		}
		return
	}
	r.counts[Accepted]++
	r.accepted[webhook][event] = string(body)
	order := m.Data.GistID
	if order == "" {
		order = fmt.Sprint("user ", m.Data.UserID)
	}
	if last := r.last[webhook][order]; event < last {
		r.problems = append(r.problems, fmt.Sprintf("%s got the event %d of %s after the event %d", webhook, event, order, last))
	}
	r.last[webhook][order] = event
}
