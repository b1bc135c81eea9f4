package main

import (
	"context"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// way is one way to hold requests while a single writer is replaced.
type way struct {
	name string
	// shape makes the job what the way needs it to be.
	shape func(*harness.Sample)
	// fixed has every instance serve on one port.
	fixed bool
	// open starts what stands before the job.
	open func(context.Context, *scene) (front, error)
}

// front is what stands before the job.
type front interface {
	// entry is the base URL that requests are sent to.
	entry() string
	// deploy submits the new version and does what a person, or a tool of theirs,
	// has to do besides. It returns when nothing is left to do.
	deploy(ctx context.Context, submit func(context.Context) error) error
	// close ends it.
	close() error
}

// noDelay leaves the job as it is: the shortest outage, for a proxy that holds
// requests whenever the address is dead.
func noDelay(*harness.Sample) {}

// noticed has the catalog go on listing the old instance, which serves, while a
// proxy that polls learns what is coming, and then serve on until it was dropped.
func noticed(s *harness.Sample) {
	s.TaskService, s.ShutdownDelay, s.TaskShutdownDelay = true, 6*time.Second, 6*time.Second
}

// ways are all that can be compared, in the order in which they are shown.
func ways() []way {
	return []way{
		{name: "traefik", shape: noticed, open: openTraefik},
		{name: "draingate", shape: parked, open: openDraingate},
		{name: "caddy-fixed", shape: noDelay, fixed: true, open: caddy{}.open},
		{name: "caddy-fixed-checked", shape: noDelay, fixed: true, open: caddy{checked: true}.open},
		{name: "caddy-reload", shape: noDelay, open: caddy{reload: true}.open},
		{name: "caddy-srv", shape: noDelay, open: caddy{srv: true}.open},
		{name: "kamal-proxy", shape: noDelay, open: openKamal},
	}
}

func wayNames() []string {
	var out []string
	for _, w := range ways() {
		out = append(out, w.name)
	}
	return out
}
