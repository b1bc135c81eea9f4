package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/reconcile"
	"github.com/draingate/draingate/controller/status"
)

// standing is a park of service db with a record that says something else than
// parkedRecord, with 2 requests on one node and 1 on another.
func standing(reason model.Reason, message string, change func(*park.Record)) Parked {
	r := parkedRecord()
	change(&r)
	lots := func(n int) park.Presence {
		return park.Presence{Lots: map[string]park.Lot{"db": {Waiting: n}, "web": {Waiting: 9}}}
	}
	return Parked{Service: "db", Namespace: "default", Job: "db", Version: 8, Asked: true, Record: &r, Finding: park.Finding{Reason: reason, Message: message},
		Parkers: map[string]park.Presence{"n1": lots(2), "n2": lots(1)}}
}

func refused(reason model.Reason, message string) Parked {
	return Parked{Service: "db", Namespace: "default", Job: "db", Version: 8, Asked: true, Finding: park.Finding{Reason: reason, Message: message}}
}

func TestTheConditionSaysHowAParkStands(t *testing.T) {
	leaving := func(r *park.Record) { r.Step, r.Message = park.StepLeaving, "every proxy routes to it" }
	expired := func(r *park.Record) {
		r.Step, r.Reason, r.Message = park.StepOver, park.ReasonExpired, "no instance for 30s"
	}
	nothing := func(*park.Record) {}
	unread := standing(park.ReasonParked, "", nothing)
	unread.Unread = "no answer"
	tests := map[string]struct {
		parked  Parked
		status  model.ConditionStatus
		reason  model.Reason
		message string
	}{
		"requests wait": {standing(park.ReasonParked, "no instance for 3s", nothing), model.True, "Parked",
			"no instance since 2026-11-21 12:00:00Z: 3 requests wait, until 2026-11-21 12:00:30Z at the latest"},
		"the old instance still serves":              {standing(park.ReasonParked, "requests are passed on", func(r *park.Record) { r.Gap = time.Time{} }), model.True, "Parked", "requests are passed on"},
		"nobody has looked at it yet":                {standing("", "", func(r *park.Record) { r.Gap = time.Time{} }), model.True, "Parked", "placeholders come in"},
		"a person pauses it":                         {standing(park.ReasonPausing, "instances leave", nothing), model.True, "Pausing", "instances leave"},
		"a pause is in force":                        {standing(park.ReasonPaused, "for 4s", nothing), model.True, "Paused", "3 requests wait until it is resumed, at 2026-11-21 12:00:30Z at the latest"},
		"it goes on while something is not known":    {standing(park.ReasonUnknown, "the catalog could not be read", nothing), model.True, "ParkUnknown", "the catalog could not be read"},
		"its record could not be read":               {unread, model.Unknown, "ParkUnknown", "no answer"},
		"an instance came":                           {standing(park.ReasonReleased, "", leaving), model.False, "Released", "every proxy routes to it"},
		"no instance came":                           {standing(park.ReasonExpired, "", expired), model.False, "ParkExpired", "no instance for 30s"},
		"none came, and the next version is unfit":   {standing(park.ReasonWeight, "weight 0", expired), model.False, "WeightZero", "weight 0"},
		"it is unfit":                                {refused(park.ReasonWeight, "weight 0"), model.False, "WeightZero", "weight 0"},
		"there is no parker":                         {refused(park.ReasonNoParker, "nobody is there"), model.False, "NoParker", "nobody is there"},
		"what it asks for means nothing":             {refused(park.ReasonInvalid, "not parked for: no duration"), model.False, "ParkInvalid", "no duration"},
		"what bears on it could not be read":         {refused(park.ReasonUnknown, "not parked for: no answer"), model.Unknown, "ParkUnknown", "no answer"},
		"nothing is wanted":                          {refused("", ""), model.False, "Pending", "no request is to be parked now"},
		"what was found is of a record that is gone": {refused(park.ReasonReleased, "an instance is there"), model.False, "Pending", "no request is to be parked now"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := model.Condition{Type: model.Parked, Status: tt.status, Reason: tt.reason, Message: "service db: " + tt.message}
			if diff := cmp.Diff(want, tt.parked.condition()); diff != "" {
				t.Error(diff)
			}
		})
	}
	one := standing(park.ReasonParked, "", nothing)
	one.Parkers = map[string]park.Presence{"n1": {Lots: map[string]park.Lot{"db": {Waiting: 1}}}}
	require.Contains(t, one.condition().Message, ": 1 request waits, until")
}

