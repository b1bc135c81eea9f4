package park

import (
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

// Reasons of an Advance that is no sure one.
const (
	// ReasonNoNotice: the instance leaves the catalog as soon as it is told to stop.
	ReasonNoNotice model.Reason = "NoAdvanceNotice"
	// ReasonNoticeShort: it leaves before every proxy has the placeholder.
	ReasonNoticeShort model.Reason = "NoticeTooShort"
	// ReasonNoticeUnknown: how long a proxy needs is not known.
	ReasonNoticeUnknown model.Reason = "NoticeUnknown"
)

// MetaPark is the meta key, of a job or of a group, with the longest time that a
// request is parked.
const MetaPark = "draingate_park"

// MaxWait is the longest that a job may have a request parked for.
const MaxWait = 10 * time.Minute

// Longest returns the longest time that a request to the group's services is parked,
// and false where the job asks for no park: where the key is not there, or is 0. The
// error says what of it cannot be read; there is no park then either.
func Longest(job *model.Job, group string) (time.Duration, bool, error) {
	text, there := job.MetaFor(group, MetaPark)
	if !there {
		return 0, false, nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil || d < 0:
		return 0, false, fmt.Errorf("meta %s = %q is not a duration such as \"30s\"", MetaPark, text)
	case d > MaxWait:
		return 0, false, fmt.Errorf("meta %s = %q is above %s, the longest that requests are parked", MetaPark, text, MaxWait)
	default:
		return d, d > 0, nil
	}
}

// Reaction is what is granted from the moment at which Nomad writes down that an
// allocation stops until placeholders are in Consul's catalog: the leader learns of
// it and writes the record, the nodes read that and register, and their agents pass it
// on to the servers.
const Reaction = 2 * time.Second

// Notice returns for how long an instance stays in the catalog after it was told to
// stop. It is the advance notice: what is registered meanwhile is found
// beside it.
//
//	group-level service: 0
//	task-level service:  group shutdown_delay
//
// Nomad deregisters the services of a group before it waits for the group's delay,
// and those of a task after that (Nomad v1.11.3,
// client/allocrunner/group_service_hook.go, PreKill; taskrunner/service_hook.go).
// A leader task that has to end first only makes it longer. None of it is so for what is
// stopped with -no-shutdown-delay, and a process that ends by itself gives no notice.
func Notice(g model.Group, svc model.Service) time.Duration {
	if svc.Task == "" {
		return 0
	}
	return g.ShutdownDelay
}

// ServesUntil returns how long after it was told to stop an instance surely takes
// requests: until its process is sent the stop signal, whatever the application
// says of its drain after that. The group is that of the allocation's own job, in which a
// delay that was changed in place counts at once.
//
//	group-level service: group shutdown_delay + smallest task shutdown_delay
//	task-level service:  group shutdown_delay + shutdown_delay of its task
//
// The time counts from the order and not from when it was seen. The error says that no
// task of the group serves the service.
func ServesUntil(g model.Group, svc model.Service) (time.Duration, error) {
	g.Meta = nil // A declared drain is the author's word.
	job := &model.Job{Groups: []model.Group{g}}
	after, _, err := drain.ServableTime(model.Allocation{Group: g.Name, Job: job}, svc)
	if err != nil {
		return 0, fmt.Errorf("how long an instance of service %q serves after it was told to stop: %w", svc.Name, err)
	}
	return Notice(g, svc) + after, nil
}

// Advance says whether every proxy has a placeholder before the instance that it
// stands for leaves the catalog.
type Advance struct {
	// Notice is how long the instance stays in the catalog, Need how long it has to;
	// Terms add up to Need.
	Notice, Need time.Duration
	Terms        []model.Term
	// Reason is empty where the notice is long enough, and Message says why it is not.
	Reason  model.Reason
	Message string
	// Delay is the smallest shutdown_delay of the group that would do for a
	// task-level service, in whole seconds.
	Delay time.Duration
}

// Missing is the longest time for which a proxy may have neither the instance nor
// the placeholder; zero where the notice is long enough.
func (a Advance) Missing() time.Duration { return max(a.Need-a.Notice, 0) }

// Foresee judges the advance notice of a service behind a proxy with these settings.
//
//	Need = Reaction + T + margin
//
// A proxy takes what is new in the catalog into its pool as fast as it takes out what
// is gone, so T is that of drain.TimeToStopRouting.
func Foresee(s model.ProxySettings, load model.Load, g model.Group, svc model.Service, margin time.Duration) Advance {
	a := Advance{Notice: Notice(g, svc)}
	if why := drain.NotPredictable(s); why != "" {
		a.Reason, a.Message = ReasonNoticeUnknown, "how long a proxy needs until it routes to a placeholder is not known: "+why
		return a
	}
	t, terms := drain.TimeToStopRouting(s, load, 0)
	a.Terms = append([]model.Term{{Name: "to see the stop and register", Value: Reaction, Source: "constant"}}, terms...)
	a.Terms = append(a.Terms, model.Term{Name: "margin", Value: margin})
	a.Need = Reaction + t + margin
	a.Delay = a.Need + (time.Second-a.Need%time.Second)%time.Second
	switch {
	case svc.Task == "":
		a.Reason = ReasonNoNotice
		a.Message = fmt.Sprintf("service %q is at group level, so it leaves the catalog in the moment in which it is told to stop, and a proxy may have neither it nor a placeholder for up to %s: put the service into its task, with a shutdown_delay of %s in the group and one in the task",
			svc.Name, a.Need, a.Delay)
	case a.Missing() > 0:
		a.Reason = ReasonNoticeShort
		a.Message = fmt.Sprintf("service %q stays in the catalog for %s after it is told to stop (the group's shutdown_delay), and a proxy may need %s until it routes to a placeholder: set shutdown_delay = %q in group %q",
			svc.Name, a.Notice, a.Need, a.Delay, g.Name)
	}
	return a
}
