package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/e2e/harness"
)

// demo is one showing.
type demo struct {
	opts   options
	screen screen
	began  time.Time
	// stop ends all goroutines of the stage.
	stop  context.CancelFunc
	stage *stage
	// servers are their versions.
	servers string

	mu    sync.Mutex
	doing string
	cast  *performance
}

func newDemo(opts options, s screen) *demo {
	return &demo{opts: opts, screen: s, began: time.Now(), stop: func() {}, stage: &stage{rate: opts.rate, gate: &gate{}}}
}

// play gives the show and returns what was not as claimed.
func (d *demo) play(ctx context.Context) ([]string, error) {
	ctx, d.stop = context.WithCancel(ctx)
	d.screen.say("First the servers. If they were never installed here, this takes about ten minutes, once.")
	bins, err := harness.Binaries(ctx, writer{d.screen})
	if err != nil {
		return nil, err
	}
	if d.servers, err = versions(ctx, bins); err != nil {
		return nil, err
	}
	d.announce()
	d.start(ctx)
	first, err := d.setUp(ctx, bins)
	if err != nil {
		return nil, err
	}
	results, err := d.acts(ctx, first)
	if err != nil {
		return nil, err
	}
	faults := judge(results)
	d.settle()
	d.screen.say(append([]string{""}, resultTable(results, d.screen.width())...)...)
	d.screen.say("", closing(results, faults), "One run, on "+d.servers+".")
	return faults, nil
}

// announce says what will happen.
func (d *demo) announce() {
	total := 30 * time.Second
	var lines []string
	for _, a := range chosen(d.opts.acts) {
		total += a.lasts
		lines = append(lines, fmt.Sprintf("act %d  %s", a.number, a.title))
	}
	d.screen.head("draingate demo: the same deploy promoted by Nomad itself and by draingate, side by side")
	d.screen.say(lines...)
	d.screen.say(fmt.Sprintf("Each side answers %d requests a second. About %s in all, on %s; Ctrl-C ends it and leaves nothing.",
		d.opts.rate, clock(total), d.servers))
}

// start begins to draw.
func (d *demo) start(ctx context.Context) {
	d.stage.running.Go(func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				d.screen.show(d.scene(now))
			}
		}
	})
}

// scene is what goes on now.
func (d *demo) scene(now time.Time) scene {
	d.mu.Lock()
	cast := d.cast
	s := scene{at: now.Sub(d.began), doing: d.doing}
	d.mu.Unlock()
	if cast != nil {
		for _, side := range cast.sides {
			s.sides = append(s.sides, side.view(now))
		}
	}
	return s
}

// step does something that takes time, says what, and how long it took.
func (d *demo) step(what string, do func() error) error {
	d.mu.Lock()
	d.doing, d.cast = what, nil
	d.mu.Unlock()
	began := time.Now()
	err := do()
	if took := time.Since(began).Round(100 * time.Millisecond); err == nil && took > 0 {
		d.screen.say(fmt.Sprintf("%s: done after %s", what, took))
	}
	return err
}

// setUp starts everything, with version 1 of all acts.
func (d *demo) setUp(ctx context.Context, bins harness.Bins) (map[int]*performance, error) {
	err := d.step("starting Consul and Nomad", func() error {
		dir, err := makeDir()
		if err != nil {
			return err
		}
		d.stage.stack, err = harness.Start(ctx, harness.Options{Bins: bins, Dir: dir})
		if err != nil && ctx.Err() != nil {
			// A start that fails keeps its logs; this one did not fail.
			err = errors.Join(err, os.RemoveAll(dir))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	first := map[int]*performance{}
	var binary string
	err = d.step("building draingate and deploying version 1 of the sample service", func() (err error) {
		for _, a := range chosen(d.opts.acts) {
			first[a.number] = d.stage.cast(ctx, a)
		}
		if binary, err = buildGate(ctx, d.stage.stack); err != nil {
			return err
		}
		for _, p := range first {
			err = errors.Join(err, p.awaitReady())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return first, d.step("starting Traefik, and draingate as a Nomad system job from "+exampleJob, func() error {
		return d.connect(ctx, binary)
	})
}

// connect starts Traefik, which reads the catalog at its start and so knows
// every version 1 at once, and draingate.
func (d *demo) connect(ctx context.Context, binary string) error {
	var both errgroup.Group
	both.Go(func() (err error) {
		d.stage.proxy, err = d.stage.stack.StartTraefik(ctx, harness.TraefikOptions{})
		return err
	})
	both.Go(func() error { return d.stage.gate.start(ctx, d.stage.stack, binary) })
	if err := both.Wait(); err != nil {
		return err
	}
	d.stage.running.Go(func() { d.stage.gate.watch(ctx) })
	d.stage.running.Go(func() { d.stage.gate.follow(ctx) })
	return nil
}

// acts plays one act after the other. first has those whose version 1 runs.
func (d *demo) acts(ctx context.Context, first map[int]*performance) ([]result, error) {
	var results []result
	for _, a := range chosen(d.opts.acts) {
		rs, err := d.act(ctx, a, first[a.number])
		if err != nil {
			return nil, err
		}
		results = append(results, rs...)
	}
	return results, nil
}

// act plays one act, says how it ended and purges its jobs.
func (d *demo) act(ctx context.Context, a act, p *performance) ([]result, error) {
	proxy, err := d.stage.gate.proxy(ctx)
	if err != nil {
		return nil, err
	}
	d.screen.head(fmt.Sprintf("Act %d: %s", a.number, a.title))
	d.screen.say(a.about)
	d.screen.say(a.settings(p.sides[0].job, d.opts.rate, proxy)...)
	err = d.step("waiting until version 1 runs on both sides and Traefik routes to it", func() error {
		if err := p.awaitReady(); err != nil {
			return err
		}
		return p.awaitRouted(ctx)
	})
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.doing, d.cast = fmt.Sprintf("act %d: %s", a.number, a.title), p
	d.mu.Unlock()
	results, err := p.play(ctx)
	if err != nil {
		return nil, err
	}
	d.settle()
	d.screen.say(summary(results)...)
	if d.opts.keep {
		return results, nil
	}
	return results, p.strike(ctx)
}

// settle takes the live part off the screen.
func (d *demo) settle() {
	d.mu.Lock()
	d.doing, d.cast = "", nil
	d.mu.Unlock()
}

// linger leaves everything running until the context ends.
func (d *demo) linger(ctx context.Context) {
	d.settle()
	st := d.stage
	last := d.opts.acts[len(d.opts.acts)-1]
	d.screen.head("Everything runs on until Ctrl-C")
	d.screen.say(
		"Nomad      http://"+st.stack.NomadAddr+"/ui",
		"Consul     http://"+st.stack.ConsulAddr+"/ui",
		"Traefik    "+st.proxy.Entry+" for requests, such as: curl -H 'Host: "+jobName(last, true)+".test' "+st.proxy.Entry,
		"           "+st.proxy.API+"/api/rawdata for what it routes",
		"draingate  http://"+st.gate.addr+"/v1/deployments, or: go run ./cmd/draingate status --addr "+st.gate.addr,
		"files      "+st.stack.Dir)
	<-ctx.Done()
}

// keepLogs makes close leave the logs, and returns where they are.
func (d *demo) keepLogs() string {
	if d.stage.stack == nil {
		return ""
	}
	return d.stage.stack.KeepLogs()
}

// close ends everything.
func (d *demo) close() error {
	d.stop()
	d.stage.running.Wait()
	d.screen.close()
	if d.stage.stack == nil {
		return nil
	}
	d.screen.say("ending all servers")
	return d.stage.stack.Close()
}
