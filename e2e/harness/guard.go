package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/draingate/draingate/e2e/reap"
)

// guard is a process that outlives this one and cleans up after it, should it
// be killed: see package main in e2e/guard.
type guard struct {
	cmd   *exec.Cmd
	alive io.WriteCloser
}

func startGuard(binary, dir string) (*guard, error) {
	cmd := exec.Command(binary, dir) //nolint:noctx // it outlives this process
	cmd.SysProcAttr = guardAttributes()
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	log, err := os.Create(filepath.Join(dir, "guard.log"))
	if err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return &guard{cmd: cmd, alive: alive}, nil
}

// dismiss tells the guard that there is nothing left to clean up.
func (g *guard) dismiss() error {
	_, err := g.alive.Write([]byte{'.'})
	if err != nil {
		err = fmt.Errorf("dismiss the guard: %w", err)
	}
	_ = g.alive.Close()
	if werr := g.cmd.Wait(); werr != nil && err == nil {
		err = fmt.Errorf("wait for the guard: %w", werr)
	}
	return err
}

// helpers are the programs of this repository that every stack needs.
type helpers struct{ sample, guard string }

// buildHelpers builds them into dir/bin with the go tool.
func buildHelpers(ctx context.Context, dir string) (helpers, error) {
	root, err := Root()
	if err != nil {
		return helpers{}, err
	}
	bin := filepath.Join(dir, reap.Data, "bin") + string(filepath.Separator)
	out, err := goCommand(ctx, root, "build", "-o", bin, "./e2e/sample", "./e2e/guard").CombinedOutput()
	if err != nil {
		return helpers{}, fmt.Errorf("build the sample service: %w\n%s", err, out)
	}
	return helpers{sample: bin + "sample", guard: bin + "guard"}, nil
}
