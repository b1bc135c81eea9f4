package main

import (
	"fmt"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// act is one deploy, done by both sides, and what it is to show.
type act struct {
	number int
	title  string
	// about says what is going to happen.
	about string
	// delay is the shutdown_delay of version 1.
	delay time.Duration
	// fence is draingate_fence in the meta of both jobs; empty where they do not say.
	fence string
	// fenced is the act in which Nomad's promotion loses requests, and draingate's
	// loses none because it takes version 1 out of rotation first.
	fenced bool
	// cure has draingate hold a first attempt for the reason and name a
	// shutdown_delay, with which both sides then submit the running version.
	cure bool
	// sicken turns the canaries critical right after Nomad called them healthy.
	sicken bool
	// reason is why draingate is to hold; empty where it is not to.
	reason string
	// lasts is about how long it takes, for the announcement.
	lasts time.Duration
}

// promotes reports whether draingate is to promote in the end.
func (a act) promotes() bool { return a.reason == "" || a.cure }

func allActs() []act {
	return []act{
		{
			number: 1, title: "Traefik's default refreshInterval and no shutdown_delay", lasts: 55 * time.Second, fenced: true,
			about: "Nomad promotes as soon as the canary is healthy and stops version 1, while Traefik routes on from an older list, " +
				"for nothing to 15 s, as chance has it. draingate first takes version 1 out of rotation in Consul, sees every Traefik drop it, and only then promotes.",
		},
		{
			number: 2, title: "the same job without a fence: a hold, and its cure", cure: true, fence: "never", lasts: 2 * time.Minute,
			reason: "DrainUnsafe",
			about: "draingate holds version 2 and names a cure. It is followed under load: the canary is taken out of Consul, and the running version is submitted with the " +
				"shutdown_delay that draingate named, a second of room, and nothing else changed (Nomad changes it in place); then version 2 again. " +
				"Nomad's side would have promoted at once, as in act 1; it is given the cure too.",
		},
		{
			number: 3, title: "the canary turns critical after Nomad called it healthy", delay: longDelay, sicken: true, lasts: 55 * time.Second,
			reason: "CanaryNotPassing",
			about: "On both sides /readyz of the canary answers 503 from the moment Nomad says healthy. Nomad sets health once and never looks " +
				"again, so auto_promote goes on; draingate holds and version 1 serves on.",
		},
	}
}

// chosen are the acts with these numbers.
func chosen(numbers []int) []act {
	var out []act
	for _, n := range numbers {
		out = append(out, allActs()[n-1])
	}
	return out
}

// spare is the room that the demo adds to the delay that draingate named. That
// one is the smallest that does, for the load of the catalog as it was measured
// then; a busy machine may take longer for the next.
const spare = time.Second

// longDelay is long enough for Traefik's defaults, for which draingate names 19 s.
const longDelay = 19*time.Second + spare

// job is the job of one side of an act. The two sides differ in the name, and
// so in the host that Traefik routes to them, and in who promotes.
func (a act) job(gated bool) harness.Sample {
	j := harness.Sample{
		Name: jobName(a.number, gated), Version: "1", AutoPromote: !gated, Meta: map[string]string{"draingate_mode": "off"},
		Warmup: 3 * time.Second, CheckInterval: 2 * time.Second, MinHealthyTime: 2 * time.Second, KillTimeout: 5 * time.Second,
		ShutdownDelay: a.delay,
	}
	if gated {
		j.Meta["draingate_mode"] = "enforce"
	}
	if a.fence != "" {
		j.Meta["draingate_fence"] = a.fence
	}
	j.Tags = j.Route("traefik")
	return j
}

// settings are what is printed before an act, of the values that are used.
func (a act) settings(j harness.Sample, rate int, proxy string) []string {
	wait := fmt.Sprintf("shutdown_delay %s", j.ShutdownDelay)
	if a.cure {
		wait += ", then what draingate names, changed in place under load"
	}
	fence := "draingate_fence is not set: auto, which fences where no setting proves that version 1 outlives its routes"
	if a.fence != "" {
		fence = fmt.Sprintf("draingate_fence = %q", a.fence)
	}
	return []string{
		"Traefik    " + proxy,
		fmt.Sprintf("job        %s; kill_timeout %s; min_healthy_time %s", wait, j.KillTimeout, j.MinHealthyTime),
		"           " + fence,
		fmt.Sprintf("check      /readyz every %s", j.CheckInterval),
		fmt.Sprintf("process    warms up for %s; exits at once on the stop signal", j.Warmup),
		fmt.Sprintf("load       %d requests a second on each side, whether or not answers come; no retry", rate),
		"Nomad      " + settingsOf(false),
		"draingate  " + settingsOf(true) + "; all else is the same",
	}
}

// jobName is also the name of the service, and with .test that of the host.
func jobName(act int, gated bool) string {
	if gated {
		return fmt.Sprintf("act%d-gated", act)
	}
	return fmt.Sprintf("act%d-auto", act)
}
