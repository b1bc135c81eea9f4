package app

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"github.com/draingate/draingate/controller/park"
)

// aboutPark has the questions about what a park needs; none where this instance
// parks for nothing.
func (a *App) aboutPark() []question {
	if !parks(a.options) {
		return nil
	}
	return []question{
		{"Nomad's jobs", func(ctx context.Context) (string, error) {
			jobs, variables, err := a.nomad.CheckJobs(ctx)
			return fmt.Sprintf("%d service jobs and %d variables of jobs can be listed: where there are more, the token needs list-jobs, and list on the variables \"draingate/jobs/*\"; "+
				"only what it sees is parked for; --no-park does without", jobs, variables), err
		}},
		{"The park", a.askPark},
		{"Open files", func(context.Context) (string, error) { return a.askFiles(), nil }},
	}
}

// askPark reads what an instance needs of its own Consul agent and of the records,
// opens the session of a presence and ends it, and listens for a moment. No
// placeholder is registered, which could send requests to it: askServices asks about
// that.
func (a *App) askPark(ctx context.Context) (string, error) {
	node, err := a.consul.AgentName(ctx)
	if err != nil {
		return "", err
	}
	if _, err := a.consul.LocalServices(ctx); err != nil {
		return "", err
	}
	address := a.options.Park.Address
	if address == "" {
		if address, err = a.consul.AgentAddress(ctx); err != nil {
			return "", err
		}
	}
	if err := listens(ctx, cmp.Or(a.options.Park.Bind, address)); err != nil {
		return "", err
	}
	keys := park.KeysUnder(a.options.Leader.Key)
	can, err := a.askKeys(ctx, keys.Prefix)
	return fmt.Sprintf("this is the node %s, whose listeners every Traefik must reach at %s (%s); what lies below %s %s; no placeholder was registered; --no-park does without",
		node, address, portsOf(a.options.Park.FirstPort, a.options.Park.LastPort), keys.Prefix, can), err
}

func portsOf(first, last uint16) string {
	if first == 0 {
		return "any free port: --park-ports has some for a firewall"
	}
	return fmt.Sprintf("ports %d to %d", first, last)
}

// listens tries whether an address is one of this machine.
func listens(ctx context.Context, host string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return fmt.Errorf("listen on %s: %w: give an address of this machine with --park-bind, and the one at which every Traefik reaches it with --park-address", host, err)
	}
	return l.Close()
}

// askFiles says whether the bound on requests is within reach. That it is not fails
// nothing: few services come near it, and the start warns of it as well.
func (a *App) askFiles() string {
	limit := openFiles()
	if why := tooFewFiles(limit, a.options.Park.Requests); why != "" {
		return "not all that may wait can: " + why
	}
	return fmt.Sprintf("the limit is %d, and %d requests that wait need %d", limit, a.options.Park.Requests, filesNeeded(a.options.Park.Requests))
}
