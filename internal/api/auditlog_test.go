package api_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
)

// changes has a request to each operation that changes something, and the actions that the
// audit log then has. The requests are sent in the order of the operations' ids.
var changes = map[string]struct {
	path, body string
	actions    string
}{
	"add-token":        {"/tokens", `{"name":"new","scope":"read"}`, "token.add"},
	"add-webhook":      {"/webhooks", `{"name":"n8n","url":"https://hooks.example/x"}`, "webhook.add"},
	"change-webhook":   {"/webhooks/n8n", `{"types":["deal.created"]}`, "webhook.change"},
	"delete-webhook":   {"/webhooks/old", "", "webhook.delete"},
	"redeliver":        {"/webhooks/n8n/redeliver", `{"first":0}`, "webhook.redeliver"},
	"rotate-webhook":   {"/webhooks/n8n/rotate", `{}`, "webhook.rotate"},
	"test-webhook":     {"/webhooks/n8n/test", "", "webhook.test"},
	"add-users":        {"/users", `{"users":["newcomer"]}`, "user.add"},
	"apply-rules":      {"/rules/apply", "", "rules.apply"},
	"approve-user":     {"/users/user1/approve", "", "deals.approve"},
	"cancel-operation": {"/operations/waiting/cancel", "", "operation.cancel"},
	"cancel-request":   {"/requests/newcomer", "", "request.cancel"},
	"cancel-requests":  {"/requests", "", "request.cancel"},
	"change-settings":  {"/settings", `{"backfill":"none"}`, "setting.change"},
	"change-tags":      {"/users/tags", `{"users":["user2"],"add":["customer"]}`, "user.tag"},
	"change-users":     {"/users/change", `{"change":"pause","users":["user2"]}`, "user.pause"},
	"erase-user":       {"/users/user3/erase", `{"confirm":"user3"}`, "user.remove user.erase"},
	"forget-person":    {"/people/bob@example.com", "", "person.forget"},
	"pause-pushes":     {"/pushes/pause", `{"reason":"a test"}`, "pushes.pause"},
	"pause-user":       {"/users/user4/pause", "", "user.pause"},
	"remove-user":      {"/users/user5", "", "user.remove"},
	"replace-rules":    {"/rules", `{"rules":[{"name":"forks","action":"skip","all":[{"fact":"fork"}]}]}`, "rules.change"},
	"resume-pushes":    {"/pushes/resume", "", "pushes.resume"},
	"resume-user":      {"/users/user4/resume", "", "user.resume"},
	"request-audit":    {"/audits", `{"repair":true}`, "audit.request"},
	"retry-deals":      {"/deals/retry", `{"user":"user1"}`, "deals.retry"},
	"rotate-token":     {"/tokens/read/rotate", `{}`, "token.rotate"},
	"revoke-token":     {"/tokens/new", "", "token.revoke"},
	"scan-user":        {"/users/user6/scan", "", "user.scan"},
	"sign-out-person":  {"/people/ann@example.com/sign-out", "", "person.sign_out"},
	"skip-deals":       {"/deals/skip", `{"user":"user7","note":"a test"}`, "deals.skip"},
}

// unrecorded are the operations that are no GET and change nothing but the caller's own.
var unrecorded = map[string]bool{"plan": true, "preview-notices": true, "preview-rules": true, "record-visit": true}

func TestEachOperationThatChangesSomethingLeavesItsEntry(t *testing.T) {
	t.Parallel()
	w := newFilledWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.awaitApproval("user1")
	for _, name := range []string{"ann@example.com", "bob@example.com"} {
		_, err := w.db.SignedIn(t.Context(), gistdeal.Person{Issuer: "https://login.example", Subject: name, Name: name}, time.Now())
		testenv.Must(t, err)
	}
	waiting := gistdeal.Operation{ID: "waiting", Kind: gistdeal.OperationAddUsers, CreatedAt: time.Now()}
	testenv.Must(t, w.db.AddOperation(t.Context(), waiting, []gistdeal.OperationItem{{N: 1, Input: "another", Key: "another"}}))
	old := gistdeal.Webhook{ID: "old", Name: "old", Kind: gistdeal.WebhookSigned, CreatedAt: time.Now()}
	testenv.Must(t, w.db.AddWebhook(t.Context(), old, gistdeal.WebhookKeys{URL: "https://hooks.example"}))
	byID := map[string]operation{}
	for _, op := range w.operations() {
		if op.method != http.MethodGet && !unrecorded[op.OperationID] {
			byID[op.OperationID] = op
		}
	}
	last := w.lastEntry()
	for _, id := range sorted(byID) {
		change, known := changes[id]
		if !known {
			t.Errorf("%s: no entry of the audit log is expected", id)
			continue
		}
		if id == "cancel-requests" {
			w.read(w.send(http.MethodPost, "/users", `{"users":["another"]}`, "Authorization: Bearer admin"), http.StatusOK, nil)
			last = w.lastEntry()
		}
		r := w.send(byID[id].method, change.path, change.body, "Authorization: Bearer admin", "X-Forwarded-For: 192.0.2.9")
		if r.status >= 300 {
			t.Errorf("%s: %d %s", id, r.status, r.body)
		}
		w.wantEntries(id, last, change.actions)
		last = w.lastEntry()
	}
}

