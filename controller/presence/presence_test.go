package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

const ttl = 10 * time.Second

// fakeConsul has at most one session and one key.
type fakeConsul struct {
	mu      sync.Mutex
	name    string
	made    int
	session string
	stored  []model.Stored
	held    bool
	err     error
}

func (c *fakeConsul) with(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *fakeConsul) AgentName(context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name, c.err
}

func (c *fakeConsul) OpenPresence(context.Context, string, time.Duration) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	c.session = fmt.Sprint("s", c.made)
	return c.session, c.err
}

func (c *fakeConsul) RenewSession(_ context.Context, id string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return id == c.session, c.err
}

func (c *fakeConsul) CloseSession(context.Context, string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.stored = "", nil
	return c.err
}

func (c *fakeConsul) TakeLock(_ context.Context, key string, value []byte, session string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held || c.err != nil {
		return false, c.err
	}
	c.stored = []model.Stored{{Key: key, Value: value, Session: session}}
	return true, nil
}

func (c *fakeConsul) List(context.Context, string, uint64, time.Duration) ([]model.Stored, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored, 1, c.err
}

// is what is stored: the key, the value and the session.
func (c *fakeConsul) is() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, s := range c.stored {
		out = append(out, s.Key+" "+string(s.Value)+" "+s.Session)
	}
	return strings.Join(out, ", ")
}

// present has what a presence told of itself.
type present struct {
	mu    sync.Mutex
	until time.Time
	err   error
}

func (p *present) told() (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.IsZero() {
		return 0, p.err
	}
	return time.Until(p.until), p.err
}

// start runs a presence in a bubble until the returned function is called.
func start(c *fakeConsul) (*Presence, *present, func()) {
	told := &present{}
	p := New(c, Options{
		TTL: ttl, Instance: "pod/1", Key: func(node string) string { return "nodes/" + node }, Named: func(string) {}, Said: func(error) {},
		Present: func(until time.Time) { told.mu.Lock(); told.until = until; told.mu.Unlock() },
		Report:  func(_ context.Context, err error) { told.mu.Lock(); told.err = err; told.mu.Unlock() },
	}, []byte("one"))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	synctest.Wait()
	return p, told, func() { cancel(); <-done; p.Close(ctx) }
}

func after(d time.Duration) { time.Sleep(d); synctest.Wait() }

func TestItSaysWhatItIsToSayAsLongAsItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeConsul{name: "n1"}
		p, told, stop := start(c)
		require.Equal(t, "nodes/n1 one s1", c.is())
		left, err := told.told()
		require.NoError(t, err)
		require.Equal(t, ttl, left)
		p.Say([]byte("two"))
		synctest.Wait()
		require.Equal(t, "nodes/n1 two s1", c.is(), "at once")
		c.with(func() { c.stored = nil })
		after(ttl / 4)
		require.Equal(t, "nodes/n1 two s1", c.is(), "somebody deleted it")
		c.with(func() { c.stored[0].Value = []byte("x") })
		after(ttl / 4)
		require.Equal(t, "nodes/n1 two s1", c.is(), "somebody changed it")
		stop()
		require.Empty(t, c.is())
		left, _ = told.told()
		require.Zero(t, left)
	})
}

func TestASessionThatIsGoneIsOpenedAnewWithTheNodesName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeConsul{name: "n1"}
		_, _, stop := start(c)
		defer stop()
		c.with(func() { c.session, c.stored, c.name = "", nil, "n2" })
		after(ttl / 4)
		require.Equal(t, "nodes/n2 one s2", c.is())
	})
}

func TestAKeyThatAnotherHoldsIsAProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeConsul{name: "n1", held: true}
		_, told, stop := start(c)
		defer stop()
		left, err := told.told()
		require.ErrorIs(t, err, errHeld)
		require.Zero(t, left, "nobody sees it")
		c.with(func() { c.held = false })
		after(ttl)
		left, err = told.told()
		require.NoError(t, err)
		require.Positive(t, left)
		c.with(func() { c.err = errors.New("refused") })
		after(2 * ttl)
		left, err = told.told()
		require.ErrorContains(t, err, "refused")
		require.Negative(t, left, "its time is over")
	})
}
