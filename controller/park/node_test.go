package park_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

var keys = park.KeysUnder(model.DefaultLeaderKey)

const (
	mine     = "_draingate-park-web~n2"
	pausing  = "draingate-pause/web"
	foreign  = "disk is full"
	instance = "_nomad-new"
)

// agent is a service at the agent of n2.
func agent(id, address string) model.LocalService {
	return model.LocalService{ID: id, Name: "web", Address: address}
}

// maintained is an instance that is in maintenance.
func maintained(id, reason string) model.LocalService {
	return model.LocalService{ID: id, Name: "web", Address: newAt, Maintenance: true, Reason: reason, Critical: true}
}

// onNode is what the instance on n2 knows that parks as the record says.
func onNode(step park.Step) park.NodeInput {
	in := park.NodeInput{
		Now: at(20 * second), Node: "n2", Keys: keys, Records: model.Seen([]park.Record{record(step)}, at(20*second)),
		Locals: model.Seen([]model.LocalService{agent(mine, twoAt)}, at(20*second)),
		Lots:   map[string]park.Open{"web": {Address: twoAt, Waiting: 7, Registered: true}},
	}
	in.Memory = park.NodeMemory{Seen: map[string]park.Sighting{"web": {Record: record(step), First: at(15 * second), Dry: at(15 * second)}}, Read: at(19 * second)}
	return in
}

// left is what it knows once its placeholder is out of the catalog.
func left(step park.Step) park.NodeInput {
	in := onNode(step)
	in.Locals.Value = nil
	return in
}

// byHand is what the instance on n2 knows where that has the instance that is paused.
func byHand() park.NodeInput {
	in := onNode(park.StepParking)
	r := &in.Records.Value[0]
	r.ByHand, r.Gap, r.Until, r.Fenced = true, time.Time{}, at(60*second), []park.Target{{Node: "n1", Service: "_nomad-far"}, {Node: "n2", Service: instance}}
	in.Locals.Value = append(in.Locals.Value, agent(instance, newAt))
	in.Memory.Seen["web"] = park.Sighting{Record: *r, First: at(15 * second)}
	return in
}

// done is an action in a few words.
func done(a park.NodeAction) string {
	var out []string
	for _, r := range a.Open {
		out = append(out, "open "+r.Service)
	}
	add := func(what string, all []string) {
		for _, one := range all {
			out = append(out, what+" "+one)
		}
	}
	add("register", a.Register)
	add("deregister", a.Deregister)
	add("expire", a.Expire)
	add("close", a.Close)
	for _, id := range slices.Sorted(maps.Keys(a.Set)) {
		out = append(out, "set "+id+" "+a.Set[id])
	}
	add("lift", a.Lift)
	for _, service := range slices.Sorted(maps.Keys(a.Lots)) {
		l := a.Lots[service]
		out = append(out, fmt.Sprintf("say %s %s %s", service, l.State, l.Mark))
	}
	return strings.Join(out, ", ")
}

func unread(in *park.NodeInput) { in.Records = model.Unseen[[]park.Record](in.Now, "no answer") }

func blind(in *park.NodeInput) { in.Locals = model.Unseen[[]model.LocalService](in.Now, "no answer") }

