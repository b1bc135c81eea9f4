package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// liftTries is how often a record is read and written where its owner writes it
// at the same time.
const liftTries = 5

// liftedByHand is the message of a record that a person ended.
const liftedByHand = "lifted by a person"

// FenceLifter ends fences for a person, with that person's own Consul token.
type FenceLifter struct {
	client *consul.Client
	keys   fence.Keys
	now    func() time.Time
}

// NewFenceLifter connects to the Consul of Consul's own variables; the records
// lie below the key of the leader's lock. It asks nothing yet.
func NewFenceLifter(leaderKey string) (*FenceLifter, error) {
	c, err := consul.New(consul.Options{})
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return &FenceLifter{client: c, keys: fence.KeysUnder(leaderKey), now: time.Now}, nil
}

// Fences returns all records and the instances that are present on a node.
func (l *FenceLifter) Fences(ctx context.Context) (status.FenceList, error) {
	list, err := readFences(ctx, l.client, l.keys)
	return list, seen(err)
}

// Lift writes the record of a deployment as ended, as it stands when it is
// written: one that is armed by then is refused without force. It returns it as
// it is then, and false where it had ended already and nothing was written.
func (l *FenceLifter) Lift(ctx context.Context, key model.Key, force bool) (status.Fence, bool, error) {
	for range liftTries {
		held, index, err := l.record(ctx, key)
		if err != nil {
			return status.Fence{}, false, err
		}
		if held.Record.Step == fence.StepEnded {
			return fenceOf(held), false, nil
		}
		if held.Record.Step == fence.StepArmed && !force {
			return fenceOf(held), false, exit.With(exit.Failed, armed(held.Record))
		}
		held.Record = l.ended(held.Record)
		value, err := held.Record.Encode()
		if err != nil {
			return status.Fence{}, false, err
		}
		if done, err := l.client.Replace(ctx, l.keys.Record(key), value, index); err != nil || done {
			return fenceOf(held), done, seen(err)
		}
	}
	return status.Fence{}, false, exit.With(exit.Failed, fmt.Errorf("write key %s: somebody else wrote it %d times in the meantime: try again", l.keys.Record(key), liftTries))
}

// record reads one record and the index at which it was written.
func (l *FenceLifter) record(ctx context.Context, key model.Key) (fence.Held, uint64, error) {
	name := l.keys.Record(key)
	stored, _, err := l.client.List(ctx, name, 0, 0)
	if err != nil {
		return fence.Held{}, 0, seen(err)
	}
	i := slices.IndexFunc(stored, func(s model.Stored) bool { return s.Key == name })
	if i < 0 {
		return fence.Held{}, 0, exit.With(exit.Failed, fmt.Errorf("key %s is gone: the fence of deployment %s has ended", name, model.Short(key.Deployment)))
	}
	held, err := l.keys.Held(stored[i : i+1])
	if err != nil {
		return fence.Held{}, 0, exit.With(exit.Failed, err)
	}
	return held[0], stored[i].Index, nil
}

// ended is the record after a person has ended it. What was told to stop stays
// as it is, and so does whose pause it is: a leader sees to that one.
func (l *FenceLifter) ended(r fence.Record) fence.Record {
	r.Step, r.Reason, r.Message = fence.StepEnded, fence.ReasonFenceAborted, liftedByHand
	r.Set, r.Call, r.Final = nil, "", false
	r.Seq++
	r.Mark, r.Owner, r.Written = rand.Text(), person(), l.now()
	return r
}

func armed(r fence.Record) error {
	return fmt.Errorf("the fence of deployment %s (job %s) is armed: a call to Nomad that stops %s may be on its way. Look again in a few seconds (draingate fence list). "+
		"--force lifts it all the same; what is stopped then is routed to while it ends, and those requests are lost", model.Short(r.Deployment), r.Job, strings.Join(fence.Names(r.Set), ", "))
}

// person is who wrote a record that no instance did.
func person() string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return "draingate fence lift on " + host
}

// Local returns the name of the Consul agent that is asked, and its services
// that are in maintenance because of a fence, with the fence's deployment, sorted
// by service.
func (l *FenceLifter) Local(ctx context.Context) (string, []status.LocalFence, error) {
	agent, err := l.client.AgentName(ctx)
	if err != nil {
		return "", nil, seen(err)
	}
	services, err := l.client.LocalServices(ctx)
	var out []status.LocalFence
	for _, s := range services {
		if deployment, ours := l.keys.Ours(s.Reason); ours && s.Maintenance {
			out = append(out, status.LocalFence{Service: s.ID, Deployment: deployment})
		}
	}
	return agent, out, seen(err)
}

// LiftLocal ends the maintenance of a service for this deployment on the Consul
// agent that is asked, and returns false where it is not in it any more.
func (l *FenceLifter) LiftLocal(ctx context.Context, f status.LocalFence) (bool, error) {
	done, err := l.client.LiftMaintenance(ctx, f.Service, l.keys.Reason(f.Deployment))
	return done, seen(err)
}

// seen gives an error of Consul's its exit code.
func seen(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, consul.ErrForbidden), errors.Is(err, consul.ErrNoLeader), errors.Is(err, consul.ErrUnreachable):
		return exit.With(exit.CannotSee, err)
	default:
		return exit.With(exit.Failed, err)
	}
}
