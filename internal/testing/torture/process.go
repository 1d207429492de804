package torture

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"gistdeal/internal/testing/failpoint"
)

// process is a running program.
type process struct {
	cmd     *exec.Cmd
	out     *output
	working chan struct{} // closed after its first claim
	reached chan string   // steps at which it dies or freezes by itself; closed after its end
	ended   chan struct{} // closed after all output was read and the state is known
}

// start starts the program with only env as its environment. It calls hit for each
// hit of a step.
func start(binary, dir string, env []string, hit func(step string)) (*process, error) {
	report, child, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{
		cmd: exec.Command(binary), out: &output{listening: make(chan struct{})},
		working: make(chan struct{}), reached: make(chan string, 16), ended: make(chan struct{}),
	}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.ExtraFiles = []*os.File{child}
	err = p.cmd.Start()
	child.Close()
	if err != nil {
		report.Close()
		return nil, fmt.Errorf("start the program: %w", err)
	}
	go func() {
		defer close(p.ended)
		p.read(report, hit)
		_ = p.cmd.Wait() // The result is in ProcessState.
	}()
	return p, nil
}

// read reads the hits until the program has ended.
func (p *process) read(report *os.File, hit func(step string)) {
	defer report.Close()
	defer close(p.reached)
	var once sync.Once
	lines := bufio.NewScanner(report)
	for lines.Scan() {
		step, last := strings.CutSuffix(lines.Text(), "!")
		hit(step)
		if step == failpoint.Claimed {
			once.Do(func() { close(p.working) })
		}
		if last {
			p.reached <- step
		}
	}
}

// kill ends the program, frozen or not, and waits until it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // It may have ended.
	<-p.ended
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// listened reports whether the program listens.
func (p *process) listened() bool {
	select {
	case <-p.out.listening:
		return true
	default:
		return false
	}
}

// awaitWork waits until the program has claimed a deal, but no longer than limit. Of
// several processes one works, and a kill at a random moment needs work under way.
func (p *process) awaitWork(ctx context.Context, limit time.Duration) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-p.working:
	case <-p.ended:
	case <-limited.Done():
	}
}

// failed returns an error if the program ended without a kill.
func (p *process) failed() error {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return nil
	}
	return fmt.Errorf("the program ended by itself: %v", p.cmd.ProcessState)
}

// output stores the end of a program's output and the address in it.
type output struct {
	listening chan struct{} // closed once the address is known

	mu      sync.Mutex
	text    []byte
	address string
}

const keptOutput = 256 << 10

var listeningLine = regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	if match := listeningLine.FindSubmatch(o.text); match != nil && o.address == "" {
		o.address = string(match[1])
		close(o.listening)
	}
	if len(o.text) > 2*keptOutput {
		o.text = bytes.Clone(o.text[len(o.text)-keptOutput:])
	}
	return len(b), nil
}

func (o *output) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.text)
}