func TestWhatANodeDoes(t *testing.T) {
	lot := func(in *park.NodeInput, change func(*park.Open)) {
		l := in.Lots["web"]
		change(&l)
		in.Lots["web"] = l
	}
	dry := func(in *park.NodeInput, d time.Duration) {
		s := in.Memory.Seen["web"]
		s.Dry = in.Now.Add(-d)
		in.Memory.Seen["web"] = s
	}
	elsewhere := func(in *park.NodeInput) { in.Records.Value[0].Nodes = []string{"n1", "n3"} }
	tests := map[string]struct {
		in     park.NodeInput
		change func(*park.NodeInput)
		want   string
	}{
		"nothing is stored, and nothing is there":            {park.NodeInput{Now: epoch, Node: "n2", Keys: keys, Records: model.Seen([]park.Record(nil), epoch)}, nil, ""},
		"first it listens":                                   {onNode(park.StepParking), func(in *park.NodeInput) { in.Lots, in.Locals.Value = nil, nil }, "open web"},
		"then it registers":                                  {left(park.StepParking), nil, "register web"},
		"then it says so":                                    {onNode(park.StepParking), nil, "say web in m4"},
		"while its agent cannot be asked it says nothing":    {onNode(park.StepParking), blind, ""},
		"another record is another mark":                     {onNode(park.StepParking), func(in *park.NodeInput) { in.Records.Value[0].Mark = "m5" }, "say web in m5"},
		"the placeholder of a process that died is replaced": {onNode(park.StepParking), func(in *park.NodeInput) { in.Locals.Value[0].Address = "10.0.0.2:1999" }, "register web"},
		"that of a live one is not": {onNode(park.StepParking), func(in *park.NodeInput) {
			in.Locals.Value[0].Address = "10.0.0.2:1999"
			in.Others = map[string]bool{"web": true}
		}, "say web in m4"},
		"that of one whose session outlives it is replaced": {onNode(park.StepParking), func(in *park.NodeInput) {
			in.Locals.Value[0].Address = "10.0.0.2:1999"
			in.Locals.Value[0].Critical = true
			in.Others = map[string]bool{"web": true}
		}, "register web"},
		"what a dead process left is taken out first":                       {onNode(park.StepParking), func(in *park.NodeInput) { in.Lots = nil }, "open web, deregister " + mine},
		"what was given up here is not begun anew by itself":                {left(park.StepParking), func(in *park.NodeInput) { in.Lots = nil; dry(in, 2*time.Minute) }, "say web closed m4"},
		"another live process on the node keeps its own":                    {onNode(park.StepParking), func(in *park.NodeInput) { in.Lots, in.Others = nil, map[string]bool{"web": true} }, "open web"},
		"a listener that finishes is not taken up again":                    {left(park.StepParking), func(in *park.NodeInput) { lot(in, func(l *park.Open) { l.Closing = true }) }, "say web closed m4"},
		"the time of a gap is over here":                                    {onNode(park.StepParking), func(in *park.NodeInput) { dry(in, 30*second) }, "expire web, say web in m4"},
		"the time of a gap is over, and it does not listen":                 {left(park.StepParking), func(in *park.NodeInput) { in.Lots = nil; dry(in, 30*second) }, "open web"},
		"what it did not register itself is replaced, on the same port too": {onNode(park.StepParking), func(in *park.NodeInput) { lot(in, func(l *park.Open) { l.Registered = false }) }, "register web"},
		"right before":                                     {onNode(park.StepParking), func(in *park.NodeInput) { dry(in, 30*second-1) }, "say web in m4"},
		"there is somebody to pass requests to":            {onNode(park.StepParking), func(in *park.NodeInput) { dry(in, time.Hour); lot(in, func(l *park.Open) { l.Answers = true }) }, "say web in m4"},
		"nobody ended it in time":                          {onNode(park.StepParking), func(in *park.NodeInput) { dry(in, 90*second+1) }, "deregister " + mine},
		"nobody ended it, but it is not for long":          {onNode(park.StepParking), func(in *park.NodeInput) { dry(in, 90*second) }, "expire web, say web in m4"},
		"its place is another node's":                      {onNode(park.StepParking), elsewhere, "deregister " + mine},
		"its place is another node's, and it never had it": {left(park.StepParking), func(in *park.NodeInput) { elsewhere(in); in.Lots = nil }, ""},
		"placeholders of other elections and nodes are not ours": {onNode(park.StepParking), func(in *park.NodeInput) {
			in.Locals.Value = append(in.Locals.Value, agent(mine+"@other/leader", twoAt), agent("_draingate-park-web~n3", twoAt), agent("web", newAt))
		}, "say web in m4"},
		"a placeholder without a record is taken out": {onNode(park.StepParking), func(in *park.NodeInput) {
			in.Locals.Value = append(in.Locals.Value, agent("_draingate-park-api~n2", twoAt))
		}, "deregister _draingate-park-api~n2, say web in m4"},
		"it leaves":                    {onNode(park.StepLeaving), nil, "deregister " + mine},
		"it leaves since time is over": {onNode(park.StepLeaving), func(in *park.NodeInput) { in.Records.Value[0].Reason = park.ReasonExpired }, "deregister " + mine + ", expire web"},
		"it leaves since the new instance's tags clash":  {onNode(park.StepLeaving), func(in *park.NodeInput) { in.Records.Value[0].Reason = park.ReasonTagsDiffer }, "deregister " + mine},
		"it leaves, and its agent cannot be asked":       {onNode(park.StepLeaving), blind, ""},
		"it leaves, and had never come":                  {left(park.StepLeaving), func(in *park.NodeInput) { in.Lots = nil }, "say web closed m4"},
		"it leaves, and its listener has closed":         {left(park.StepLeaving), func(in *park.NodeInput) { lot(in, func(l *park.Open) { l.Closed = true }) }, "say web closed m4"},
		"it leaves, and what died is still there":        {onNode(park.StepLeaving), func(in *park.NodeInput) { in.Lots = nil }, "deregister " + mine + ", say web closed m4"},
		"it is out, and still registered":                {onNode(park.StepOut), nil, "deregister " + mine},
		"it is out, and its agent cannot be asked":       {left(park.StepOut), blind, ""},
		"it is out, and finishes":                        {left(park.StepOut), func(in *park.NodeInput) { lot(in, func(l *park.Open) { l.Closing = true }) }, ""},
		"it is out, and is closed":                       {left(park.StepOut), func(in *park.NodeInput) { in.Lots = nil }, "say web closed m4"},
		"all is over":                                    {left(park.StepOver), func(in *park.NodeInput) { in.Lots = nil; in.Records.Value[0].Nodes = nil }, ""},
		"records cannot be read: as it was":              {onNode(park.StepParking), unread, "say web in m4"},
		"records could not be read for a minute":         {onNode(park.StepParking), func(in *park.NodeInput) { unread(in); in.Memory.Read = in.Now.Add(-time.Minute) }, "say web in m4"},
		"records could not be read for longer":           {onNode(park.StepParking), func(in *park.NodeInput) { unread(in); in.Memory.Read = in.Now.Add(-time.Minute - 1) }, "deregister " + mine},
		"records were never read: what is there stays":   {onNode(park.StepParking), func(in *park.NodeInput) { unread(in); in.Memory, in.Lots = park.NodeMemory{}, nil }, ""},
		"a pause sets the maintenance of its own node's": {byHand(), nil, "set " + instance + " " + pausing + ", say web in m4"},
		"an instance that is in it is left alone":        {byHand(), func(in *park.NodeInput) { in.Locals.Value[1] = maintained(instance, pausing) }, "say web in m4"},
		"so is one in the maintenance of somebody else":  {byHand(), func(in *park.NodeInput) { in.Locals.Value[1] = maintained(instance, foreign) }, "say web in m4"},
		"a pause is over by its time":                    {byHand(), func(in *park.NodeInput) { in.Locals.Value[1] = maintained(instance, pausing); in.Now = at(60 * second) }, "lift " + instance + ", say web in m4"},
		"a pause is over by its record": {byHand(), func(in *park.NodeInput) {
			in.Locals.Value[1] = maintained(instance, pausing)
			in.Records.Value[0].Fenced = nil
		}, "lift " + instance + ", say web in m4"},
		"a pause leaves": {byHand(), func(in *park.NodeInput) {
			in.Locals.Value[1] = maintained(instance, pausing)
			in.Records.Value[0].Step = park.StepLeaving
		}, "deregister " + mine + ", lift " + instance},
		"a pause is over, and somebody else's maintenance is not": {byHand(), func(in *park.NodeInput) {
			in.Locals.Value[1] = maintained(instance, foreign)
			in.Records.Value[0].Fenced = nil
		}, "say web in m4"},
		"nor is that of another election": {byHand(), func(in *park.NodeInput) {
			in.Locals.Value[1] = maintained(instance, pausing+"@other")
			in.Records.Value[0].Fenced = nil
		}, "say web in m4"},
		"a fence of a deployment is none of a pause": {byHand(), func(in *park.NodeInput) {
			in.Locals.Value[1] = maintained(instance, "draingate/dep")
			in.Records.Value[0].Fenced = nil
		}, "say web in m4"},
		"a pause whose record is gone":               {byHand(), func(in *park.NodeInput) { in.Locals.Value[1] = maintained(instance, pausing); in.Records.Value = nil }, "deregister " + mine + ", lift " + instance},
		"a pause whose record cannot be read stands": {byHand(), func(in *park.NodeInput) { in.Locals.Value[1] = maintained(instance, pausing); unread(in) }, "say web in m4"},
		"it stands for a minute after its end":       {byHand(), func(in *park.NodeInput) { in.Now = at(120 * second) }, "say web in m4"},
		"and then ends though nobody has ended it":   {byHand(), func(in *park.NodeInput) { in.Now = at(120*second + 1) }, "deregister " + mine},
		"its records were never read: what is fenced stays so": {byHand(), func(in *park.NodeInput) {
			in.Locals.Value = []model.LocalService{maintained(instance, pausing)}
			unread(in)
			in.Memory, in.Lots = park.NodeMemory{}, nil
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := tt.in
			if tt.change != nil {
				tt.change(&in)
			}
			a, _ := park.Apply(in)
			require.Equal(t, tt.want, done(a))
			for _, l := range a.Lots {
				require.Equal(t, in.Lots["web"].Waiting, l.Waiting)
				require.Equal(t, in.Lots["web"].Address, l.Address)
			}
		})
	}
}

