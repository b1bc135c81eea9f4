package park_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/park"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// at is that long after the beginning.
func at(d time.Duration) time.Time { return epoch.Add(d) }

// The only instance is on n1; the placeholders are on n2 and n3.
const (
	oldAt = "10.0.0.1:8080"
	newAt = "10.0.0.1:9090"
	twoAt = "10.0.0.2:2000"
	tenAt = "10.0.0.3:2000"
)

// deploy is the world in which the only instance was told to stop just now.
func deploy() park.World {
	return park.World{
		Now: epoch, Service: "web", Self: "me", Mark: "m9",
		Wish: park.Wish{Namespace: "default", Job: "web", Group: "app", Version: 2, Wait: 30 * second, Successor: true,
			Tags: []string{"traefik.enable=true"}, Prefixes: []string{"traefik"}},
		Instances: []park.Instance{{ID: "_nomad-old", Alloc: "old", Node: "n1", Address: oldAt, Passing: true, Going: true, Takers: park.TakersAll}},
		Going:     []park.Going{{Alloc: "old", Address: oldAt, Until: at(10 * second)}},
		Pools:     park.Pools{Addresses: map[string]bool{oldAt: true}},
		Parkers:   map[string]park.Presence{"n1": {}, "n2": {}, "n3": {}},
	}
}

// record is what is stored of its park once the old instance is gone.
func record(step park.Step) park.Record {
	return park.Record{
		Format: park.Format, Service: "web", Namespace: "default", Job: "web", Group: "app", Version: 2, Owner: "me", Seq: 4, Mark: "m4", Step: step,
		Nodes: []string{"n2", "n3"}, Addresses: []string{twoAt, tenAt}, Tags: []string{"traefik.enable=true"}, Prefixes: []string{"traefik"}, Wait: 30 * second,
		Gap: at(15 * second), Until: at(45 * second), Since: epoch, Written: at(15 * second),
	}
}

// parked is the world 20 s after the deploy: nothing but placeholders is left.
func parked(step park.Step) park.World {
	w := deploy()
	r := record(step)
	w.Now, w.Record, w.Instances, w.Going = at(20*second), &r, nil, nil
	w.Placeholders = []park.Instance{{ID: "p2", Node: "n2", Address: twoAt, Passing: true, Takers: park.TakersAll}, {ID: "p3", Node: "n3", Address: tenAt, Passing: true, Takers: park.TakersAll}}
	w.Pools.Addresses = map[string]bool{twoAt: true, tenAt: true}
	w.Parkers = lots(park.LotIn)
	return w
}

// lots are what the instances of draingate say.
func lots(state park.LotState) map[string]park.Presence {
	return map[string]park.Presence{
		"n1": {},
		"n2": {Lots: map[string]park.Lot{"web": {Mark: "m4", Address: twoAt, State: state}}},
		"n3": {Lots: map[string]park.Lot{"web": {Mark: "m4", Address: tenAt, State: state}}},
	}
}

// gone is the world in which the placeholders have left the catalog and all pools.
func gone(step park.Step, state park.LotState) park.World {
	w := parked(step)
	w.Record.Since = at(10 * second)
	w.Instances = []park.Instance{fresh()}
	w.Placeholders, w.Parkers = nil, lots(state)
	w.Pools.Addresses = map[string]bool{newAt: true}
	return w
}

// fresh is the new instance, and all is well with it.
func fresh() park.Instance {
	return park.Instance{ID: "_nomad-new", Alloc: "new", Node: "n1", Address: newAt, Passing: true, Takers: park.TakersAll}
}

// paused is the world of a service that a person paused, whose only instance is not
// fenced yet.
// served has an instance that has been in every pool for so long.
func served(w *park.World, d time.Duration) {
	w.Instances = []park.Instance{fresh()}
	w.Record.Served = w.Now.Add(-d)
}

