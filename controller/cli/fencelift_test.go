package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// stubFences has the fences of the status endpoint, and the first of those
// that may not be lifted without force. It tells on Stderr what was asked of it.
type stubFences struct{ key string }

func newStubFences(leaderKey string) (cli.FenceLifter, error) { return stubFences{leaderKey}, nil }

func (s stubFences) Fences(context.Context) (status.FenceList, error) {
	if os.Getenv("STUB") == "blind" {
		return status.FenceList{}, exit.With(exit.CannotSee, errors.New("list keys: consul is not reachable"))
	}
	list, err := fences()
	list.Fences[1].Set = []status.FencedInstance{{Name: "api.app[0]", Node: "node3", Services: []string{"s-node3"}}}
	return list, err
}

func (s stubFences) Lift(ctx context.Context, key model.Key, force bool) (status.Fence, bool, error) {
	if ctx.Err() != nil || ctx.Done() == nil {
		return status.Fence{}, false, errors.New("a write must be bounded, and not end with the command")
	}
	list, _ := fences()
	for _, f := range list.Fences {
		if f.Deployment != key.Deployment || f.Namespace != key.Namespace {
			continue
		}
		if f.Step == "armed" && !force {
			return f, false, exit.With(exit.Failed, errors.New("the fence is armed"))
		}
		done := f.Step != "ended"
		f.Step, f.Set = "ended", nil
		fmt.Fprintf(os.Stderr, "stub: lift %s beside %s, force %t\n", key.Deployment, s.key, force)
		return f, done, nil
	}
	return status.Fence{}, false, errors.New("no such record")
}

func (stubFences) Local(context.Context) (string, []status.LocalFence, error) {
	return "node2", []status.LocalFence{
		{Service: "s-node1", Deployment: "bbbb2222-0000"}, {Service: "s-node2", Deployment: "bbbb2222-0000"}, {Service: "s-x", Deployment: "99990000-0000"},
	}, nil
}

func (stubFences) LiftLocal(_ context.Context, f status.LocalFence) (bool, error) {
	fmt.Fprintf(os.Stderr, "stub: lift %s of %s\n", f.Service, f.Deployment)
	return true, nil
}
