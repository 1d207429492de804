package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
)

// preview is the answer to a request for example texts.
type preview struct {
	DueAt time.Time `json:"due_at"`
	Texts []struct {
		Type       gistdeal.EventType
		Text, Body string
	}
}

func TestAPreviewHasATextForEachTypeThatPeopleAreToldOf(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	for kind, begin := range map[string]string{"slack": `{"mrkdwn":false,"text":"gistdeal: `, "teams": `{"attachments":`, "ntfy": "gistdeal: ", "email": "gistdeal: "} {
		var got preview
		w.read(w.send(http.MethodPost, "/webhooks/preview", `{"kind":"`+kind+`"}`), http.StatusOK, &got)
		if len(got.Texts) != len(gistdeal.NoticeTypes) {
			t.Errorf("%s: %d texts, want %d", kind, len(got.Texts), len(gistdeal.NoticeTypes))
		}
		for _, one := range got.Texts {
			if !strings.HasPrefix(one.Body, begin) || !strings.HasPrefix(one.Text, "gistdeal: ") {
				t.Errorf("%s, %s: the body is %s", kind, one.Type, one.Body)
			}
			if strings.Contains(one.Text, "0001") {
				t.Errorf("%s: an example lacks its time: %s", one.Type, one.Text)
			}
		}
	}
}

func TestAPreviewSaysWhenAMessageIsSent(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var got preview
	w.read(w.send(http.MethodPost, "/webhooks/preview", `{"kind":"slack","types":["deal.failed","deal.created"],"digest":"daily","zone":"Europe/Berlin"}`), http.StatusOK, &got)
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil || got.DueAt.In(zone).Hour() != 8 || len(got.Texts) != 1 || got.Texts[0].Type != gistdeal.EventDealFailed {
		t.Errorf("%v: the preview is %+v, want deal.failed at 8 in the morning", err, got)
	}
	if r := w.send(http.MethodPost, "/webhooks/preview", `{"kind":"slack","quiet":"late"}`); r.status < 400 || r.status >= 500 {
		t.Errorf("hours that are none: %d %s", r.status, r.body)
	}
}
