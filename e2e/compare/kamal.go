package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// kamalProxy is a running kamal-proxy, which is told each step by its own
// command line.
type kamalProxy struct {
	scene   *scene
	web     int
	env     []string
	process *harness.Process
}

func openKamal(ctx context.Context, sc *scene) (front, error) {
	k := &kamalProxy{scene: sc}
	var err error
	if _, k.web, err = sc.ports(); err != nil {
		return nil, err
	}
	name := sc.stack.Name("kamal-proxy")
	dir := filepath.Join(sc.stack.Dir, "data", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for kamal-proxy: %w", err)
	}
	_, tls, err := sc.ports()
	if err != nil {
		return nil, err
	}
	k.env = []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir}
	k.process, err = sc.stack.Run(name, sc.programs.kamal, k.env, "run", "--http-port", fmt.Sprint(k.web), "--https-port", fmt.Sprint(tls))
	if err != nil {
		return nil, err
	}
	err = eventually(ctx, "kamal-proxy takes its first target", func(ctx context.Context) error { return k.target(ctx, sc.old) })
	return k, err
}

// target is what kamal-proxy calls a deploy: it waits until the target answers
// its check, and sends requests there from then on.
func (k *kamalProxy) target(ctx context.Context, i harness.Instance) error {
	return k.tell(ctx, "deploy", "writer", "--target", i.Addr, "--health-check-path", "/readyz", "--deploy-timeout", "60s")
}

func (k *kamalProxy) tell(ctx context.Context, args ...string) error {
	return command(ctx, k.scene.programs.kamal, k.env, args...)
}

func (k *kamalProxy) entry() string { return fmt.Sprintf("http://127.0.0.1:%d", k.web) }

// deploy pauses first, since the old instance ends before the new one begins.
func (k *kamalProxy) deploy(ctx context.Context, submit func(context.Context) error) error {
	if err := k.tell(ctx, "pause", "writer", "--max-pause", "30s"); err != nil {
		return err
	}
	if err := submit(ctx); err != nil {
		return err
	}
	next, err := k.scene.next(ctx)
	if err != nil {
		return err
	}
	if err := k.target(ctx, next); err != nil {
		return err
	}
	return k.tell(ctx, "resume", "writer")
}

func (k *kamalProxy) close() error { return k.process.Stop(10 * time.Second) }
