package api_test

import (
	"net/http"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
)

// world.send refuses each answer with the text secret-.
func TestNoAnswerHasTheSecretOfAWebhook(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var added struct{ Secret, URL string }
	body := `{"name":"n8n","url":"https://hooks.example/secret-path?token=secret-token","headers":{"authorization":"secret-header"},"types":["deal.created"]}`
	r := w.send(http.MethodPost, "/webhooks", body)
	w.read(r, http.StatusCreated, &added)
	if !strings.HasPrefix(added.Secret, "whsec_") || added.URL != "https://hooks.example/..." || r.header.Get("Location") != "/api/v1/webhooks/n8n" {
		t.Errorf("%+v at %s", added, r.header.Get("Location"))
	}
	w.refused(w.send(http.MethodPost, "/webhooks", body), http.StatusConflict, "conflict")
	answers := w.send(http.MethodGet, "/webhooks", "").body + w.send(http.MethodGet, "/webhooks/n8n", "").body +
		w.send(http.MethodPut, "/webhooks/n8n", `{"url":"https://hooks.example/secret-other?key=secret-key","state":"disabled"}`).body +
		w.send(http.MethodGet, "/audit-log", "").body + w.send(http.MethodPut, "/webhooks/n8n", `{"headers":{}}`).body
	if strings.Contains(answers, "whsec_") || strings.Count(answers, "n8n") < 5 {
		t.Errorf("an answer has the secret, or the webhook is missing: %s", answers)
	}
	var rotated struct{ Secret string }
	w.read(w.send(http.MethodPost, "/webhooks/n8n/rotate", `{"overlap":"1h"}`), http.StatusOK, &rotated)
	if rotated.Secret == added.Secret || !strings.HasPrefix(rotated.Secret, "whsec_") {
		t.Errorf("the secret after the rotation is %q", rotated.Secret)
	}
	all, err := w.db.Webhooks(t.Context())
	testenv.Must(t, err)
	if len(all) != 1 || all[0].State != gistdeal.WebhookDisabled || all[0].OldSecretUntil.IsZero() || len(all[0].Headers) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestTheHeadersForAHostAreSentToNoOther(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	w.read(w.send(http.MethodPost, "/webhooks", `{"name":"n8n","url":"https://hooks.example/x","headers":{"Authorization":"secret-header"}}`), http.StatusCreated, &struct{}{})
	for _, url := range []string{"https://other.example/x", "http://hooks.example/x", "https://hooks.example:8443/x"} {
		w.refused(w.send(http.MethodPut, "/webhooks/n8n", `{"url":"`+url+`"}`), http.StatusBadRequest, "invalid")
	}
	for _, body := range []string{`{"url":"https://hooks.example/y"}`, `{"url":"https://other.example/x","headers":{"Authorization":"secret-other"}}`} {
		var changed gistdeal.Webhook
		if w.read(w.send(http.MethodPut, "/webhooks/n8n", body), http.StatusOK, &changed); len(changed.Headers) != 1 {
			t.Errorf("%s: %+v, want the header", body, changed)
		}
	}
}

func TestAWebhookThatCannotBeIsRefusedWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	for _, body := range []string{
		`{"name":"n8n","url":"ftp://hooks.example/secret-path"}`, `{"name":"n8n","url":"https://secret-name:secret-password@hooks.example"}`,
		`{"name":"n8n","url":"secret-path"}`, `{"name":"n8n","url":"https://"}`, `{"name":"n8n","url":"https://hooks.example/#secret-part"}`,
		`{"name":"n 8","url":"https://hooks.example"}`, `{"name":"n8n","url":"https://hooks.example","headers":{"Webhook-Id":"secret-id"}}`,
		`{"name":"n8n","url":"https://hooks.example","headers":{"Host":"secret-host"}}`, `{"name":"n8n","url":"https://hooks.example","headers":{"A":"secret-\r\nB: c"}}`,
		`{"name":"n8n","url":"https://hooks.example","headers":{"A b":"c"}}`, `{"name":"n8n","url":"https://hooks.example","types":["deal.flown"]}`,
	} {
		w.refused(w.send(http.MethodPost, "/webhooks", body), http.StatusBadRequest, "invalid")
	}
	w.refused(w.send(http.MethodPost, "/webhooks", `{"name":"n8n","url":"https://hooks.example","user":"nobody"}`), http.StatusNotFound, "not-found")
	for path, body := range map[string]string{"/webhooks/none/test": "", "/webhooks/none/rotate": "{}", "/webhooks/none/redeliver": `{"first":0}`} {
		w.refused(w.send(http.MethodPost, path, body), http.StatusNotFound, "not-found")
	}
}