// What is worst to miss comes first: that requests wait, then that it is not known,
// then what is in the way.
func TestTheServicesOfAJobMakeOneCondition(t *testing.T) {
	of := func(service string, p Parked) Parked { p.Service = service; return p }
	on := of("d", standing(park.ReasonPausing, "on", func(*park.Record) {}))
	unknown, unfit, quiet := of("c", refused(park.ReasonUnknown, "unread")), of("b", refused(park.ReasonWeight, "weight 0")), of("a", refused("", ""))
	for name, tt := range map[string]struct {
		all  []Parked
		want model.Reason
		says string
	}{
		"one is parked for": {[]Parked{quiet, unfit, unknown, on}, "Pausing", "service d: on"},
		"one is not known":  {[]Parked{quiet, unfit, unknown}, "ParkUnknown", "service c: unread"},
		"one is refused":    {[]Parked{quiet, unfit}, "WeightZero", "service b: weight 0"},
		"two are refused":   {[]Parked{unfit, of("c", refused(park.ReasonNoParker, "nobody"))}, "WeightZero", "service b: weight 0; service c: nobody"},
		"nothing is wanted": {[]Parked{quiet}, "Pending", "service a: no request is to be parked now"},
	} {
		t.Run(name, func(t *testing.T) {
			got := conditionOf(tt.all)
			require.Equal(t, []string{string(tt.want), tt.says}, []string{string(got.Reason), got.Message})
		})
	}
	require.Nil(t, conditionOf(nil))
}

func TestWhichDeploymentsHaveTheCondition(t *testing.T) {
	job := model.Job{ID: "db", Namespace: "default", Version: 8, Meta: map[string]string{park.MetaPark: "30s"}, Groups: []model.Group{{Name: "app", Services: []model.Service{{Name: "db"}}}}}
	plain := job
	plain.Meta = nil
	parking := func() Parked { return standing(park.ReasonParked, "", func(*park.Record) {}) }
	ended := func(d *model.Deployment, _ *model.Snapshot) { d.Status = model.DeploymentSuccessful }
	as := func(p Parked, change func(*Parked)) *Parked { change(&p); return &p }
	tests := map[string]struct {
		board  *Parked
		change func(*model.Deployment, *model.Snapshot)
		status model.ConditionStatus
		again  time.Duration
	}{
		"its job is parked for":                      {as(parking(), func(*Parked) {}), nil, model.True, parkedEvery},
		"its job is parked for, and it has ended":    {as(parking(), func(*Parked) {}), ended, model.True, parkedEvery},
		"its job is parked for, and cannot be read":  {as(parking(), func(*Parked) {}), func(_ *model.Deployment, s *model.Snapshot) { s.Job = model.Unseen[model.Job](s.Job.At, "no answer") }, model.True, parkedEvery},
		"a person paused a job that asks for none":   {as(parking(), func(*Parked) {}), func(_ *model.Deployment, s *model.Snapshot) { s.Job.Value = plain }, model.True, parkedEvery},
		"another job with its name is parked for":    {as(parking(), func(p *Parked) { p.Namespace = "team" }), nil, "", 0},
		"another job with its service is parked for": {as(parking(), func(p *Parked) { p.Job = "db2" }), nil, "", 0},
		"a later version is parked for":              {as(parking(), func(p *Parked) { p.Version = 9 }), nil, "", 0},
		"its version was not looked at yet":          {as(parking(), func(p *Parked) { p.Version = 7 }), nil, model.True, parkedEvery},
		"Nomad has forgotten it":                     {as(parking(), func(*Parked) {}), func(_ *model.Deployment, s *model.Snapshot) { s.Gone = true }, "", 0},
		"it is refused":                              {as(refused(park.ReasonWeight, "weight 0"), func(*Parked) {}), nil, model.False, notParkedEvery},
		"it is refused, and it has ended":            {as(refused(park.ReasonWeight, "weight 0"), func(*Parked) {}), ended, model.False, 0},
		"nothing is wanted":                          {as(refused("", ""), func(*Parked) {}), nil, model.False, notParkedEvery},
		"nothing is wanted, and it has ended":        {as(refused("", ""), func(*Parked) {}), ended, "", 0},
		"its job is only observed":                   {as(refused("", ""), func(p *Parked) { p.Asked = false }), nil, "", 0},
		"nobody has looked yet":                      {nil, nil, model.Unknown, notParkedEvery},
		"nobody has looked yet, and it has ended":    {nil, ended, "", 0},
		"its job asks for none":                      {nil, func(_ *model.Deployment, s *model.Snapshot) { s.Job.Value = plain }, "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := &App{}
			if tt.board != nil {
				a.parked.set(*tt.board)
			}
			d := model.Deployment{JobID: "db", JobVersion: 8, Status: model.DeploymentRunning}
			s := model.Snapshot{Key: model.Key{Namespace: "default", Deployment: "d"}, Job: model.Seen(job, time.Now())}
			if tt.change != nil {
				tt.change(&d, &s)
			}
			c, again := a.parkedCondition(d, s)
			require.Equal(t, tt.again, again)
			if tt.status == "" {
				require.Nil(t, c)
				return
			}
			require.Equal(t, tt.status, c.Status)
		})
	}
	c, _ := (&App{}).parkedCondition(model.Deployment{}, model.Snapshot{})
	require.Nil(t, c, "a deployment that was never read")
}

