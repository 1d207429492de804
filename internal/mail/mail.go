package mail

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"gistdeal"
)

// timeout bounds the sending of one message.
const timeout = 30 * time.Second

// Server is a server that takes messages for others.
type Server struct {
	// URL is smtps://name:password@host:465 for TLS from the first byte, or
	// smtp://name:password@host:587 for STARTTLS, which is required except for this machine.
	URL  string
	From string // the address of the sender
}

// Message is a message to people.
type Message struct {
	To            []string
	ID            string // the same in each attempt
	Subject, Text string
}

// Send sends a message once. The error has no password in it. Its kind is Temporary if the
// server may take the message later, and Invalid if it refuses it.
func (s Server) Send(ctx context.Context, m Message) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	message, err := s.message(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		kind := gistdeal.Temporary
		if refused, ok := errors.AsType[*mail.SendError](err); ok && !refused.IsTemp() && refused.ErrorCode() >= 500 {
			kind = gistdeal.Invalid
		}
		return gistdeal.Errorf(kind, "the mail server: %w", err)
	}
	return nil
}

// client returns a client of the server, which connects once.
func (s Server) client() (*mail.Client, error) {
	u, err := url.Parse(s.URL)
	if s.URL == "" || err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "e-mail needs a server: set GISTDEAL_SMTP_URL and GISTDEAL_SMTP_FROM")
	}
	port, options := 587, []mail.Option{mail.WithTimeout(timeout), mail.WithTLSPolicy(mail.TLSMandatory)}
	switch {
	case u.Scheme == "smtps":
		port, options = 465, append(options, mail.WithSSL())
	case gistdeal.IsLoopback(u.Hostname()):
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	}
	if number, err := strconv.Atoi(cmp.Or(u.Port(), strconv.Itoa(port))); err == nil {
		options = append(options, mail.WithPort(number))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	client, err := mail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the mail server of GISTDEAL_SMTP_URL: %w", err)
	}
	return client, nil
}

// message returns a message in the form of the library.
func (s Server) message(m Message) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := cmp.Or(message.From(s.From), message.To(m.To...)); err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "an address of the message: %w", err)
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(m.ID)
	message.SetDate()
	message.SetGenHeader("Auto-Submitted", "auto-generated") // No vacation answers.
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	return message, nil
}
