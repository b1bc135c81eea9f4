package park_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// job asks to be parked for, with a service in its task that surely serves 12 s.
func job() *model.Job {
	return &model.Job{ID: "web", Namespace: "default", Version: 2, Type: "service", Meta: map[string]string{"draingate_park": "30s"}, Groups: []model.Group{{
		Name: "app", Count: 1, ShutdownDelay: 6 * second,
		Tasks: []model.Task{{Name: "app", ShutdownDelay: 6 * second, Services: []model.Service{{Name: "web", Task: "app", Provider: "consul"}}}},
	}}}
}

func alloc(id, desired, client string) model.Allocation {
	return model.Allocation{ID: id, Job: job(), JobID: "web", Group: "app", DesiredStatus: desired, ClientStatus: client}
}

// proxy has the instances in its pool, each by its service ID.
func proxy(name string, all ...model.Registration) model.Proxy {
	p := model.Proxy{Name: name, Tags: map[string]model.TagReading{}, Settings: model.Seen(model.ProxySettings{Prefix: "traefik"}, epoch)}
	s := model.ProxyService{Name: "web@consulcatalog", Status: model.StatusEnabled}
	for _, r := range all {
		p.Tags[r.ServiceID] = model.TagReading{Exposed: true, Services: []model.TagService{{Name: s.Name, HostPort: park.AddressOf(r)}}}
		s.Servers = append(s.Servers, model.Server{HostPort: park.AddressOf(r)})
	}
	p.Routing = model.Seen(model.Routing{Services: []model.ProxyService{s}}, epoch)
	return p
}

// change replaces what a proxy makes of an instance's tags.
func reads(p *model.Proxy, id string, change func(*model.TagReading)) {
	r := p.Tags[id]
	change(&r)
	p.Tags[id] = r
}

// facts are those of a deploy: the old instance and a placeholder are in all pools.
func facts() park.Facts {
	old := registered("old", 8080, model.StatusPassing)
	old.Tags = []string{"traefik.enable=true"}
	stand := model.Registration{ServiceID: mine, Node: "n2", Address: "10.0.0.2", Port: 2000, Status: model.StatusPassing}
	return park.Facts{
		Now: epoch, Keys: keys, Service: "web", Self: "me", Mark: "m9", Ran: map[string]time.Time{"old": {}},
		Jobs: []park.JobFacts{{
			Job: model.Seen(job(), epoch), Overrides: model.Seen(model.Overrides{}, epoch),
			Allocations: model.Seen([]model.Allocation{alloc("old", "stop", model.ClientRunning)}, epoch),
		}},
		Catalog: model.Seen([]model.Registration{old, stand}, epoch),
		Proxies: model.Seen([]model.Proxy{proxy("edge-1", old, stand), proxy("edge-2", old, stand)}, epoch),
		Stored:  model.Seen([]model.Stored(nil), epoch),
	}
}

func built(t *testing.T, f park.Facts) park.World {
	t.Helper()
	w, err := park.Build(f)
	require.NoError(t, err)
	return w
}

