package smtpsink

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// Start starts a server until the end of the test. It takes messages, or refuses recipients
// with an answer if refusal is not "". In any case it refuses those whose name begins with
// dead, defers those whose name begins with full, and those with gray once, and breaks the
// connection off after a message to one whose name begins with rude.
func Start(t testing.TB, refusal string) (address string, messages chan string) {
	t.Helper()
	l := testenv.Listen(t)
	messages = make(chan string, 10)
	var known sync.Map // gray recipients that were deferred
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn, refusal, &known, messages)
		}
	}()
	return l.Addr().String(), messages
}

// serve speaks as much of SMTP as a client needs.
func serve(conn net.Conn, refusal string, known *sync.Map, messages chan<- string) {
	defer conn.Close()
	say := func(line string) { fmt.Fprint(conn, line+"\r\n") }
	lines, rude := bufio.NewScanner(conn), false
	say("220 sink")
	for lines.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch verb {
		case "EHLO":
			say("250-sink\r\n250 8BITMIME")
		case "RCPT":
			if refusal != "" {
				say(refusal)
				continue
			}
			if strings.Contains(lines.Text(), "<dead") {
				say("550 5.1.1 no such mailbox")
				continue
			}
			if strings.Contains(lines.Text(), "<full") {
				say("452 4.2.2 mailbox full")
				continue
			}
			if strings.Contains(lines.Text(), "<gray") {
				if _, ok := known.LoadOrStore(lines.Text(), true); !ok {
					say("451 4.7.1 try again later")
					continue
				}
			}
			rude = strings.Contains(lines.Text(), "<rude")
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for lines.Scan() && lines.Text() != "." {
				text.WriteString(lines.Text() + "\r\n")
			}
			messages <- text.String()
			say("250 taken")
			if rude {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
