package mail_test

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/mail"
	"gistdeal/internal/testing/smtpsink"
	"gistdeal/internal/testing/testenv"
)

func TestAMessageArrivesWithItsSubjectTextAndID(t *testing.T) {
	t.Parallel()
	address, messages := smtpsink.Start(t, "")
	s := mail.Server{URL: "smtp://" + address, From: "gistdeal@example.com"}
	m := mail.Message{To: []string{"ann@example.com", "bob@example.com"}, ID: "notice_7@gistdeal", Subject: "gistdeal: 2 new gists of Zoë", Text: "- Zoë: größer\n.\n- done\n"}
	_, err := s.Send(t.Context(), m)
	testenv.Must(t, err)
	got, err := netmail.ReadMessage(strings.NewReader(<-messages))
	testenv.Must(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	testenv.Must(t, err)
	body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	testenv.Must(t, err)
	to, err := got.Header.AddressList("To")
	testenv.Must(t, err)
	text := strings.ReplaceAll(string(body), "\r\n", "\n")
	if subject != m.Subject || !strings.Contains(text, "größer") || len(to) != 1 || len(messages) != 1 || got.Header.Get("Message-Id") != "<notice_7@gistdeal>" || got.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%q to %v, %v: %q", subject, to, got.Header, text)
	}
}

func TestARefusalOfAMailServerHasItsKind(t *testing.T) {
	t.Parallel()
	for refusal, kind := range map[string]gistdeal.Kind{"550 5.1.1 no such mailbox": gistdeal.Invalid, "451 4.7.1 later": gistdeal.Temporary} {
		address, _ := smtpsink.Start(t, refusal)
		s := mail.Server{URL: "smtp://" + address, From: "gistdeal@example.com"}
		_, err := s.Send(t.Context(), mail.Message{To: []string{"ann@example.com"}, ID: "x@gistdeal", Subject: "x", Text: "x"})
		if gistdeal.KindOf(err) != kind || !strings.Contains(err.Error(), refusal[4:9]) {
			t.Errorf("%v of kind %v, want %v with the answer", err, gistdeal.KindOf(err), kind)
		}
	}
}

// A dead address, or a server that breaks off, neither holds a message up nor repeats it.
func TestAMessageThatTheServerTookForSomebodyIsSent(t *testing.T) {
	t.Parallel()
	address, messages := smtpsink.Start(t, "")
	s := mail.Server{URL: "smtp://" + address, From: "gistdeal@example.com"}
	send := func(to ...string) (mail.Missed, error) {
		return s.Send(t.Context(), mail.Message{To: to, ID: "x@gistdeal", Subject: "x", Text: "x"})
	}
	missed, err := send("dead@example.com", "ann@example.com", "bob@example.com")
	if err != nil || len(messages) != 2 || !strings.Contains(missed.Refused, "refused for 1 of 3 addresses") || !strings.Contains(missed.Refused, "550") || len(missed.Deferred) > 0 {
		t.Errorf("%d messages, %+v, %v: want two, and one refusal", len(messages), missed, err)
	}
	missed, err = send("rude@example.com", "ann@example.com")
	if err != nil || len(messages) != 3 || missed.Refused != "" || !slices.Equal(missed.Deferred, []string{"ann@example.com"}) {
		t.Errorf("%d messages, %+v, %v: want that it is sent although the connection broke off, and later to the other", len(messages), missed, err)
	}
	missed, err = send("gray@example.com", "ann@example.com", "dead@example.com")
	if err != nil || len(messages) != 4 || !slices.Equal(missed.Deferred, []string{"gray@example.com"}) || !strings.Contains(missed.Reason, "deferred for 1 of 3 addresses") || !strings.Contains(missed.Reason, "451") ||
		!strings.Contains(missed.Refused, "550") {
		t.Errorf("%d messages, %+v, %v: want one, one deferred, and one refused", len(messages), missed, err)
	}
	if _, err := send("dead@example.com"); gistdeal.KindOf(err) != gistdeal.Invalid || gistdeal.Brief(err) != "the mail server refused the message with 550" {
		t.Errorf("%v, in brief %q, want a refusal", err, gistdeal.Brief(err))
	}
}

func TestAMailServerThatIsAwayOrUnknownIsExplainedWithoutThePassword(t *testing.T) {
	t.Parallel()
	for url, kind := range map[string]gistdeal.Kind{
		"smtp://ann:secret-password@" + testenv.FreeAddress(t): gistdeal.Temporary, "": gistdeal.Invalid, "smtp://ann:secret-password@\x7f": gistdeal.Invalid,
	} {
		_, err := (mail.Server{URL: url, From: "gistdeal@example.com"}).Send(t.Context(), mail.Message{To: []string{"ann@example.com"}, ID: "x@gistdeal"})
		if gistdeal.KindOf(err) != kind || strings.Contains(err.Error(), "secret-") {
			t.Errorf("%q: %v of kind %v, want %v", url, err, gistdeal.KindOf(err), kind)
		}
	}
}

// A server that offers no TLS gets neither a password nor a text, unless it is this machine.
func TestNothingIsSentToAnotherMachineWithoutEncryption(t *testing.T) {
	t.Parallel()
	address, messages := smtpsink.Start(t, "")
	_, port, err := net.SplitHostPort(address)
	testenv.Must(t, err)
	s := mail.Server{URL: "smtps://127.0.0.1:" + port, From: "gistdeal@example.com"}
	if _, err := s.Send(t.Context(), mail.Message{To: []string{"ann@example.com"}, ID: "x@gistdeal"}); err == nil || len(messages) > 0 {
		t.Errorf("%v, %d messages: want an error", err, len(messages))
	}
	if gistdeal.IsLoopback("mail.example") || gistdeal.IsLoopback("10.0.0.1") || !gistdeal.IsLoopback("::1") || !gistdeal.IsLoopback("localhost") {
		t.Error("a host of another machine counts as this one")
	}
}