// holds has a request wait on a node.
func holds(w *park.World, node string) {
	p := w.Parkers[node]
	lot := p.Lots[w.Service]
	lot.Waiting = 1
	w.Parkers[node] = park.Presence{Lots: map[string]park.Lot{w.Service: lot}}
}

func paused() park.World {
	w := parked(park.StepParking)
	w.Wish.Wait, w.Wish.Paused = 0, at(60*second)
	w.Instances = []park.Instance{fresh()}
	w.Record.ByHand, w.Record.Gap, w.Record.Until, w.Record.Wait = true, time.Time{}, at(60*second), time.Minute
	return w
}

func fenced() park.World {
	w := paused()
	w.Record.Fenced = []park.Target{{Node: "n1", Service: "_nomad-new"}}
	w.Instances[0].Passing, w.Instances[0].Ours, w.Instances[0].Takers = false, true, park.TakersSome
	return w
}

// told is an action in a few words: what is done, the step that is written, and the
// reason.
func told(a park.Action) string {
	out := string(a.Do)
	reason := a.Finding.Reason
	if a.Record != nil {
		out += " " + string(a.Record.Step)
		reason = a.Record.Reason
		if a.Record.ByHand {
			out += " by hand"
		}
	}
	if reason != "" {
		out += " " + string(reason)
	}
	return out
}