func TestAWorldIsBuilt(t *testing.T) {
	f := facts()
	value, err := record(park.StepParking).Encode()
	require.NoError(t, err)
	f.Stored.Value = []model.Stored{
		{Key: keys.Record("web"), Value: value, Index: 7},
		{Key: keys.Parker("n2", "a/1"), Value: []byte(`{"instance":"a/1","lots":{"web":{"mark":"m4","address":"10.0.0.2:2000","state":"in"}}}`), Session: "s"},
		{Key: keys.Parker("n3", "b"), Value: []byte(`{"instance":"b"}`)},
		{Key: keys.Parker("n4", "c"), Value: []byte(`?`), Session: "s"},
	}
	w := built(t, f)
	r := record(park.StepParking)
	want := park.World{
		Now: epoch, Service: "web", Self: "me", Mark: "m9", Record: &r,
		Wish:         park.Wish{Namespace: "default", Job: "web", Group: "app", Version: 2, Wait: 30 * second, Successor: true, Tags: []string{"traefik.enable=true"}, Prefixes: []string{"traefik"}},
		Instances:    []park.Instance{{ID: "_nomad-old", Alloc: "old", Node: "n1", Address: oldAt, Passing: true, Going: true, Takers: park.TakersAll}},
		Placeholders: []park.Instance{{ID: mine, Node: "n2", Address: twoAt, Passing: true, Takers: park.TakersAll}},
		Going:        []park.Going{{Alloc: "old", Address: oldAt, Until: at(12*second - park.Margin)}},
		Pools:        park.Pools{Addresses: map[string]bool{oldAt: true, twoAt: true}},
		Parkers: map[string]park.Presence{
			"n2": {Instance: "a/1", Lots: map[string]park.Lot{"web": {Mark: "m4", Address: twoAt, State: park.LotIn}}},
			"n4": {Problem: "its presence cannot be read: another version of draingate may have written it"},
		},
	}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Errorf("world (-want +got):\n%s", diff)
	}
	require.Equal(t, uint64(7), f.Index())
	require.Zero(t, facts().Index())
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	tests := map[string]struct {
		change  func(*park.Facts)
		unknown string
		pools   string
	}{
		"all is known": {func(*park.Facts) {}, "", ""},
		"the job":      {func(f *park.Facts) { f.Jobs[0].Job = model.Unseen[*model.Job](epoch, "no answer") }, "the job could not be read: no answer", ""},
		"its allocations": {func(f *park.Facts) { f.Jobs[0].Allocations = model.Unseen[[]model.Allocation](epoch, "no answer") },
			"its allocations could not be read: no answer", ""},
		"its overrides":          {func(f *park.Facts) { f.Jobs[0].Overrides = model.Unseen[model.Overrides](epoch, "no answer") }, "its overrides could not be read: no answer", ""},
		"the second job":         {func(f *park.Facts) { f.Jobs = append(f.Jobs, park.JobFacts{}) }, "the job could not be read: not asked yet", ""},
		"the catalog":            {func(f *park.Facts) { f.Catalog = model.Unseen[[]model.Registration](epoch, "no answer") }, "the catalog could not be read: no answer", ""},
		"the proxies":            {func(f *park.Facts) { f.Proxies = model.Unseen[[]model.Proxy](epoch, "no answer") }, "", "no answer"},
		"the proxies, not asked": {func(f *park.Facts) { f.Proxies = model.Fact[[]model.Proxy]{} }, "", "the proxies were not asked yet"},
		"what one proxy has":     {func(f *park.Facts) { f.Proxies.Value[1].Routing = model.Unseen[model.Routing](epoch, "no answer") }, "", "edge-2: no answer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts()
			tt.change(&f)
			w := built(t, f)
			require.Equal(t, tt.unknown, w.Unknown)
			require.Equal(t, tt.pools, w.Pools.Unknown)
		})
	}
}

func TestRecordsThatCannotBeReadAreNone(t *testing.T) {
	value, err := record(park.StepParking).Encode()
	require.NoError(t, err)
	for name, stored := range map[string]model.Fact[[]model.Stored]{
		"not read":      model.Unseen[[]model.Stored](epoch, "no answer"),
		"another form":  model.Seen([]model.Stored{{Key: keys.Record("web"), Value: []byte(`{"format":2}`)}}, epoch),
		"another key":   model.Seen([]model.Stored{{Key: keys.Record("api"), Value: value}}, epoch),
		"another's one": model.Seen([]model.Stored{{Key: keys.Record("api"), Value: []byte(`?`)}}, epoch),
	} {
		t.Run(name, func(t *testing.T) {
			f := facts()
			f.Stored = stored
			_, err := park.Build(f)
			require.Error(t, err)
			t.Log(err)
		})
	}
}

