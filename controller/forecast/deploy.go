package forecast

import (
	"errors"
	"fmt"
	"time"
)

// Latencies of Nomad and of draingate that no setting decides; each is drawn
// from nothing to these.
const (
	// HealthLatency is from a canary's min_healthy_time being over to the old
	// instances leaving the catalog: checks are looked at every 500 ms
	// (Nomad v1.11.3, client/allochealth/tracker.go), a client reports every
	// 200 ms (client/client.go), a server batches 50 ms (nomad/node_endpoint.go).
	HealthLatency = 800 * time.Millisecond
	// BatchLatency is added where the next batch waits for the health of the one
	// before: evaluations of a job are 1 s apart and then batched for 250 ms
	// (nomad/deploymentwatcher, v1.11.3).
	BatchLatency = 1250 * time.Millisecond
	// RestartLatency is from the end of an allocation to the start of its
	// replacement's task.
	RestartLatency = time.Second
	// PollLatency is how often draingate looks at a deployment that waits, by
	// default.
	PollLatency = 500 * time.Millisecond
)

// MaxTurns is the largest number of batches that a deploy is followed through.
const MaxTurns = 64

// Deploy is one deploy of one service, as far as a loss depends on it.
type Deploy struct {
	// Count, Canary and MaxParallel are those of the group; a MaxParallel of 0
	// replaces all instances at once, as Nomad does.
	Count, Canary, MaxParallel int
	// Apart is true where the canaries' tags keep them out of the pool of the
	// old instances until they are promoted.
	Apart bool
	// MinHealthyTime is Nomad's.
	MinHealthyTime time.Duration
	// CheckInterval is that of the slowest check; 0 for no check at all.
	CheckInterval time.Duration
	// Blind is true where Nomad's health does not ask those checks. Others is the
	// interval of the slowest check of another service that it does ask; 0 for
	// none.
	Blind  bool
	Others time.Duration
	// Listed says when the proxy takes a new instance into its pool.
	Listed Listing
	// WarmUp is how long a new instance answers 503, and fails its checks, after
	// its task started.
	WarmUp time.Duration
	// Served is S, how long an old instance goes on serving after it left the
	// catalog; Drain is the part of that after the stop signal, in which it fails
	// its checks. Lead is how long it stays in the catalog, serving, after Nomad
	// was told to stop it.
	Served, Drain, Lead time.Duration
	// Request is L: each request takes this long, and is lost if its instance
	// ends before.
	Request time.Duration
	Proxy   Proxy
	// Window is how long the gate must see the start side before it promotes.
	Window time.Duration
}

// Listing says when a proxy takes a new instance into its pool.
type Listing int

// When an instance is listed.
const (
	// ListedPassing is when its checks pass.
	ListedPassing Listing = iota
	// ListedFirst is from its registration until its check first fails, and then
	// when it passes: an initial_status that the proxy accepts.
	ListedFirst
	// ListedAlways is from its registration: a service without a check, a proxy
	// that accepts critical instances, or Nomad's own catalog.
	ListedAlways
)

// Proxy is how the proxy sees the catalog and its servers.
type Proxy struct {
	// RefreshInterval is the time between two loads of the catalog. 0 is a proxy
	// that watches and loads at each change.
	RefreshInterval time.Duration
	// Throttle is the least time between two configurations that it takes, of
	// which the newest counts.
	Throttle time.Duration
	// Load is the time that one load takes, Apply the longest until its result
	// is in force.
	Load, Apply time.Duration
	// CheckEvery and RecheckEvery are the intervals of the proxy's own health
	// check for servers that are UP and DOWN; 0 for none.
	CheckEvery, RecheckEvery time.Duration
	// Attempts is how many servers a request is sent to at most, if those before
	// refused the connection.
	Attempts int
}

// Check says what of the deploy makes no sense, or is nil.
func (d Deploy) Check() error {
	if d.Count < 1 {
		return fmt.Errorf("count is %d: there is no instance to replace", d.Count)
	}
	if d.Canary < 0 || d.MaxParallel < 0 {
		return errors.New("canary and max_parallel must not be below 0")
	}
	if n := d.turns(); n > MaxTurns {
		return fmt.Errorf("the deploy goes through %d batches and no more than %d are followed: raise canary or max_parallel", n, MaxTurns)
	}
	for _, t := range []time.Duration{
		d.MinHealthyTime, d.CheckInterval, d.Others, d.WarmUp, d.Served, d.Drain, d.Lead, d.Request, d.Window, d.Proxy.RefreshInterval,
		d.Proxy.Throttle, d.Proxy.Load, d.Proxy.Apply, d.Proxy.CheckEvery, d.Proxy.RecheckEvery,
	} {
		if t < 0 || t > MaxTime {
			return fmt.Errorf("%s is not a time from 0 to %s", t, MaxTime)
		}
	}
	return nil
}

// MaxTime is the longest time that can be reckoned with.
const MaxTime = 24 * time.Hour

// batch is how many instances are replaced at a time.
func (d Deploy) batch() int {
	if d.MaxParallel == 0 {
		return d.Count
	}
	return d.MaxParallel
}

// turns is how often old instances are told to stop.
func (d Deploy) turns() int {
	rest := max(0, d.Count-d.Canary)
	return max(1, (rest+d.batch()-1)/d.batch())
}