func TestTheNextStepOfAPark(t *testing.T) {
	tests := map[string]struct {
		world  park.World
		change func(*park.World)
		want   string
	}{
		"the last instance is told to stop":                       {deploy(), nil, "Store parking"},
		"one that passes no more but has not ended counts too":    {deploy(), func(w *park.World) { w.Instances = nil }, "Store parking"},
		"another instance stays":                                  {deploy(), func(w *park.World) { w.Instances = append(w.Instances, fresh()) }, "Nothing"},
		"one that stays does not pass":                            {deploy(), func(w *park.World) { w.Instances = append(w.Instances, park.Instance{}) }, "Store parking"},
		"the job does not ask":                                    {deploy(), func(w *park.World) { w.Wish.Wait = 0 }, "Nothing"},
		"the job is stopped":                                      {deploy(), func(w *park.World) { w.Wish.Successor = false }, "Nothing"},
		"nobody was there before":                                 {deploy(), func(w *park.World) { w.Instances, w.Going = nil, nil }, "Nothing"},
		"a part is not known":                                     {deploy(), func(w *park.World) { w.Unknown = "no answer" }, "Nothing ParkUnknown"},
		"no instance was seen to take the tags from":              {deploy(), func(w *park.World) { w.Wish.Tags, w.Wish.Untagged = nil, true }, "Nothing ParkUnknown"},
		"a person pauses what was never seen":                     {deploy(), func(w *park.World) { pause(w); w.Wish.Tags, w.Wish.Untagged = nil, true }, "Nothing ParkUnknown"},
		"the service does not fit":                                {deploy(), func(w *park.World) { w.Wish.Unfit.Reason = "HealthPort" }, "Nothing HealthPort"},
		"nobody is there to park":                                 {deploy(), func(w *park.World) { w.Parkers = nil }, "Nothing NoParker"},
		"all who are there have a problem":                        {deploy(), func(w *park.World) { w.Parkers = map[string]park.Presence{"n1": {Problem: "no port"}} }, "Nothing NoParker"},
		"a person pauses a service that all is well with":         {deploy(), func(w *park.World) { pause(w) }, "Store parking by hand"},
		"a pause that is over is none":                            {deploy(), func(w *park.World) { pause(w); w.Wish.Paused = w.Now }, "Nothing"},
		"a pause of a service that does not fit":                  {deploy(), func(w *park.World) { pause(w); w.Wish.Unfit.Reason = "HealthPort" }, "Nothing HealthPort"},
		"requests wait":                                           {parked(park.StepParking), nil, "Nothing Parked"},
		"the old one is still there":                              {parked(park.StepParking), serving, "Store parking"},
		"the new one passes, and a proxy does not have it":        {parked(park.StepParking), func(w *park.World) { i := fresh(); i.Takers = park.TakersSome; w.Instances = []park.Instance{i} }, "Store parking"},
		"every proxy has the new one, which does not pass":        {parked(park.StepParking), func(w *park.World) { i := fresh(); i.Passing = false; w.Instances = []park.Instance{i} }, "Nothing Parked"},
		"every proxy has the new one":                             {parked(park.StepParking), func(w *park.World) { w.Instances = []park.Instance{fresh()} }, "Store parking"},
		"every proxy has had the new one for a while":             {parked(park.StepParking), func(w *park.World) { served(w, 5*second) }, "Store leaving"},
		"every proxy has had the new one for less":                {parked(park.StepParking), func(w *park.World) { served(w, 5*second-1) }, "Store parking"},
		"the new one has not taken what waits":                    {parked(park.StepParking), func(w *park.World) { served(w, 5*second); holds(w, "n2") }, "Store parking"},
		"the new one does not come to take what waits":            {parked(park.StepParking), func(w *park.World) { served(w, time.Minute); holds(w, "n2") }, "Store leaving"},
		"the new one was in all pools, and is not any more":       {parked(park.StepParking), func(w *park.World) { served(w, 5*second); w.Instances[0].Takers = park.TakersSome }, "Store parking"},
		"every proxy has it, and it is told to stop":              {parked(park.StepParking), func(w *park.World) { i := fresh(); i.Going = true; w.Instances = []park.Instance{i} }, "Store parking"},
		"a part is not known meanwhile":                           {parked(park.StepParking), func(w *park.World) { w.Unknown = "no answer" }, "Nothing ParkUnknown"},
		"a part is not known, though a new one seems to be there": {parked(park.StepParking), func(w *park.World) { w.Unknown, w.Instances = "no answer", []park.Instance{fresh()} }, "Nothing ParkUnknown"},
		"the job is stopped meanwhile":                            {parked(park.StepParking), func(w *park.World) { w.Wish.Successor = false }, "Store leaving NoSuccessor"},
		"right before the time is over":                           {parked(park.StepParking), func(w *park.World) { w.Now = at(45*second - 1) }, "Nothing Parked"},
		"the time is over":                                        {parked(park.StepParking), func(w *park.World) { w.Now = at(45 * second) }, "Store leaving ParkExpired"},
		"the time is over, and nothing is known":                  {parked(park.StepParking), func(w *park.World) { w.Now, w.Unknown = at(45*second), "no answer" }, "Store leaving ParkExpired"},
		"the time is over, but somebody answers":                  {parked(park.StepParking), func(w *park.World) { serving(w); w.Now = at(45 * second); w.Going[0].Until = at(time.Hour) }, "Store parking"},
		"a newer version comes":                                   {parked(park.StepParking), func(w *park.World) { w.Wish.Version = 3 }, "Store parking"},
		"a person pauses what is parked for":                      {parked(park.StepParking), pause, "Store parking by hand"},
		"the new one and the placeholders clash":                  {parked(park.StepParking), clashes, "Store leaving TagsDiffer"},

		"a node still has its placeholder registered":          {gone(park.StepLeaving, park.LotIn), nil, "Nothing Released"},
		"what a node says is about an older record":            {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Record.Mark = "m5" }, "Nothing Released"},
		"a node says nothing of it":                            {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Parkers["n2"] = park.Presence{} }, "Nothing Released"},
		"all have left, and no proxy has them":                 {gone(park.StepLeaving, park.LotLeft), nil, "Store out"},
		"all are closed, as after a restart":                   {gone(park.StepLeaving, park.LotClosed), nil, "Store out"},
		"all have left, and a proxy has one":                   {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Pools.Addresses[tenAt] = true }, "Nothing Released"},
		"all have left, and a proxy cannot be asked":           {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Pools.Unknown = "edge-1: no answer" }, "Nothing Released"},
		"a proxy cannot be asked for as long as is waited":     {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Pools.Unknown = "edge-1: no answer"; w.Now = at(10*second + 5*time.Minute) }, "Nothing Released"},
		"a proxy cannot be asked for longer":                   {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Pools.Unknown = "edge-1: no answer"; w.Now = at(10*second + 5*time.Minute + 1) }, "Store out"},
		"a node is dead, and another still leaves":             {gone(park.StepLeaving, park.LotIn), func(w *park.World) { delete(w.Parkers, "n2") }, "Nothing Released"},
		"a node is dead, and the other has left":               {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { delete(w.Parkers, "n2") }, "Store out"},
		"a placeholder that nobody speaks for is in a pool":    {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { orphan(w) }, "Nothing Released"},
		"a proxy has one for longer than is waited for others": {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Pools.Addresses[tenAt] = true; w.Now = at(time.Hour) }, "Nothing Released"},
		"one that nobody speaks for answers, and is in no pool": {gone(park.StepLeaving, park.LotLeft), func(w *park.World) {
			orphan(w)
			delete(w.Pools.Addresses, "10.0.0.7:2000")
			w.Placeholders[0].Passing = true
		}, "Nothing Released"},
		"the catalog cannot be read": {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Unknown = "no answer" }, "Nothing Released"},
		"a node that lost its session is in a pool": {gone(park.StepLeaving, park.LotLeft), func(w *park.World) {
			w.Parkers = nil
			w.Record.Addresses = []string{twoAt}
			w.Pools.Addresses[twoAt] = true
		}, "Nothing Released"},
		"the new one fails its check while they leave":           {gone(park.StepLeaving, park.LotLeft), func(w *park.World) { w.Instances[0].Passing = false }, "Store parking"},
		"it fails while they leave since time is over":           {gone(park.StepLeaving, park.LotIn), func(w *park.World) { expired(w); w.Instances[0].Passing = false }, "Nothing ParkExpired"},
		"it fails, and its job does not ask":                     {gone(park.StepLeaving, park.LotIn), func(w *park.World) { w.Wish.Wait = 0; w.Instances[0].Passing = false }, "Nothing Released"},
		"a new gap opens while they leave":                       {gone(park.StepLeaving, park.LotLeft), stops, "Store parking"},
		"a new gap opens while what is known does not suffice":   {gone(park.StepLeaving, park.LotIn), func(w *park.World) { stops(w); w.Unknown = "no answer" }, "Nothing Released"},
		"a new gap opens for a service that fits no more":        {gone(park.StepLeaving, park.LotIn), func(w *park.World) { stops(w); w.Wish.Unfit.Reason = "HealthPort" }, "Nothing Released"},
		"they leave since time is over, and nothing has changed": {gone(park.StepLeaving, park.LotIn), func(w *park.World) { expired(w); stops(w) }, "Nothing ParkExpired"},
		"they leave since time is over, and a new version comes": {gone(park.StepLeaving, park.LotIn), func(w *park.World) { expired(w); stops(w); w.Wish.Version = 3 }, "Store parking"},
		"a new gap opens while the catalog has what clashes":     {gone(park.StepLeaving, park.LotIn), func(w *park.World) { stops(w); w.Clash.Reason = park.ReasonTagsDiffer }, "Nothing Released"},
		"they leave since time is over, and another job comes":   {gone(park.StepLeaving, park.LotIn), func(w *park.World) { expired(w); stops(w); w.Wish.Job = "web2" }, "Store parking"},
		"a person pauses while they leave":                       {gone(park.StepLeaving, park.LotIn), pause, "Store parking by hand"},

		"a listener finishes":                           {gone(park.StepOut, park.LotLeft), nil, "Nothing Released"},
		"one listener of two finishes":                  {gone(park.StepOut, park.LotClosed), func(w *park.World) { w.Parkers["n3"] = lots(park.LotLeft)["n3"] }, "Nothing Released"},
		"all listeners are closed":                      {gone(park.StepOut, park.LotClosed), nil, "Forget"},
		"all listeners are closed after the time":       {gone(park.StepOut, park.LotClosed), expired, "Store over ParkExpired"},
		"all are closed since there was nobody to come": {gone(park.StepOut, park.LotClosed), func(w *park.World) { w.Record.Reason = park.ReasonNoSuccessor }, "Forget"},

		"it is over, and nobody came":                           {parked(park.StepOver), expired, "Nothing ParkExpired"},
		"it is over, and somebody came":                         {gone(park.StepOver, park.LotClosed), expired, "Forget"},
		"it is over, and nothing is known":                      {gone(park.StepOver, park.LotClosed), func(w *park.World) { expired(w); w.Unknown = "no answer" }, "Nothing ParkExpired"},
		"it is over, and the job is stopped":                    {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Successor = false }, "Forget"},
		"it is over, and the job asks no more":                  {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Wait = 0 }, "Forget"},
		"it is over, and a new version comes":                   {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Version = 3 }, "Store parking"},
		"it is over, and nobody is there to take the tags from": {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Version, w.Wish.Tags, w.Wish.Untagged = 3, nil, true }, "Store parking"},
		"it is over, and a new version is unfit":                {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Version = 3; w.Wish.Unfit.Reason = "HealthPort" }, "Nothing HealthPort"},
		"it is over, and another job comes":                     {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Job = "web2" }, "Store parking"},
		"it is over, and a job of another namespace comes":      {parked(park.StepOver), func(w *park.World) { expired(w); w.Wish.Namespace = "team" }, "Store parking"},
		"it is over, and a person pauses":                       {parked(park.StepOver), func(w *park.World) { expired(w); pause(w) }, "Store parking by hand"},

		"a pause whose placeholders are in every pool":     {paused(), nil, "Store parking by hand"},
		"a pause whose instances are fenced":               {fenced(), nil, "Nothing Paused"},
		"a pause while a part is not known":                {paused(), func(w *park.World) { w.Unknown = "no answer" }, "Nothing ParkUnknown"},
		"a pause of a job that is stopped goes on":         {fenced(), func(w *park.World) { w.Wish.Successor = false }, "Nothing Paused"},
		"a person resumes":                                 {fenced(), func(w *park.World) { w.Wish.Paused = time.Time{} }, "Store parking"},
		"a person resumes, and the instance clashes":       {paused(), func(w *park.World) { clashes(w); w.Wish.Paused = time.Time{} }, "Store leaving TagsDiffer"},
		"an instance in a pause clashes":                   {fenced(), func(w *park.World) { w.Clash.Reason = park.ReasonTagsDiffer }, "Nothing Paused"},
		"a pause is over by itself":                        {fenced(), func(w *park.World) { w.Now = at(60 * second) }, "Store parking"},
		"it was resumed, and the instance is in all pools": {paused(), func(w *park.World) { w.Wish.Paused = time.Time{}; w.Record.Served = w.Now.Add(-5 * second) }, "Store leaving"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := tt.world
			if tt.change != nil {
				tt.change(&w)
			}
			a := park.Next(w)
			require.Equal(t, tt.want, told(a))
			if a.Record == nil {
				return
			}
			require.Equal(t, "me m9", a.Record.Owner+" "+a.Record.Mark)
			require.Equal(t, w.Now, a.Record.Written)
			if w.Record != nil {
				require.Equal(t, uint64(5), a.Record.Seq)
				if a.Record.Step != w.Record.Step {
					require.Equal(t, w.Now, a.Record.Since)
				}
			}
		})
	}
}

