package drain

import (
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Input is what a verdict on one service of one old allocation behind one
// proxy rests on.
type Input struct {
	Proxy      string
	Settings   model.Fact[model.ProxySettings]
	Load       model.Fact[model.Load]
	Shown      time.Duration
	Allocation model.Allocation
	Service    model.Service
	// Tags is how the proxy reads the tags of the instance.
	Tags   model.TagReading
	Margin time.Duration
}

// Window returns S, T and the verdict. Whatever is not known makes the
// verdict Unknown; retry and health checks turn Unsafe into Masked, never into
// Safe, because any reload marks every server UP again and a retry cannot
// repeat a request that was already written.
func Window(in Input) model.Window {
	w := model.Window{
		Proxy: in.Proxy, Group: in.Allocation.Group, Service: in.Service.Name, Allocation: in.Allocation.ID,
		Margin: in.Margin, Verdict: model.VerdictUnknown,
	}
	if w.Why = in.unknown(); w.Why != "" {
		return w
	}
	var errS, errL error
	w.S, w.STerms, errS = ServableTime(in.Allocation, in.Service)
	w.L, errL = LongestRequest(in.Allocation)
	for _, err := range []error{errS, errL} {
		if err != nil {
			w.Why = err.Error()
			return w
		}
	}
	w.T, w.TTerms = TimeToStopRouting(in.Settings.Value, in.Load.Value, in.Shown)
	w.Verdict, w.Why = judge(w, in.Tags)
	if w.Verdict != model.VerdictSafe {
		w.Cure.Delay, w.Cure.Level = Cure(w, in.Allocation, in.Service)
	}
	return w
}

func (in Input) unknown() string {
	if !in.Settings.Known() {
		return "the settings of the proxy are not known: " + in.Settings.Err
	}
	if why := NotPredictable(in.Settings.Value); why != "" {
		return why
	}
	if !in.Load.Known() {
		return "the time of one load of the catalog is not known: " + in.Load.Err
	}
	return ""
}

func judge(w model.Window, tags model.TagReading) (model.Verdict, string) {
	short := Missing(w)
	if short <= 0 {
		return model.VerdictSafe, ""
	}
	why := fmt.Sprintf("S is %s short of T + L + margin", short.Round(time.Millisecond))
	if hides := masks(tags); hides != "" {
		return model.VerdictMasked, why + "; " + hides
	}
	return model.VerdictUnsafe, why
}

// Missing is by how much S falls short of T + L + margin; zero or less where
// it does not.
func Missing(w model.Window) time.Duration { return w.T + w.L + w.Margin - w.S }

// masks names what hides most of the loss without preventing it.
func masks(tags model.TagReading) string {
	if tags.Retry != nil && tags.Retry.Attempts > 1 {
		return fmt.Sprintf("%d attempts of retry hide part of it", tags.Retry.Attempts)
	}
	for _, s := range tags.Services {
		if s.HealthCheck != nil {
			return fmt.Sprintf("a health check every %s hides part of it", s.HealthCheck.Interval)
		}
	}
	return ""
}

// Cure is the smallest shutdown_delay, in whole seconds, that would make the
// window Safe, and the level it belongs to: "group" or the quoted task. A
// declared drain is not counted on, since changing the delay of a running
// allocation is a change in place, after which the drain counts nothing.
func Cure(w model.Window, a model.Allocation, svc model.Service) (time.Duration, string) {
	level, now := "group", time.Duration(0)
	if g := a.Job.Group(a.Group); g != nil {
		now = g.ShutdownDelay
		for _, t := range g.Tasks {
			if t.Name == svc.Task {
				level, now = fmt.Sprintf("task %q", t.Name), t.ShutdownDelay
			}
		}
	}
	want := now + Missing(w) + declared(w.STerms)
	return want + (time.Second-want%time.Second)%time.Second, level
}

func declared(terms []model.Term) time.Duration {
	var d time.Duration
	for _, t := range terms {
		if t.Declared {
			d += t.Value
		}
	}
	return d
}