func TestAnInstanceIsEverywhere(t *testing.T) {
	const id = "_nomad-old"
	tests := map[string]struct {
		change         func(*park.Facts)
		old, placehold bool
	}{
		"in both pools":                   {func(*park.Facts) {}, true, true},
		"a proxy does not take it at all": {func(f *park.Facts) { reads(&f.Proxies.Value[0], id, func(r *model.TagReading) { r.Exposed = false }) }, true, true},
		"no proxy takes it": {func(f *park.Facts) {
			for i := range f.Proxies.Value {
				reads(&f.Proxies.Value[i], id, func(r *model.TagReading) { r.Exposed = false })
			}
		}, false, true},
		"it is not told what a proxy makes of its tags": {func(f *park.Facts) { delete(f.Proxies.Value[0].Tags, id) }, false, true},
		"what a proxy makes of its tags is not known":   {func(f *park.Facts) { reads(&f.Proxies.Value[0], id, func(r *model.TagReading) { r.Unknown = "x" }) }, false, true},
		"a proxy refuses its tags":                      {func(f *park.Facts) { reads(&f.Proxies.Value[0], id, func(r *model.TagReading) { r.Err = "x" }) }, false, true},
		"it has no service there":                       {func(f *park.Facts) { reads(&f.Proxies.Value[0], id, func(r *model.TagReading) { r.Services = nil }) }, false, true},
		"it has a second one, which is not there": {func(f *park.Facts) {
			reads(&f.Proxies.Value[0], id, func(r *model.TagReading) { r.Services = append(r.Services, model.TagService{Name: "b"}) })
		}, false, true},
		"one proxy cannot be asked":             {func(f *park.Facts) { f.Proxies.Value[1].Routing = model.Unseen[model.Routing](epoch, "x") }, false, false},
		"no proxy can be asked":                 {func(f *park.Facts) { f.Proxies = model.Unseen[[]model.Proxy](epoch, "x") }, false, false},
		"there is no proxy":                     {func(f *park.Facts) { f.Proxies.Value = nil }, false, false},
		"the service of a proxy is not enabled": {func(f *park.Facts) { f.Proxies.Value[1].Routing.Value.Services[0].Status = "disabled" }, false, false},
		"a proxy has no server":                 {func(f *park.Facts) { f.Proxies.Value[1].Routing.Value.Services[0].Servers = nil }, false, false},
		"a proxy looks for the placeholder where an instance would be": {func(f *park.Facts) {
			reads(&f.Proxies.Value[0], mine, func(r *model.TagReading) {
				r.Services = []model.TagService{{Name: "web@consulcatalog", HostPort: oldAt}}
			})
		}, true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts()
			tt.change(&f)
			w := built(t, f)
			require.Equal(t, []bool{tt.old, tt.placehold}, []bool{w.Instances[0].Takers == park.TakersAll, w.Placeholders[0].Takers == park.TakersAll})
		})
	}
}

