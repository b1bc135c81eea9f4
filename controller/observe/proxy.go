package observe

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// identity is which process answered.
type identity struct {
	version string
	started time.Time
}

// readProxy reads one proxy, which the allocation runs, if any is known. All its answers together have the time of one call.
func (o *Observer) readProxy(ctx context.Context, url, allocID string) model.Proxy {
	ctx, cancel := context.WithTimeout(ctx, o.options.CallTimeout)
	defer cancel()
	p := model.Proxy{Name: hostPort(url), URL: url}
	before := o.readIdentity(ctx, url)
	if !before.Known() {
		return unreadable(p, before.At, before.Err)
	}
	p.Ambiguous = o.memory.met(url, before.Value.started, before.At)
	settings, told := o.readSettings(ctx, url, allocID, before)
	routing := read(ctx, o.options.CallTimeout, func(ctx context.Context) (model.Routing, error) {
		return o.ports.Traefik.Routing(ctx, url)
	})
	after := o.readIdentity(ctx, url)
	if !after.Known() {
		// A read that used up the time is the cause, not the one that had none left.
		return unreadable(p, before.At, cmp.Or(settings.Err, routing.Err, after.Err))
	}
	if ambiguous := o.memory.met(url, after.Value.started, after.At); ambiguous != "" {
		p.Ambiguous = ambiguous
	}
	if !after.Value.started.Equal(before.Value.started) {
		return unreadable(p, before.At, errAnotherProcess.Error())
	}
	if told {
		o.memory.keep(url, before.Value.started, settings.Value)
	}
	p.Version = before.Value.version
	p.Started = model.Seen(before.Value.started, before.At)
	p.Settings = settings
	p.Routing = routing
	return p
}

func (o *Observer) readIdentity(ctx context.Context, url string) model.Fact[identity] {
	return read(ctx, o.options.CallTimeout, func(ctx context.Context) (identity, error) {
		version, started, err := o.ports.Traefik.Version(ctx, url)
		if err == nil && started.IsZero() {
			err = errors.New("the API does not tell when Traefik started")
		}
		return identity{version, started}, err
	})
}

// unreadable says of every fact that it is not known.
func unreadable(p model.Proxy, at time.Time, why string) model.Proxy {
	p.Started = model.Unseen[time.Time](at, why)
	p.Settings = model.Unseen[model.ProxySettings](at, why)
	p.Routing = model.Unseen[model.Routing](at, why)
	return p
}
