package app

import (
	"context"
	"fmt"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// aboutFence has the questions about what a fence needs; none where there is no
// fence for a job that does not ask for one itself.
func (a *App) aboutFence() []question {
	if !fences(a.options) || a.options.Fence == model.FenceNever {
		return nil
	}
	return []question{
		{"Nomad's pause", func(context.Context) (string, error) {
			return "not tried; a fence needs pause-deployment and fail-deployment where a job has fewer canaries than instances, before Nomad 1.11.2 submit-job", nil
		}},
		{"The fence", a.askFence},
	}
}

// askFence reads what an instance needs of its own Consul agent and of the
// records, and opens the session of a presence and ends it. Maintenance is not set,
// which would take a service out of rotation: askServices asks about it.
func (a *App) askFence(ctx context.Context) (string, error) {
	node, err := a.consul.AgentName(ctx)
	if err != nil {
		return "", err
	}
	services, err := a.consul.LocalServices(ctx)
	if err != nil {
		return "", err
	}
	keys := fence.KeysUnder(a.options.Leader.Key)
	can, err := a.askKeys(ctx, keys.Prefix)
	return fmt.Sprintf("this is the node %s with %d services; what lies below %s %s; no service was put into maintenance; --fence never does without", node, len(services), keys.Prefix, can), err
}

// askKeys reads the records below a prefix, opens the session of a presence there
// and ends it, and says what askKey does.
func (a *App) askKeys(ctx context.Context, prefix string) (string, error) {
	if err := a.consul.CheckKeys(ctx, prefix); err != nil {
		return "", err
	}
	session, err := a.consul.OpenPresence(ctx, "draingate check", a.options.Leader.TTL)
	if err != nil {
		return "", err
	}
	if err := a.consul.CloseSession(ctx, session); err != nil {
		return "", err
	}
	return a.askKey(ctx, prefix)
}