func TestWhoGoesAndUntilWhen(t *testing.T) {
	until := func(d time.Duration) []park.Going {
		return []park.Going{{Alloc: "old", Address: oldAt, Until: at(d - park.Margin)}}
	}
	old := func(f *park.Facts) *model.Allocation { return &f.Jobs[0].Allocations.Value[0] }
	unsure := []park.Going{{Alloc: "old", Address: oldAt}}
	tests := map[string]struct {
		change func(*park.Facts)
		want   []park.Going
	}{
		"told now":                             {func(*park.Facts) {}, until(12 * second)},
		"Nomad says that it was before":        {func(f *park.Facts) { old(f).ModifiedAt = at(-2 * second) }, until(10 * second)},
		"Nomad's clock is ahead":               {func(f *park.Facts) { old(f).ModifiedAt = at(time.Hour) }, until(12 * second)},
		"told before, and parked for only now": {func(f *park.Facts) { f.Ran["old"] = at(-3 * second) }, until(9 * second)},
		"Nomad changed it after it was told":   {func(f *park.Facts) { f.Ran["old"] = at(-3 * second); old(f).ModifiedAt = at(-second) }, until(9 * second)},
		"it was not seen while it was well":    {func(f *park.Facts) { f.Ran = nil }, unsure},
		"the longest request counts":           {func(f *park.Facts) { old(f).Job.Meta["draingate_max_request"] = "3s" }, until(9 * second)},
		"the delays are those of its own job":  {func(f *park.Facts) { f.Jobs[0].Job.Value.Groups[0].ShutdownDelay = time.Hour }, until(12 * second)},
		"its job is not known":                 {func(f *park.Facts) { old(f).Job = nil }, nil},
		"its group is another one":             {func(f *park.Facts) { old(f).Group = "db" }, nil},
		"it is to run":                         {func(f *park.Facts) { old(f).DesiredStatus = model.DesiredRun }, nil},
		"it has ended":                         {func(f *park.Facts) { old(f).ClientStatus = model.ClientComplete }, nil},
		"its node is away":                     {func(f *park.Facts) { old(f).ClientStatus = "unknown" }, until(12 * second)},
		"it is to be evicted":                  {func(f *park.Facts) { old(f).DesiredStatus = "evict" }, until(12 * second)},
		"it is out of the catalog":             {func(f *park.Facts) { f.Catalog.Value = nil }, []park.Going{{Alloc: "old", Until: at(12*second - park.Margin)}}},
		"two of two jobs, sorted": {func(f *park.Facts) {
			f.Jobs = append(f.Jobs, park.JobFacts{Job: model.Seen(job(), epoch), Overrides: model.Seen(model.Overrides{}, epoch), Allocations: model.Seen([]model.Allocation{alloc("b", "stop", model.ClientRunning)}, epoch)})
		}, []park.Going{{Alloc: "b"}, until(12 * second)[0]}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts()
			tt.change(&f)
			if diff := cmp.Diff(tt.want, built(t, f).Going); diff != "" {
				t.Errorf("going (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsWished(t *testing.T) {
	paused := func(f *park.Facts, at time.Time) {
		f.Jobs[0].Overrides.Value.Add("draingate/jobs/web", map[string]string{model.OverridePause: park.WritePauses(map[string]time.Time{"web": at, "api": at.Add(time.Hour)})}, epoch)
	}
	first := func(f *park.Facts) *model.Job { return f.Jobs[0].Job.Value }
	tests := map[string]struct {
		change func(*park.Facts)
		want   func(*park.Wish)
	}{
		"a job that asks":            {func(*park.Facts) {}, func(*park.Wish) {}},
		"the group says otherwise":   {func(f *park.Facts) { first(f).Groups[0].Meta = map[string]string{"draingate_park": "20s"} }, func(w *park.Wish) { w.Wait = 20 * second }},
		"a job that does not ask":    {func(f *park.Facts) { first(f).Meta = nil }, func(w *park.Wish) { w.Wait = 0 }},
		"a job that is only watched": {func(f *park.Facts) { first(f).Meta["draingate_mode"] = "observe" }, func(w *park.Wish) { w.Wait = 0 }},
		"a job that is left alone":   {func(f *park.Facts) { first(f).Meta["draingate_mode"] = "off" }, func(w *park.Wish) { w.Wait = 0 }},
		"a person says observe": {func(f *park.Facts) {
			f.Jobs[0].Overrides.Value.Values = map[string]string{model.OverrideMode: "observe"}
		},
			func(w *park.Wish) { w.Wait = 0 }},
		"a person says enforce": {func(f *park.Facts) {
			first(f).Meta["draingate_mode"] = "off"
			f.Jobs[0].Overrides.Value.Values = map[string]string{model.OverrideMode: "enforce"}
		}, func(*park.Wish) {}},
		"a job that is stopped":        {func(f *park.Facts) { first(f).Stopped = true }, func(w *park.Wish) { w.Successor = false }},
		"a job that is scaled to none": {func(f *park.Facts) { first(f).Groups[0].Count = 0 }, func(w *park.Wish) { w.Successor = false }},
		"a job that is not there":      {func(f *park.Facts) { f.Jobs[0].Job.Value = nil }, nothingButTags},
		"no job":                       {func(f *park.Facts) { f.Jobs = nil }, nothingButTags},
		"a job without the service":    {func(f *park.Facts) { first(f).Groups[0].Tasks = nil }, nothingButTags},
		"a person pauses it":           {func(f *park.Facts) { paused(f, at(60*second)) }, func(w *park.Wish) { w.Paused = at(60 * second) }},
		"a person pauses it for a day": {func(f *park.Facts) { paused(f, at(24*60*60*second)) }, func(w *park.Wish) { w.Paused = at(park.PauseMost) }},
		"a person pauses something odd": {func(f *park.Facts) {
			f.Jobs[0].Overrides.Value.Values = map[string]string{model.OverridePause: "web=soon"}
		}, func(*park.Wish) {}},
		"another job is to go on, and the first is stopped": {func(f *park.Facts) {
			first(f).Stopped = true
			paused(f, at(60*second))
			second := job()
			second.ID, second.Version = "web2", 9
			f.Jobs = append(f.Jobs, park.JobFacts{Job: model.Seen(second, epoch), Allocations: model.Seen([]model.Allocation(nil), epoch), Overrides: model.Seen(model.Overrides{}, epoch)})
		}, func(w *park.Wish) { w.Job, w.Version, w.Paused = "web2", 9, at(60*second) }},
		"another job is stopped, and the first goes on": {func(f *park.Facts) {
			second := job()
			second.ID, second.Stopped = "web2", true
			f.Jobs = append(f.Jobs, park.JobFacts{Job: model.Seen(second, epoch), Allocations: model.Seen([]model.Allocation(nil), epoch), Overrides: model.Seen(model.Overrides{}, epoch)})
		}, func(*park.Wish) {}},
		"nothing of Nomad's is in the catalog":   {func(f *park.Facts) { f.Catalog.Value = f.Catalog.Value[1:] }, func(w *park.Wish) { w.Tags, w.Untagged = nil, true }},
		"it was in the catalog":                  {func(f *park.Facts) { f.Known, f.Catalog.Value = f.Catalog.Value[:1], f.Catalog.Value[1:] }, func(*park.Wish) {}},
		"a canary comes first":                   {beside("canary=1", model.StatusPassing), func(*park.Wish) {}},
		"none goes, and one passes":              {func(f *park.Facts) { beside("canary=1", model.StatusCritical)(f); f.Jobs[0].Allocations.Value = nil }, func(*park.Wish) {}},
		"one that has no tags at all":            {func(f *park.Facts) { f.Catalog.Value[0].Tags = nil }, func(w *park.Wish) { w.Tags = nil }},
		"the group that has it now comes second": {func(f *park.Facts) { twoGroups(f); first(f).Groups[0].Count = 0 }, func(w *park.Wish) { w.Group = "green" }},
		"the group that asks comes second": {func(f *park.Facts) {
			twoGroups(f)
			first(f).Meta, first(f).Groups[1].Meta = nil, map[string]string{"draingate_park": "20s"}
		}, func(w *park.Wish) { w.Group, w.Wait = "green", 20*second }},
		"the group that asks goes, and another one comes": {func(f *park.Facts) {
			twoGroups(f)
			first(f).Meta, first(f).Groups[0].Meta, first(f).Groups[0].Count = nil, map[string]string{"draingate_park": "20s"}, 0
		}, func(w *park.Wish) { w.Wait = 20 * second }},
		"all groups are scaled to none": {func(f *park.Facts) { twoGroups(f); first(f).Groups[0].Count, first(f).Groups[1].Count = 0, 0 }, func(w *park.Wish) { w.Successor = false }},
		"proxies have prefixes of their own": {func(f *park.Facts) {
			f.Proxies.Value[0].Settings.Value.Prefix = "edge"
			f.Proxies.Value = append(f.Proxies.Value, f.Proxies.Value[0])
		}, func(w *park.Wish) { w.Prefixes = []string{"edge", "traefik"} }},
		"no proxy tells its prefix": {func(f *park.Facts) { f.Proxies.Value = nil }, func(*park.Wish) {}},
		"it is unfit": {func(f *park.Facts) {
			f.Unfit = func(_ park.Facts, j *park.JobFacts, longest time.Duration) (park.Finding, []park.Probe) {
				return park.Finding{Reason: "X", Message: j.Job.Value.ID + " " + longest.String()}, []park.Probe{{Path: "/"}}
			}
			paused(f, at(60*second))
		}, func(w *park.Wish) {
			w.Unfit, w.Probes, w.Paused = park.Finding{Reason: "X", Message: "web 1m0s"}, []park.Probe{{Path: "/"}}, at(60*second)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := park.Wish{Namespace: "default", Job: "web", Group: "app", Version: 2, Wait: 30 * second, Successor: true, Tags: []string{"traefik.enable=true"}, Prefixes: []string{"traefik"}}
			tt.want(&want)
			f := facts()
			tt.change(&f)
			if diff := cmp.Diff(want, built(t, f).Wish); diff != "" {
				t.Errorf("wish (-want +got):\n%s", diff)
			}
		})
	}
}

// What is compared with the instances is what the placeholders have, not what the newest
// instance would give them.
func TestAClashIsWithTheTagsOfTheRecord(t *testing.T) {
	f := facts()
	f.Clash = func(_ park.Facts, tags []string) park.Finding { return park.Finding{Reason: "X", Message: tags[0]} }
	require.Zero(t, built(t, f).Clash, "nothing is parked for")
	r := record(park.StepParking)
	r.Tags = []string{"traefik.enable=false"}
	value, err := r.Encode()
	require.NoError(t, err)
	f.Stored.Value = []model.Stored{{Key: keys.Record("web"), Value: value, Index: 7}}
	require.Equal(t, park.Finding{Reason: "X", Message: "traefik.enable=false"}, built(t, f).Clash)
}

// beside puts an instance with a tag into the catalog, before the old one.
func beside(tag, status string) func(*park.Facts) {
	return func(f *park.Facts) {
		r := registered("a", 7070, status)
		r.Tags = []string{tag}
		f.Catalog.Value = append([]model.Registration{r}, f.Catalog.Value...)
	}
}

// twoGroups gives the job a second group with the same service.
func twoGroups(f *park.Facts) {
	j := f.Jobs[0].Job.Value
	second := j.Groups[0]
	second.Name = "green"
	j.Groups = append(j.Groups, second)
}

func nothingButTags(w *park.Wish) {
	*w = park.Wish{Tags: w.Tags, Prefixes: w.Prefixes}
}

func TestAMaintenanceOfOursIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		check model.CheckStatus
		want  bool
	}{
		"of this pause":       {model.CheckStatus{ID: "_service_maintenance:_nomad-old", Status: model.StatusCritical, Notes: pausing}, true},
		"of somebody else":    {model.CheckStatus{ID: "_service_maintenance:_nomad-old", Status: model.StatusCritical, Notes: foreign}, false},
		"of another service":  {model.CheckStatus{ID: "_service_maintenance:_nomad-old", Status: model.StatusCritical, Notes: keys.Reason("api")}, false},
		"of another election": {model.CheckStatus{ID: "_service_maintenance:_nomad-old", Status: model.StatusCritical, Notes: pausing + "@other"}, false},
		"of another instance": {model.CheckStatus{ID: "_service_maintenance:_nomad-b", Status: model.StatusCritical, Notes: pausing}, false},
		"no maintenance":      {model.CheckStatus{ID: "alive", Status: model.StatusCritical, Notes: pausing}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := facts()
			f.Catalog.Value[0].Checks = []model.CheckStatus{tt.check}
			require.Equal(t, tt.want, built(t, f).Instances[0].Ours)
		})
	}
}

func TestTheServicesForWhichAJobAsks(t *testing.T) {
	more := func() *model.Job {
		j := job()
		j.Groups = append(j.Groups, model.Group{Name: "b", Services: []model.Service{{Name: "nomads", Provider: "nomad"}, {Name: "api"}, {Name: "web"}}})
		return j
	}
	all := func(j *model.Job, meta map[string]string, values map[string]string) []string {
		j.Meta = meta
		return park.Services(j, model.Overrides{Values: values})
	}
	require.Equal(t, []string{"api", "web"}, all(more(), map[string]string{"draingate_park": "30s"}, nil))
	require.Empty(t, all(more(), nil, nil))
	require.Empty(t, all(more(), map[string]string{"draingate_park": ""}, nil))
	require.Equal(t, []string{"api"}, all(more(), nil, map[string]string{model.OverridePause: "api=2026-01-02T15:04:05Z,none=2026-01-02T15:04:05Z"}))
}

func TestWhenAnInstanceWasFirstToldIsRemembered(t *testing.T) {
	f := facts()
	f.Ran = nil
	f.Jobs[0].Allocations.Value = []model.Allocation{alloc("a", model.DesiredRun, model.ClientRunning), alloc("b", "stop", model.ClientRunning), alloc("c", model.DesiredRun, model.ClientComplete)}
	f.Ran = f.Remember()
	require.Equal(t, map[string]time.Time{"a": {}}, f.Ran, "b may have been told long ago, and c is no more")
	f.Jobs[0].Allocations.Value[0].DesiredStatus = "stop"
	f.Ran = f.Remember()
	require.Equal(t, map[string]time.Time{"a": epoch}, f.Ran)
	f.Now = at(second)
	require.Equal(t, map[string]time.Time{"a": epoch}, f.Remember(), "the first time counts")
}

// A proxy that holds back what it read for long is followed, also once it cannot be
// asked any more.
func TestTheLongestThrottleIsKept(t *testing.T) {
	f := facts()
	throttle := func(i int, d time.Duration) {
		f.Proxies.Value[i].Settings = model.Seen(model.ProxySettings{Throttle: d}, epoch)
	}
	throttle(0, 9*second)
	throttle(1, 2*second)
	f.Stored.Value = []model.Stored{{Key: keys.Parker("n2", "a"), Value: []byte(`{"instance":"a"}`), Session: "s"}}
	begun := park.Next(built(t, f)).Record
	require.NotNil(t, begun)
	require.Equal(t, 9*second, begun.Throttle)
	value, err := begun.Encode()
	require.NoError(t, err)
	f.Stored.Value = append(f.Stored.Value, model.Stored{Key: keys.Record("web"), Value: value, Index: 7})
	f.Proxies.Value = f.Proxies.Value[1:]
	w := built(t, f)
	w.Wish.Version++ // Whatever else there is to write.
	again := park.Next(w).Record
	require.NotNil(t, again)
	require.Equal(t, 9*second, again.Throttle)
}

func TestAJobAsksForAParkOfItself(t *testing.T) {
	for name, test := range map[string]struct {
		meta map[string]string
		asks bool
	}{
		"it says for how long":         {map[string]string{"draingate_park": "30s"}, true},
		"it is gated too":              {map[string]string{"draingate_park": "30s", "draingate_mode": "enforce"}, true},
		"it says nothing":              {nil, false},
		"it says for no time":          {map[string]string{"draingate_park": "0s"}, false},
		"what it says means nothing":   {map[string]string{"draingate_park": "soon"}, false},
		"it is only to be observed":    {map[string]string{"draingate_park": "30s", "draingate_mode": "observe"}, false},
		"it is to be left quite alone": {map[string]string{"draingate_park": "30s", "draingate_mode": "off"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.asks, park.Asks(&model.Job{Meta: test.meta, Groups: []model.Group{{Name: "web"}}}, "web"))
		})
	}
}
