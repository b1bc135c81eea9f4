//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// fastPark is a row that most of the ends share.
func fastPark() parkRow {
	return parkRow{proxies: polls(2 * time.Second), notice: 6 * time.Second, load: harness.LoadOptions{Rate: 50}}
}

// parked waits until requests wait.
func (p *parkedJob) parked() {
	p.t.Helper()
	p.watch.until(time.Minute, "requests wait", func(seen parkSeen) bool { return seen.waiting > 0 })
}

// says waits until the deployment of the last version, which has no canaries, says so
// of its park.
func (p *parkedJob) says(status, text string) {
	p.t.Helper()
	p.g.eventually(10*time.Second, "the condition Parked is "+status+": "+text, func() (bool, string) {
		d, _ := p.g.of(p.job.Name, p.version)
		is, message := d.condition("Parked")
		return is == status && strings.Contains(message, "service "+p.job.Name+": "+text), d.String() + ": " + is + " " + message
	})
}

// over waits until nothing is left of the park but, at most, the note that it was
// given up.
func (p *parkedJob) over(d time.Duration) {
	p.t.Helper()
	p.watch.until(d, "the park is over", func(seen parkSeen) bool {
		step, there := seen.records[p.job.Name]
		return len(seen.placeholders) == 0 && len(seen.maintained) == 0 && (!there || step == "over")
	})
}

// A WebSocket that is opened while nobody is there to take it opens once somebody
// is, and works through the listener it came by.
func TestParkedWebSocket(t *testing.T) {
	t.Parallel()
	p := fastPark().begin(t)
	p.deploy(nil)
	p.parked()
	echo, err := p.through[0].Echo(within(t, time.Minute), p.job.Host())
	require.NoError(t, err)
	version, back, err := echo.Say("hello")
	require.NoError(t, err)
	require.Equal(t, []string{"2", "hello"}, []string{version, back})
	p.succeeds()
	// No proxy routes to the listener any more, and nobody cuts what it carries.
	version, back, err = echo.Say("still there")
	require.NoError(t, err)
	require.Equal(t, []string{"2", "still there"}, []string{version, back})
	require.NoError(t, echo.Close())
	p.lostNothing()
	p.leavesNothing()
}