func pause(w *park.World) { w.Wish.Wait, w.Wish.Paused = 0, w.Now.Add(time.Minute) }

func serving(w *park.World) { d := deploy(); w.Instances, w.Going = d.Instances, d.Going }

// stops has the new instance told to stop.
func stops(w *park.World) {
	w.Instances[0].Going = true
	w.Going = []park.Going{{Alloc: "new", Address: newAt, Until: w.Now.Add(10 * second)}}
}

// clashes has a new instance that passes, and that no proxy will have beside a placeholder.
func clashes(w *park.World) {
	i := fresh()
	i.Takers = park.TakersSome
	w.Instances, w.Clash = []park.Instance{i}, park.Finding{Reason: park.ReasonTagsDiffer}
}

func expired(w *park.World) { w.Record.Reason = park.ReasonExpired }

func orphan(w *park.World) {
	w.Placeholders = []park.Instance{{ID: "p7", Node: "n7", Address: "10.0.0.7:2000"}}
	w.Pools.Addresses["10.0.0.7:2000"] = true
}

// follow is what is stored once the action is done, to go on from.
func follow(t *testing.T, w park.World) park.World {
	t.Helper()
	a := park.Next(w)
	require.Equal(t, park.DoStore, a.Do)
	w.Record, w.Mark = a.Record, a.Record.Mark+"'"
	return w
}

