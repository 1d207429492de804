package api

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/notice"
)

type noticePreviewInput struct {
	Body struct {
		Kind  gistdeal.WebhookKind `json:"kind" enum:"slack,teams,ntfy,email" doc:"The form of the messages."`
		Types []gistdeal.EventType `json:"types,omitempty" enum:"EventType" doc:"The types of events; without them all that people are told of."`
		gistdeal.Timing
	}
}

type noticePreview struct {
	DueAt time.Time       `json:"due_at" doc:"When a message about an event of this moment is sent."`
	Texts []noticeExample `json:"texts" doc:"An example for each type that people are told of."`
}

type noticeExample struct {
	Type gistdeal.EventType `json:"type" enum:"EventType" doc:"The type of the event."`
	Text string             `json:"text" doc:"The words of the message."`
	Body string             `json:"body" doc:"What the receiver gets, in the form of the kind."`
}

func (a *API) previewNotices(_ context.Context, in *noticePreviewInput) (*reply[noticePreview], error) {
	b, now := in.Body, time.Now()
	if b.Digest == "" {
		b.Digest = gistdeal.DigestMinute
	}
	if err := b.Check(b.Kind); err != nil {
		return nil, err
	}
	if len(b.Types) == 0 {
		b.Types = gistdeal.NoticeTypes
	}
	preview := noticePreview{DueAt: b.Due(now).UTC(), Texts: []noticeExample{}}
	for _, t := range b.Types {
		n, ok := notice.Example(t, a.options.PublicURL, now)
		if !ok {
			continue
		}
		m, err := n.Form(b.Kind)
		if err != nil {
			return nil, err
		}
		preview.Texts = append(preview.Texts, noticeExample{t, n.Text(), string(m.Body)})
	}
	return &reply[noticePreview]{preview}, nil
}