// again is the next look, that long after the last.
func again(in park.NodeInput, m park.NodeMemory, d time.Duration) park.NodeInput {
	in.Now, in.Memory = in.Now.Add(d), m
	if in.Records.Known() {
		in.Records.At = in.Now
	}
	return in
}

// looks makes one look each second, and returns the first in which something else
// comes of it than in the look before, with what that is.
func looks(t *testing.T, in park.NodeInput) (time.Duration, string, park.NodeMemory) {
	t.Helper()
	a, m := park.Apply(in)
	before, began := done(a), in.Now
	for range 200 {
		in = again(in, m, second)
		if a, m = park.Apply(in); done(a) != before {
			return in.Now.Sub(began), done(a), m
		}
	}
	t.Fatalf("nothing but %q comes of it", before)
	return 0, "", m
}

func TestAListenerClosesLongAfterItsPlaceholderHasLeft(t *testing.T) {
	tests := map[string]struct {
		change func(*park.NodeInput)
		after  time.Duration
		want   string
	}{
		"no proxy lists it":          {func(*park.NodeInput) {}, 2 * second, "close web"},
		"another node has its place": {func(in *park.NodeInput) { *in = left(park.StepParking); in.Records.Value[0].Nodes = nil }, time.Minute, "close web"},
		"its record is gone":         {func(in *park.NodeInput) { in.Records.Value = nil }, time.Minute, "close web"},
		"its record cannot be read": {func(in *park.NodeInput) {
			*in = left(park.StepParking)
			unread(in)
			in.Memory.Read = epoch.Add(-time.Hour)
		}, time.Minute, "close web"},
		"all is over, nobody saw that": {func(in *park.NodeInput) { in.Records.Value[0].Step = park.StepOver }, 2 * second, "close web"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := left(park.StepOut)
			in.Memory = park.NodeMemory{Read: in.Memory.Read}
			tt.change(&in)
			after, did, _ := looks(t, in)
			require.Equal(t, tt.after, after)
			require.Equal(t, tt.want, did)
		})
	}
}

