package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is a child process of a stack, in a process group of its own so that
// Ctrl-C in a terminal reaches the owner only.
type Process struct {
	// Name names the process and its log file.
	Name string
	// Log is the path of the file with everything that it printed.
	Log string
	// Binary and Args are what was started.
	Binary string
	Args   []string

	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended: nil after exit code 0. It waits for the end.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signal sends a signal to the process, such as SIGSTOP to freeze it, SIGCONT
// to let it go on and SIGKILL to end it without a word.
func (p *Process) Signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %s to %s: %w", sig, p.Name, err)
	}
	return nil
}

// Stop asks the process to end, kills it after the grace, and returns when it
// is gone. A process that had ended before is no error.
func (p *Process) Stop(grace time.Duration) error {
	// One that is frozen cannot act on the request.
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	<-p.done
	return nil
}

// spawner starts processes from one goroutine that is locked to its thread for
// as long as it lives. Linux ties a child's parent-death signal to the thread
// that forked it, and the runtime may end any other thread at any time.
type spawner struct {
	requests chan func()
	stopped  sync.WaitGroup
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan func())}
	s.stopped.Go(func() {
		// Never unlocked: the thread then ends with the goroutine.
		runtime.LockOSThread()
		for f := range s.requests {
			f()
		}
	})
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	result := make(chan error, 1)
	s.requests <- func() { result <- cmd.Start() }
	return <-result
}

// close ends the thread, and with it every child that still lives.
func (s *spawner) close() {
	close(s.requests)
	s.stopped.Wait()
}

// launch starts a binary with its output in logs/name.log.
func (s *spawner) launch(logs, name, binary string, env, args []string) (*Process, error) {
	path := filepath.Join(logs, name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(binary, args...) //nolint:noctx // it ends with the stack
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, env
	cmd.SysProcAttr = childAttributes()
	if err := s.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, Log: path, Binary: binary, Args: args, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// errEnded is what a wait returns when the process it waits for has ended.
var errEnded = errors.New("process ended")

// await asks a readiness question until it is answered, the context ends or
// the process does.
func (p *Process) await(ctx context.Context, what string, ask func(context.Context) error) error {
	if err := poll(ctx, what, p.ended, ask); err != nil {
		return fmt.Errorf("%w, see %s", err, p.Log)
	}
	return nil
}

// ended is an error that says how the process ended, if it has.
func (p *Process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s: %w (%w): %s", p.Name, errEnded, p.err, logTail(p.Log))
	default:
		return nil
	}
}

// poll asks a question until the answer is no error, the context ends, or gone
// says that there will never be one.
func poll(ctx context.Context, what string, gone func() error, ask func(context.Context) error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if never := gone(); never != nil {
			return fmt.Errorf("wait until %s: %w", what, never)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w (last answer: %w)", what, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// logTail returns the last bytes of a log for an error message.
func logTail(path string) string {
	const most = 600
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-most):])
}
