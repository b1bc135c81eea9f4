package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// parked is the job of a single writer as draingate wants it.
func parked(s *harness.Sample) {
	noticed(s)
	s.Park, s.Meta = 30*time.Second, map[string]string{"draingate_mode": "enforce"}
}

// traefik is one, with a draingate beside it or without.
type traefik struct {
	*harness.Traefik

	gate *harness.Process
}

// openTraefik has it ask Consul's catalog every two seconds.
func openTraefik(ctx context.Context, sc *scene) (front, error) {
	t, err := startTraefik(ctx, sc)
	return t, err
}

func startTraefik(ctx context.Context, sc *scene) (*traefik, error) {
	t, err := sc.stack.StartTraefik(ctx, harness.TraefikOptions{
		RefreshInterval: 2 * time.Second, Prefix: sc.prefix, Service: sc.prefix,
	})
	if err != nil {
		return nil, err
	}
	return &traefik{Traefik: t}, nil
}

func openDraingate(ctx context.Context, sc *scene) (front, error) {
	t, err := startTraefik(ctx, sc)
	if err != nil {
		return nil, err
	}
	_, port, err := sc.ports()
	if err != nil {
		return nil, err
	}
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	t.gate, err = sc.stack.Run(sc.stack.Name("draingate"), sc.programs.draingate, nil,
		"run", "--traefik-service", sc.prefix, "--leader-key", sc.prefix+"/leader", "--advertise", listen, "--listen", listen)
	if err != nil {
		return nil, err
	}
	return t, eventually(ctx, "draingate is ready", func(ctx context.Context) error { return answers(ctx, "http://"+listen+"/readyz", "") })
}

func (t *traefik) entry() string { return t.Entry }

func (t *traefik) deploy(ctx context.Context, submit func(context.Context) error) error {
	return submit(ctx)
}

func (t *traefik) close() error {
	var err error
	if t.gate != nil {
		err = t.gate.Stop(10 * time.Second)
	}
	return errors.Join(err, t.Stop())
}

// answers is an error unless a GET is answered with 200.
func answers(ctx context.Context, url, host string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: %s", url, resp.Status)
	}
	return nil
}