// awaitApproval gives a user a deal that awaits approval.
func (w *world) awaitApproval(login string) {
	w.t.Helper()
	u, err := w.db.UserByLogin(w.t.Context(), login)
	testenv.Must(w.t, err)
	_, err = w.db.SaveGists(w.t.Context(), u.ID, []gistdeal.Gist{{ID: "f1"}, {ID: "f2"}}, gistdeal.NewGistPolicy{Hold: true}, time.Now())
	testenv.Must(w.t, err)
	_, awaiting, err := w.db.QueueScanned(w.t.Context(), u.ID, gistdeal.ApprovalLimits{Threshold: 1}, time.Now())
	testenv.Must(w.t, err)
	if awaiting == 0 {
		w.t.Fatal("no deal awaits approval")
	}
}

func (w *world) lastEntry() int64 {
	w.t.Helper()
	entries, err := w.db.AuditLog(w.t.Context(), gistdeal.AuditFilter{}, 0, 1)
	testenv.Must(w.t, err)
	if len(entries) == 0 {
		return 0
	}
	return entries[0].ID
}

// wantEntries checks the entries after the id last.
func (w *world) wantEntries(name string, last int64, want string) {
	w.t.Helper()
	entries, err := w.db.AuditLog(w.t.Context(), gistdeal.AuditFilter{}, 0, 20)
	testenv.Must(w.t, err)
	got := []string{}
	for _, e := range entries {
		if e.ID <= last {
			continue
		}
		got = append([]string{string(e.Action)}, got...)
		if e.Actor != "admin" || e.Source != gistdeal.SourceAPI || e.Address != "192.0.2.9" {
			w.t.Errorf("%s: %+v, want admin at its address as the actor", name, e)
		}
	}
	if strings.Join(got, " ") != want {
		w.t.Errorf("%s left the entries %v, want %s", name, got, want)
	}
}

func TestTheAuditLogIsListedFilteredAndDownloadedByAdminsOnly(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	w.read(w.send(http.MethodPost, "/pushes/pause", `{"reason":"=HYPERLINK(\"x\")"}`), http.StatusOK, nil)
	w.read(w.send(http.MethodPost, "/pushes/resume", ""), http.StatusOK, nil)
	for _, scope := range gistdeal.Scopes {
		testenv.Must(t, w.db.SetToken(t.Context(), string(scope), gistdeal.HashToken(string(scope)), scope, time.Now()))
	}
	for _, path := range []string{"/audit-log", "/audit-log.csv"} {
		w.refused(w.send(http.MethodGet, path, "", "Authorization: Bearer write"), http.StatusForbidden, "scope-too-small")
		w.refused(w.send(http.MethodGet, path+"?action=nothing", "", "Authorization: Bearer admin"), http.StatusBadRequest, "invalid")
		w.refused(w.send(http.MethodGet, path+"?since=yesterday", "", "Authorization: Bearer admin"), http.StatusBadRequest, "")
	}
	var list struct {
		Entries []gistdeal.AuditEntry
		Next    string
	}
	w.read(w.send(http.MethodGet, "/audit-log?limit=1&action=pushes.pause,pushes.resume", "", "Authorization: Bearer admin"), http.StatusOK, &list)
	if len(list.Entries) != 1 || list.Entries[0].Action != gistdeal.ActionResumePushes || list.Next == "" {
		t.Fatalf("%+v, want the last change and a cursor", list)
	}
	w.read(w.send(http.MethodGet, "/audit-log?action=pushes.pause&cursor="+list.Next, "", "Authorization: Bearer admin"), http.StatusOK, &list)
	if len(list.Entries) != 1 || list.Entries[0].Reason != `=HYPERLINK("x")` {
		t.Errorf("%+v, want the pause with its reason", list)
	}
	r := w.send(http.MethodGet, "/audit-log.csv?action=pushes.pause", "", "Authorization: Bearer admin")
	if lines := strings.Split(r.body, "\r\n"); r.status != http.StatusOK || len(lines) != 3 || !strings.HasPrefix(lines[0], "id,at,actor") || !strings.Contains(lines[1], `"'=HYPERLINK(""x"")"`) {
		t.Errorf("%d %q, want a head and the pause, with an apostrophe before the formula", r.status, r.body)
	}
}