// Clocks differ: whichever makes a time come sooner counts.
func TestATimeOfTheRecordComesSoonerByAWrongClock(t *testing.T) {
	r := record(park.StepParking)
	for name, tt := range map[string]struct{ first, want time.Time }{
		"the same clock":  {at(15 * second), at(45 * second)},
		"seen late":       {at(19 * second), at(45 * second)},
		"a clock behind":  {at(-3600*second + 15*second), at(-3600*second + 45*second)},
		"a clock forward": {at(3600 * second), at(45 * second)},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, park.Sighting{Record: r, First: tt.first}.Ends(r.Until))
		})
	}
}

// A proxy may have read the catalog before a placeholder left it, and switch after.
func TestANodeSaysThatItLeftOnceEveryProxyHasSwitched(t *testing.T) {
	in := left(park.StepLeaving)
	in.Memory = park.NodeMemory{Read: in.Memory.Read}
	after, did, m := looks(t, in)
	require.Equal(t, 5*second, after)
	require.Equal(t, "say web left m4", did)
	in.Locals.Value = []model.LocalService{agent(mine, twoAt)}
	a, m := park.Apply(again(in, m, 6*second))
	require.Equal(t, "deregister "+mine, done(a), "it is there again")
	in.Locals.Value = nil
	a, _ = park.Apply(again(in, m, 7*second))
	require.Empty(t, done(a))
}