// A deployment without canaries is looked at when Nomad changes it, and besides when
// what is to be shown of its park changes: not in each pass of a park.
func TestAChangeOfAParkIsShownAtOnce(t *testing.T) {
	m, err := metrics.New(prometheus.NewRegistry(), metrics.Options{ParkReasons: parkReasons()})
	require.NoError(t, err)
	a := &App{metrics: m, store: status.NewStore()}
	for version, job := range map[uint64]string{7: "db", 8: "db", 9: "web"} {
		a.store.Record(model.Record{Key: model.Key{Namespace: "default", Deployment: job + string(rune('0'+version))}, JobID: job, JobVersion: version, Status: model.DeploymentRunning})
	}
	recorder, record := parkRecorder{a}, parkedRecord()
	world := park.World{Service: "db", Now: time.Now(), Wish: park.Wish{Namespace: "default", Job: "db", Version: 8, Wait: time.Second}}
	finding := func(message string) park.Finding { return park.Finding{Reason: park.ReasonParked, Message: message} }
	recorder.Parked(nil, world, park.Finding{}) // Nobody looks at deployments yet.
	for _, step := range []struct {
		what  string
		do    func()
		looks int
	}{
		{"nothing changes", func() { recorder.Parked(nil, world, park.Finding{}) }, 0},
		{"a park begins", func() { recorder.Parked(&record, world, finding("no instance for 1s")) }, 1},
		{"it goes on", func() { recorder.Parked(&record, world, finding("no instance for 2s")) }, 0},
		{"its record cannot be read", func() { recorder.Unread("db", errors.New("no answer")) }, 1},
		{"nor can it later", func() { recorder.Unread("db", errors.New("refused")) }, 0},
		{"it can be again", func() { recorder.Parked(&record, world, finding("no instance for 4s")) }, 1},
		{"an earlier version is wanted", func() { world.Wish.Version = 7; recorder.Parked(&record, world, finding("no instance for 5s")) }, 2},
		{"nobody asks any more", func() { world.Wish = park.Wish{}; recorder.Parked(nil, world, park.Finding{}) }, 2},
		{"what nobody asks for cannot be read", func() { recorder.Unread("db", errors.New("refused")) }, 0},
	} {
		loop := reconcile.NewController(func(context.Context, model.Key) (reconcile.Result, error) { return reconcile.Result{}, nil }, 1, nil)
		a.controller.Store(loop)
		step.do()
		require.Equal(t, step.looks, loop.Depth(), step.what)
		loop.Close()
	}
	require.Empty(t, a.parked.list())
}