func TestTheRecordOfABeginning(t *testing.T) {
	want := record(park.StepParking)
	want.Seq, want.Mark, want.Written, want.Gap, want.Until = 1, "m9", epoch, time.Time{}, time.Time{}
	want.Going, want.Addresses = deploy().Going, nil
	if diff := cmp.Diff(&want, park.Next(deploy()).Record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestTheTimeOfAGap(t *testing.T) {
	w := follow(t, deploy())
	require.Zero(t, w.Record.Gap, "the old one surely serves")
	w.Now, w.Instances = at(9*second), nil
	require.Equal(t, "Nothing Parked", told(park.Next(w)), "out of the catalog it still serves")
	w.Now = at(10 * second)
	w = follow(t, w)
	require.Equal(t, at(10*second), w.Record.Gap)
	require.Equal(t, at(40*second), w.Record.Until)
	w.Now = at(12 * second)
	require.Equal(t, "Nothing Parked", told(park.Next(w)), "nothing has changed")

	w.Now, w.Wish.Version = at(30*second), 3
	w = follow(t, w)
	require.Equal(t, at(30*second), w.Record.Gap, "another version is another promise")
	require.Equal(t, at(60*second), w.Record.Until)
	w.Wish.Wait = 50 * second
	w = follow(t, w)
	require.Equal(t, at(80*second), w.Record.Until, "it may promise something else")

	one := fresh()
	one.Takers = park.TakersSome
	w.Now, w.Instances = at(31*second), []park.Instance{one}
	w = follow(t, w)
	require.Zero(t, w.Record.Gap, "somebody answers")
	require.Zero(t, w.Record.Until)
	w.Now, w.Instances = at(32*second), nil
	w = follow(t, w)
	require.Equal(t, at(32*second), w.Record.Gap)
}

// When an instance ends is counted from when it was first seen to be told.
func TestTheFirstEndThatIsToldStays(t *testing.T) {
	tests := map[string]struct {
		before, now, want []park.Going
	}{
		"a later one":             {[]park.Going{{"a", "x:1", at(5)}}, []park.Going{{"a", "x:1", at(9)}}, []park.Going{{"a", "x:1", at(5)}}},
		"one that was not known":  {[]park.Going{{"a", "x:1", time.Time{}}}, []park.Going{{"a", "x:1", at(9)}}, []park.Going{{"a", "x:1", time.Time{}}}},
		"one that is not known":   {[]park.Going{{"a", "x:1", at(5)}}, []park.Going{{"a", "x:1", time.Time{}}}, []park.Going{{"a", "x:1", at(5)}}},
		"out of the catalog":      {[]park.Going{{"a", "x:1", at(5)}}, []park.Going{{"a", "", at(5)}}, []park.Going{{"a", "x:1", at(5)}}},
		"one that has ended":      {[]park.Going{{"a", "x:1", at(5)}}, nil, nil},
		"another one":             {[]park.Going{{"a", "x:1", at(5)}}, []park.Going{{"b", "x:2", at(9)}}, []park.Going{{"b", "x:2", at(9)}}},
		"one beside the first":    {[]park.Going{{"a", "x:1", at(5)}}, []park.Going{{"a", "x:1", at(5)}, {"b", "x:2", at(9)}}, []park.Going{{"a", "x:1", at(5)}, {"b", "x:2", at(9)}}},
		"in another zone of time": {[]park.Going{{"a", "x:1", at(5)}}, []park.Going{{"a", "x:1", at(5).In(time.FixedZone("", 3600))}}, []park.Going{{"a", "x:1", at(5)}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := parked(park.StepParking)
			w.Record.Going, w.Going, w.Wish.Version = tt.before, tt.now, 3
			if diff := cmp.Diff(tt.want, park.Next(w).Record.Going); diff != "" {
				t.Errorf("going (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing is taken out of rotation before every proxy has somewhere else to go.
func TestAPauseFencesNothingBeforeItsPlaceholdersAreInEveryPool(t *testing.T) {
	target := []park.Target{{Node: "n1", Service: "_nomad-new"}}
	tests := map[string]struct {
		change func(*park.World)
		want   []park.Target
	}{
		"all are in place":                    {func(*park.World) {}, target},
		"one proxy does not have one of them": {func(w *park.World) { w.Placeholders[1].Takers = park.TakersSome }, nil},
		"one of them does not pass":           {func(w *park.World) { w.Placeholders[0].Passing = false }, nil},
		"one of them is not registered":       {func(w *park.World) { w.Placeholders = w.Placeholders[1:] }, nil},
		"there is one, but on another node":   {func(w *park.World) { w.Placeholders[0].Node = "n1" }, nil},
		"a proxy cannot be asked":             {func(w *park.World) { w.Pools.Unknown = "edge-1: no answer" }, nil},
		"nobody has one":                      {func(w *park.World) { w.Record.Nodes = nil }, nil},
		"it has just come back":               {func(w *park.World) { w.Record.Back = at(10*second + 1) }, nil},
		"it came back a while ago":            {func(w *park.World) { w.Record.Back = at(10 * second) }, target},
		"a proxy that holds back for longer could have what came before": {func(w *park.World) { w.Record.Back, w.Record.Throttle = at(10*second), 3*second }, nil},
		"it is fenced already":                {func(w *park.World) { w.Record.Fenced = target; w.Placeholders[0].Passing = false }, target},
		"an instance that goes is left alone": {func(w *park.World) { w.Instances = append(w.Instances, deploy().Instances...) }, target},
		"two instances, sorted": {func(w *park.World) {
			w.Instances = append(w.Instances, park.Instance{ID: "b", Node: "n0"}, park.Instance{ID: "a", Node: "n0"})
		}, []park.Target{{Node: "n0", Service: "a"}, {Node: "n0", Service: "b"}, target[0]}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := paused()
			// Whatever comes of it, there is something to write.
			w.Record.Job = ""
			tt.change(&w)
			a := park.Next(w)
			require.Equal(t, "Store parking by hand", told(a))
			if diff := cmp.Diff(tt.want, a.Record.Fenced); diff != "" {
				t.Errorf("fenced (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPauseFromItsBeginningToItsEnd(t *testing.T) {
	w := deploy()
	w.Instances, w.Going = []park.Instance{fresh()}, nil
	pause(&w)
	w = follow(t, w)
	require.Empty(t, w.Record.Fenced, "no placeholder is there yet")
	require.Equal(t, at(60*second), w.Record.Until)
	require.Equal(t, time.Minute, w.Record.Wait, "as long as the pause at least")
	w.Now = at(second)
	require.Equal(t, "Nothing Pausing", told(park.Next(w)), "the time that is left is not written again and again")

	w.Placeholders = parked(park.StepParking).Placeholders
	w = follow(t, w)
	require.Equal(t, []park.Target{{Node: "n1", Service: "_nomad-new"}}, w.Record.Fenced)
	w.Instances[0].Passing, w.Instances[0].Ours, w.Instances[0].Takers = false, true, park.TakersSome
	w.Wish.Paused = at(3 * time.Minute)
	w = follow(t, w)
	require.Equal(t, at(3*time.Minute), w.Record.Until, "it is made longer")

	w.Now, w.Wish.Paused = at(10*second), time.Time{}
	w = follow(t, w)
	require.Empty(t, w.Record.Fenced, "all that is fenced comes back")
	require.Equal(t, at(10*second), w.Record.Gap)
	w.Instances[0] = fresh()
	w = follow(t, w)
	w.Now = w.Now.Add(5 * second)
	require.Equal(t, "Store leaving", told(park.Next(w)))
}

// Once a person has resumed a service whose job does not ask to be parked for, no
// word of the job is left, and its instances are not back yet.
func TestAServiceThatIsResumedIsWaitedFor(t *testing.T) {
	w := fenced()
	w.Wish = park.Wish{}
	w = follow(t, w)
	require.Equal(t, "Nothing Parked", told(park.Next(w)))
	w.Instances[0] = fresh()
	w = follow(t, w)
	w.Now = w.Now.Add(5 * second)
	require.Equal(t, "Store leaving", told(park.Next(w)))
	w.Instances = nil
	require.Equal(t, "Store leaving NoSuccessor", told(park.Next(w)), "it has ended")
}

// A session ends sooner than what it stands for, and one failed call is no reason to
// leave the catalog.
func TestANodeWhosePlaceholderAnswersGoesOn(t *testing.T) {
	tests := map[string]struct {
		change func(*park.World)
		want   []string
	}{
		"both have lost their sessions": {func(w *park.World) { w.Parkers = nil }, []string{"n2", "n3"}},
		"both have a problem": {func(w *park.World) {
			w.Parkers = map[string]park.Presence{"n1": {}, "n2": {Problem: "x"}, "n3": {Problem: "x"}}
		}, []string{"n2", "n3"}},
		"one is gone, and answers no more":   {func(w *park.World) { delete(w.Parkers, "n2"); w.Placeholders[0].Passing = false }, []string{"n1", "n3"}},
		"one is gone, and nobody is instead": {func(w *park.World) { w.Parkers, w.Placeholders = nil, w.Placeholders[1:] }, []string{"n3"}},
		"one of another node answers":        {func(w *park.World) { w.Placeholders[0].Node = "n7"; w.Parkers = nil }, []string{"n3"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := parked(park.StepParking)
			w.Wish.Version = 3
			tt.change(&w)
			require.Equal(t, tt.want, park.Next(w).Record.Nodes)
		})
	}
}

// A version that did not come up leaves no instance in the catalog whose tags could
// be taken.
func TestANewVersionIsParkedForWithTheTagsThatAreKnown(t *testing.T) {
	w := parked(park.StepOver)
	expired(&w)
	w.Wish.Version, w.Wish.Tags, w.Wish.Untagged, w.Record.Nodes = 3, nil, true, nil
	require.Equal(t, []string{"traefik.enable=true"}, park.Next(w).Record.Tags)
	w.Wish.Tags, w.Wish.Untagged = []string{"traefik.enable=false"}, false
	require.Equal(t, w.Wish.Tags, park.Next(w).Record.Tags)
	require.Empty(t, park.Next(w).Record.Going)
}

func TestWherePlaceholdersWereIsRemembered(t *testing.T) {
	w := parked(park.StepParking)
	w.Record.Addresses = []string{"10.0.0.9:1"}
	w.Placeholders[1].Address = "10.0.0.3:2001"
	w = follow(t, w)
	require.Equal(t, []string{twoAt, "10.0.0.3:2000", "10.0.0.3:2001", "10.0.0.9:1"}, w.Record.Addresses)
	require.Equal(t, "Nothing Parked", told(park.Next(w)))
}
