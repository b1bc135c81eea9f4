package observe

import (
	"context"
	"errors"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// readSettings returns the static settings of the process with that identity,
// and whether the process, or its job, told them just now. They cannot change
// while it runs, so one read is enough, and the fact's time is when the process
// was last seen to be the same. The caller keeps them once it is sure that no
// other process answered in between.
func (o *Observer) readSettings(ctx context.Context, url, allocID string, of model.Fact[identity]) (fact model.Fact[model.ProxySettings], told bool) {
	if kept := o.memory.settings(url, of.Value.started); kept != nil {
		return model.Seen(*kept, of.At), false
	}
	settings, started, err := o.ports.Traefik.Settings(ctx, url)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && !started.Equal(of.Value.started) {
		o.memory.met(url, started, time.Now())
		err = errAnotherProcess
	}
	switch {
	case err == nil:
		return model.Seen(o.compared(ctx, settings, allocID), of.At), true
	case errors.Is(err, ErrNoSettings):
		return o.withoutProcess(ctx, err, allocID, of.At)
	default:
		return model.Unseen[model.ProxySettings](of.At, reason(err)), false
	}
}

// compared adds to what a process told how its job and the file contradict it.
// That it cannot be told what the job says takes nothing from the process's
// word.
func (o *Observer) compared(ctx context.Context, settings model.ProxySettings, allocID string) model.ProxySettings {
	if job, err := o.jobSettings(ctx, allocID); err == nil && job != nil {
		settings.Contradictions = append(settings.Contradictions, o.options.Contradictions(settings, *job)...)
	}
	if file := o.options.FileSettings; file != nil {
		settings.Contradictions = append(settings.Contradictions, o.options.Contradictions(settings, *file)...)
	}
	return settings
}

// withoutProcess goes by the job of a process that cannot be asked, and else by
// the file. A job that cannot be understood is not passed over: without a file
// nothing is known, and with one it is told.
func (o *Observer) withoutProcess(ctx context.Context, why error, allocID string, at time.Time) (fact model.Fact[model.ProxySettings], told bool) {
	job, err := o.jobSettings(ctx, allocID)
	file := o.options.FileSettings
	switch {
	case err == nil && job != nil:
		out := *job
		if file != nil {
			out.Contradictions = append(out.Contradictions, o.options.Contradictions(out, *file)...)
		}
		return model.Seen(out, at), true
	case file != nil:
		out := *file
		if err != nil {
			out.Contradictions = append(out.Contradictions[:len(out.Contradictions):len(out.Contradictions)],
				out.Source+" is taken at its word, since the job that runs this Traefik does not tell its settings: "+reason(err))
		}
		return model.Seen(out, at), false
	case err != nil:
		return model.Unseen[model.ProxySettings](at, reason(why)+"; nor does the job that runs it: "+reason(err)), false
	default:
		return model.Unseen[model.ProxySettings](at, reason(why)+": give its configuration file with --traefik-config"), false
	}
}

// jobSettings reads the settings from the job that the allocation runs; nil
// where there is no allocation. It takes part of the time of a call only, since
// the routes of the proxy are still to be read.
func (o *Observer) jobSettings(ctx context.Context, allocID string) (*model.ProxySettings, error) {
	if o.options.JobSettings == nil || allocID == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.options.CallTimeout/4)
	defer cancel()
	job, group, err := o.ports.Nomad.AllocationJob(ctx, allocID)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	settings, err := o.options.JobSettings(job, group)
	if err != nil {
		return nil, err
	}
	return &settings, nil
}