// A proxy that holds back what it read for longer is waited for.
func TestANodeFollowsTheLongestThrottle(t *testing.T) {
	for name, c := range map[string]struct{ throttle, want time.Duration }{
		"less than Traefik's own": {second, 5 * second},
		"Traefik's own":           {2 * second, 5 * second},
		"a long one":              {10 * second, 13 * second},
	} {
		t.Run(name, func(t *testing.T) {
			in := left(park.StepLeaving)
			in.Records.Value[0].Throttle = c.throttle
			in.Memory = park.NodeMemory{Read: in.Memory.Read}
			after, _, _ := looks(t, in)
			require.Equal(t, c.want, after)
		})
	}
}

// What is promised to another version is kept, whatever was promised before.
func TestAGapThatBeginsAnewIsWaitedForAnew(t *testing.T) {
	in := onNode(park.StepParking)
	s := in.Memory.Seen["web"]
	s.Dry = in.Now.Add(-30 * second)
	in.Memory.Seen["web"] = s
	in.Records.Value[0].Gap, in.Records.Value[0].Mark = in.Now, "m5"
	a, m := park.Apply(in)
	require.Equal(t, "say web in m5", done(a))
	require.Equal(t, in.Now, m.Seen["web"].Dry)
	after, did, _ := looks(t, in)
	require.Equal(t, 30*second, after)
	require.Equal(t, "expire web, say web in m5", did)
}

// A placeholder that cannot be taken out of the catalog keeps its listener.
func TestAListenerStaysForAPlaceholderThatCannotBeTakenOut(t *testing.T) {
	for name, change := range map[string]func(*park.NodeInput){
		"it is still there":            func(*park.NodeInput) {},
		"nobody can tell":              blind,
		"nobody can tell, and it left": func(in *park.NodeInput) { blind(in); in.Memory.Left = map[string]time.Time{"web": epoch} },
	} {
		t.Run(name, func(t *testing.T) {
			in := onNode(park.StepOut)
			change(&in)
			for range 10 {
				a, m := park.Apply(in)
				require.Empty(t, a.Close)
				in = again(in, m, time.Minute)
			}
		})
	}
}

// A park that was given up may be remembered for long, and is nothing to look after.
func TestANodeIsBusyWhileAParkIsOn(t *testing.T) {
	seen := func(steps ...park.Step) park.NodeMemory {
		m := park.NodeMemory{Seen: map[string]park.Sighting{}}
		for _, s := range steps {
			m.Seen[string(s)] = park.Sighting{Record: park.Record{Step: s}}
		}
		return m
	}
	require.False(t, seen().Busy())
	require.False(t, seen(park.StepOver).Busy())
	for _, step := range []park.Step{park.StepParking, park.StepLeaving, park.StepOut} {
		require.True(t, seen(park.StepOver, step).Busy(), step)
	}
}