// A version that does not come up is reverted, and is parked for until the old
// one is back.
func TestParkWithAutoRevert(t *testing.T) {
	t.Parallel()
	p := fastPark().begin(t)
	// Nomad gives up on a version when nothing came up for so long, and not before.
	p.deploy(func(job *harness.Sample) {
		job.Crash, job.AutoRevert, job.HealthyDeadline, job.ProgressDeadline = true, true, 20*time.Second, 24*time.Second
	})
	ctx := within(t, 3*time.Minute)
	_, err := p.s.AwaitDeployment(ctx, p.job.Name, "a revert that succeeds", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == p.version+1 && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(t, err)
	p.over(time.Minute)
	p.stop()
	for i, r := range p.reports {
		require.Zero(t, r.Lost, "lost through proxy %d: %v", i+1, r.LostBy)
		require.Equal(t, r.Requests, r.Versions["1"])
	}
	journalOf(t, p.job)
	p.leavesNothing()
}

// neverComesUp has requests wait for a version that crashes, for so long at most.
func neverComesUp(t *testing.T, wait time.Duration) *parkedJob {
	t.Helper()
	p := fastPark().begin(t)
	p.deploy(func(job *harness.Sample) { job.Crash, job.Park = true, wait })
	p.parked()
	return p
}

// A version that comes while requests wait for one that does not come up may define its
// router otherwise, which no Traefik takes beside a placeholder: the park ends for it.
func TestParkEndsForOtherTags(t *testing.T) {
	t.Parallel()
	p := neverComesUp(t, 40*time.Second)
	p.deploy(func(job *harness.Sample) {
		job.Crash = false
		job.Tags = append(slices.Clone(job.Tags), p.through[0].Options.Prefix+".http.routers."+job.Name+".priority=7")
	})
	p.watch.until(2*time.Minute, "placeholders leave", func(seen parkSeen) bool { return seen.records[p.job.Name] == "leaving" })
	require.Contains(t, p.g.parks(), "TagsDiffer")
	p.awaitSuccess()
	p.over(time.Minute)
	p.stop()
	for i, r := range p.reports {
		t.Logf("proxy %d: lost %d of %d, %v", i+1, r.Lost, r.Requests, r.LostBy)
		require.Positive(t, r.Versions["3"])
		require.Less(t, r.Lost, 8*fastPark().load.Rate, "what comes while a Traefik has both")
	}
	p.leavesNothing()
}

// A version that never comes up is waited for as long as the job says, and not
// longer; one that does is parked for anew.
func TestParkExpires(t *testing.T) {
	t.Parallel()
	p := neverComesUp(t, 8*time.Second)
	p.says("True", "no instance since ")
	p.watch.until(time.Minute, "it is given up", func(seen parkSeen) bool { return seen.records[p.job.Name] == "over" })
	p.over(10 * time.Second)
	require.Eventually(t, func() bool { return strings.Contains(p.g.parks(), "ParkExpired") }, 10*time.Second, 100*time.Millisecond)
	p.says("False", "no instance for ")

	p.deploy(func(job *harness.Sample) { job.Crash, job.Park = false, 40*time.Second })
	p.watch.until(time.Minute, "it is parked for anew", func(seen parkSeen) bool { return seen.records[p.job.Name] == "parking" })
	p.awaitSuccess()
	p.over(time.Minute)
	p.stop()
	for _, r := range p.reports {
		require.Positive(t, r.LostBy["503"], "the answers of the listener: %v", r.LostBy)
		require.Zero(t, r.LostBy["502"]+r.LostBy["refused"]+r.LostBy["timeout"], "%v", r.LostBy)
		require.Positive(t, r.Versions["3"])
	}
	p.leavesNothing()
}

// As many requests wait as may, each for its own answer; one more has its answer at
// once, and other services notice nothing. With DRAINGATE_PARK=all they are ten thousand.
// The clients share connections then, since each process here may have 20,000 files open.
func TestParkBounds(t *testing.T) {
	t.Parallel()
	bound, row, warm := 500, fastPark(), 10*time.Second
	row.load = harness.LoadOptions{Rate: 100, HTTP2: true}
	if everyPark() {
		bound, row.load.Rate, warm = 10_000, 500, 30*time.Second
	}
	p := row.begin(t, "--park-requests", strconv.Itoa(bound), "--park-requests-total", strconv.Itoa(2*bound))
	other := &parkedJob{t: t, s: p.s, g: p.g, key: p.key, through: p.through}
	fastPark().start(other, nil)
	before := resident(t, p.g.process)
	p.deploy(func(job *harness.Sample) { job.Warmup = warm })
	p.watch.until(time.Minute, "as many wait as may", func(seen parkSeen) bool { return seen.waiting == bound })
	grown := resident(t, p.g.process) - before
	t.Logf("%d requests wait, in %d MB more than before: %d KB each", bound, grown>>20, grown/int64(bound)>>10)
	refused, err := p.ask() //nolint:bodyclose // ask closes it
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, refused.StatusCode)
	require.NotEmpty(t, refused.Header.Get("Retry-After"))
	p.succeeds()
	p.stop()
	for _, r := range p.reports {
		require.Equal(t, r.Lost, r.LostBy["503"], "%v", r.LostBy)
	}
	other.stop()
	for i, r := range other.reports {
		require.Zero(t, r.Lost, "lost of the other service through proxy %d: %v", i+1, r.LostBy)
	}
	p.leavesNothing()
}

// ask sends one request through the first proxy.
func (p *parkedJob) ask() (*http.Response, error) {
	req, err := http.NewRequestWithContext(within(p.t, time.Minute), http.MethodGet, p.through[0].Entry, nil)
	if err != nil {
		return nil, err
	}
	req.Host = p.job.Host()
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return resp, err
}

// resident is how much memory a process has, in bytes (proc(5), statm).
func resident(t *testing.T, p *harness.Process) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID()))
	require.NoError(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

// Without advance notice a proxy may have neither the instance nor a placeholder:
// what that costs is measured, and lint and the docs say so.
func TestParkWithoutNotice(t *testing.T) {
	t.Parallel()
	row := fastPark()
	s := Shared(t)
	q := &parkedJob{t: t, s: s, through: proxySet(t, s, row.proxies...), key: s.Name("draingate/leader")}
	q.g = gateIn(t, s, q.key, nil, "run", "--traefik-service", q.through[0].Options.Service)
	row.start(q, func(job *harness.Sample) { job.TaskService = false })
	q.deploy(nil)
	q.succeeds()
	q.stop()
	for _, r := range q.reports {
		t.Logf("a service at the level of the group: lost %d of %d, %v", r.Lost, r.Requests, r.LostBy)
		require.Less(t, r.Lost, 4*row.load.Rate, "what comes until the proxy has the placeholder")
		require.Equal(t, r.Lost, r.LostBy["404"]+r.LostBy["503"]+r.LostBy["502"])
	}
}

// parks is what the status endpoint tells of parks.
func (c *controller) parks() string {
	code, body := c.get("/v1/parks")
	if code != http.StatusOK {
		return ""
	}
	return body
}
