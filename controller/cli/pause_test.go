package cli_test

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/status"
)

// pauser is a program with variables of its own, whose endpoint answers how parks
// stand.
func pauser(t *testing.T, parks func() status.ParkList) (p cli.Program, addr string, errs *writer) {
	t.Helper()
	srv, err := status.Listen(t.Context(), "127.0.0.1:0", status.NewHandler(status.Options{
		Store: status.NewStore(), Parks: func() (status.ParkList, error) { return parks(), nil },
	}))
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(t.Context()) }()
	t.Cleanup(func() { require.NoError(t, <-served) })
	variables := fileOverrides{t.TempDir()}
	errs = new(writer)
	return cli.Program{
		Stdout: new(writer), Stderr: errs, Environ: os.Environ(), Overrides: func() (cli.Overrider, error) { return variables, nil },
	}, srv.Addr().String(), errs
}

func pausesOf(t *testing.T, p cli.Program) map[string]time.Time {
	t.Helper()
	nomad, err := p.Overrides()
	require.NoError(t, err)
	items, err := nomad.Override(t.Context(), "default", "web")
	require.NoError(t, err)
	all, err := park.ReadPauses(items[model.OverridePause])
	require.NoError(t, err)
	return all
}

func TestCtrlCLeavesThePauseAndSaysHowToResume(t *testing.T) {
	asked := atomic.Int32{}
	ctx, interrupt := context.WithCancel(t.Context())
	p, addr, errs := pauser(t, func() status.ParkList {
		if asked.Add(1) == 2 {
			interrupt()
		}
		return status.ParkList{Now: time.Now()}
	})
	require.Equal(t, exit.Usage, p.Main(ctx, []string{"pause", "web", "--addr", addr}))
	require.Contains(t, string(*errs), "service web is in force: interrupted: the pause stays written and ends at 20")
	require.Contains(t, string(*errs), "draingate resume web")
	require.Contains(t, pausesOf(t, p), "web")
}

func TestAPauseCountsByTheClockOfTheEndpoint(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 5e8, time.UTC)
	p, addr, _ := pauser(t, func() status.ParkList { return status.ParkList{Now: now} })
	require.Equal(t, exit.OK, p.Main(t.Context(), []string{"pause", "web", "--detach", "--max", "30s", "--addr", addr}))
	require.Equal(t, map[string]time.Time{"web": now.Add(30500 * time.Millisecond)}, pausesOf(t, p))

	// What is over by then is dropped, what is not stays.
	now = now.Add(time.Minute)
	require.Equal(t, exit.OK, p.Main(t.Context(), []string{"pause", "shop", "--detach", "--addr", addr}))
	require.Equal(t, exit.OK, p.Main(t.Context(), []string{"pause", "slow", "--detach", "--addr", addr}))
	all := pausesOf(t, p)
	require.Len(t, all, 2)
	require.NotContains(t, all, "web")
}

func TestResumeWaitsUntilThePlaceholdersHaveLeft(t *testing.T) {
	steps := []string{"parking", "leaving", "out"}
	asked := atomic.Int32{}
	p, addr, errs := pauser(t, func() status.ParkList {
		step := steps[min(int(asked.Add(1))-1, len(steps)-1)]
		return status.ParkList{Now: time.Now(), Parks: []status.Park{{Service: "web", Step: step, Reason: "Released", Message: step}}}
	})
	require.Equal(t, exit.OK, p.Main(t.Context(), []string{"resume", "web", "--addr", addr}))
	require.EqualValues(t, 3, asked.Load())
	require.Contains(t, string(*errs), "Released: leaving")
}

func TestAPauseThatIsOverBeforeItIsInForceIsNoSuccess(t *testing.T) {
	asked := atomic.Int32{}
	p, addr, errs := pauser(t, func() status.ParkList {
		return status.ParkList{Now: time.Now().Add(time.Duration(asked.Add(1)-1) * time.Hour)}
	})
	require.Equal(t, exit.TimedOut, p.Main(t.Context(), []string{"pause", "web", "--addr", addr}))
	require.Contains(t, string(*errs), "ended by itself before it was in force")
}
