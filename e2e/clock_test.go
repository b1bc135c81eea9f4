//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/jump"
)

// dates are those of a deployment in the status.
type dates struct {
	Since, Observed time.Time
	Conditions      []struct {
		Type  string
		Since time.Time
	}
}

// dated reads them; false where there is no answer.
func (c *controller) dated(id string) (dates, bool) {
	code, body := c.get("/v1/deployments/" + id)
	var d dates
	return d, code == http.StatusOK && json.Unmarshal([]byte(body), &d) == nil
}

// jumps sends the signal and waits until the status is of a clock that is off
// by so much. No date in it may then lie in its future, nor be of before.
func (c *controller) jumps(sig syscall.Signal, by time.Duration, id string) {
	c.t.Helper()
	require.NoError(c.t, c.process.Signal(sig))
	var d dates
	c.eventually(20*time.Second, "observed by a clock that is off by "+by.String(), func() (bool, string) {
		var ok bool
		d, ok = c.dated(id)
		return ok && (time.Until(d.Observed)-by).Abs() < 10*time.Second, d.Observed.String()
	})
	off := func(of string, t time.Time) {
		age := d.Observed.Sub(t)
		require.True(c.t, age >= 0 && age < 10*time.Minute, "%s is %s old when it is observed", of, age)
	}
	off("the decision", d.Since)
	for _, condition := range d.Conditions {
		off(condition.Type, condition.Since)
	}
	require.True(c.t, c.leads(), "the lease counts by the monotonic clock")
	code, body := c.get("/readyz")
	require.Equal(c.t, http.StatusOK, code, body)
}

// blamesNoClock requires that nothing was said of a deployment that only its
// own clock could have made so: other trouble may come at any time, as from a
// machine that is busy.
func (c *controller) blamesNoClock(id string) {
	c.t.Helper()
	code, body := c.get("/v1/deployments/" + id + "/history")
	require.Equal(c.t, http.StatusOK, code, body)
	var events []struct{ Type, Decision, Reason, Message string }
	require.NoError(c.t, json.Unmarshal([]byte(body), &events))
	require.NotEmpty(c.t, events)
	for _, e := range events {
		require.NotEqual(c.t, "Fail", e.Decision, e.Message)
		require.NotRegexp(c.t, `not come yet|last read \d+[hm]|-\d+m?s`, e.Message)
	}
}

// The wall clock of draingate's machine is set an hour ahead and two hours
// back. What is held stays held for the same reason and is not failed by a
// deadline that has not come; what is about to be promoted is, and loses nothing.
func TestTheWallClockJumps(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gateFrom(t, s, clockBinary(t), s.Name("draingate/leader"), nil, "run", "--traefik-service", through[0].Options.Service)

	job := quick(s, "heldclock")
	job.Meta = map[string]string{"draingate_hold_deadline": "30m", "draingate_on_deadline": "fail"}
	preview := job
	preview.Name += "-canary"
	job.CanaryTags = preview.Route(through[0].Options.Prefix)
	held := begin(t, s, job, through, nil)
	g.holds(job.Name, "CanaryOtherRouter")
	g.eventually(time.Minute, "waiting for nothing but its promotion", func() (bool, string) {
		d, _ := g.of(job.Name, 1)
		_, message := d.condition("WithinDeadline")
		return strings.Contains(message, "waits since"), message
	})
	id := g.nomadDeployment(job.Name).ID

	promoted := begin(t, s, quick(s, "promotedclock"), through, nil)
	g.almost(promoted.job.Name, 1)
	g.jumps(syscall.SIGUSR1, jump.By, id)
	g.jumps(syscall.SIGUSR2, -jump.By, id)
	promoted.losesNothing(g)

	g.jumps(syscall.SIGUSR1, jump.By, id)
	held.keepsServing(g, 5*time.Second)
	d := g.holds(job.Name, "CanaryOtherRouter")
	status, message := d.condition("WithinDeadline")
	require.Equal(t, "True", status, message)
	require.Contains(t, message, "ends at "+time.Now().Add(jump.By).UTC().Format("2006-01-02"))
	g.blamesNoClock(id)
	_, body := g.get("/metrics")
	require.Contains(t, body, `draingate_failures_total{result="accepted"} 0`)
	require.Contains(t, body, "draingate_deployments_overdue 0\n")
}
