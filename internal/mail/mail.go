package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

// Missed tells which people did not get a message that others got.
type Missed struct {
	Refused  string   // for how many the server refused it for good, and why; "" for none
	Deferred []string // addresses for which the server may take it later
	Reason   string   // of that; "" for none
}

// Send sends a message once, apart to each of its people, who do not see each other. It
// returns an error if the server took it for nobody. The error has no password in it. Its
// kind is Temporary if the server may take the message later, and Invalid if it refuses it
// for all.
func (s Server) Send(ctx context.Context, m Message) (Missed, error) {
	client, err := s.client()
	if err != nil {
		return Missed{}, err
	}
	var messages []*mail.Msg
	for _, to := range m.To {
		message, err := s.message(m, to)
		if err != nil {
			return Missed{}, err
		}
		messages = append(messages, message)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, messages...)
	// After a message was taken, an error is one of another message, or of the farewell.
	var refused, deferred []error
	var missed Missed
	for i, message := range messages {
		switch reason := message.SendError(); {
		case message.IsDelivered():
		case refusal(reason) != 0:
			refused = append(refused, reason)
		default:
			missed.Deferred = append(missed.Deferred, m.To[i])
			deferred = append(deferred, reason)
		}
	}
	if len(refused)+len(deferred) == len(messages) {
		return Missed{}, unsent(err, refused, len(deferred) > 0)
	}
	if len(refused) > 0 {
		missed.Refused = fmt.Sprintf("refused for %d of %d addresses: %v", len(refused), len(messages), errors.Join(refused...))
	}
	if len(deferred) > 0 {
		missed.Reason = fmt.Sprintf("deferred for %d of %d addresses: %v", len(deferred), len(messages), cmp.Or(errors.Join(deferred...), errNoAnswer))
	}
	return missed, nil
}

var errNoAnswer = errors.New("no answer")

// refusal returns the code with which the server refused a message for good, 0 if it did not.
func refusal(err error) int {
	if refused, ok := errors.AsType[*mail.SendError](err); ok && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return refused.ErrorCode()
	}
	return 0
}

// unsent returns the error of a message that nobody got.
func unsent(err error, refused []error, temporary bool) error {
	brief := "the mail server did not take the message"
	if len(refused) > 0 {
		brief = fmt.Sprintf("the mail server refused the message with %d", refusal(refused[len(refused)-1]))
	}
	kind := gistdeal.Invalid
	if temporary {
		kind = gistdeal.Temporary
	}
	return &gistdeal.Error{Kind: kind, Brief: brief, Err: fmt.Errorf("the mail server: %w", cmp.Or(err, errNoAnswer))}
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

// message returns the message to one person in the form of the library.
func (s Server) message(m Message, to string) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := cmp.Or(message.From(s.From), message.To(to)); err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "an address of the message: %w", err)
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(m.ID)
	message.SetDate()
	message.SetGenHeader("Auto-Submitted", "auto-generated") // No vacation answers.
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	return message, nil
}
