package park_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

func TestKeysOfTwoElectionsAreNeverTheSame(t *testing.T) {
	other := park.KeysUnder("/other/leader/")
	require.Equal(t, "draingate/leader/parks/services/web", keys.Record("web"))
	require.Equal(t, "other/leader/parks/nodes/n1/a-1", other.Parker("n1", "a/1"))
	require.Equal(t, mine, keys.Placeholder("web", "n2"))
	require.Equal(t, mine+"@other/leader", other.Placeholder("web", "n2"))
	require.Equal(t, pausing, keys.Reason("web"))
	require.Equal(t, pausing+"@other/leader", other.Reason("web"))
	for _, k := range []park.Keys{keys, other} {
		service, ours := k.Ours(k.Reason("web"))
		require.Equal(t, "web true", service+map[bool]string{true: " true"}[ours])
		service, ours = k.PlaceholderOf(k.Placeholder("web", "n2"), "n2")
		require.Equal(t, "web true", service+map[bool]string{true: " true"}[ours])
		require.True(t, park.IsPlaceholder(k.Placeholder("web", "n2")))
	}
	for _, id := range []string{mine + "@other/leader", "_draingate-park-web~n3", "_draingate-park-~n2", "web~n2", "_nomad-task-web", ""} {
		_, ours := keys.PlaceholderOf(id, "n2")
		require.False(t, ours, id)
	}
	for _, reason := range []string{pausing + "@other/leader", "draingate-pause/", "draingate/web", "web", foreign, ""} {
		_, ours := keys.Ours(reason)
		require.False(t, ours, reason)
	}
}

func TestPresencesAreReadWhileTheirSessionsLive(t *testing.T) {
	value, err := park.EncodePresence(park.Presence{Instance: "b", Problem: "no port"})
	require.NoError(t, err)
	stored := []model.Stored{
		{Key: keys.Parker("n1", "a"), Value: []byte(`{"instance":"a"}`), Session: "s"},
		{Key: keys.Parker("n1", "b"), Value: value, Session: "s"},
		{Key: keys.Parker("n2", "c"), Value: value},
		{Key: keys.Parkers() + "n3", Value: value, Session: "s"},
		{Key: keys.Parkers() + "/x", Value: value, Session: "s"},
		{Key: keys.Record("web"), Value: value, Session: "s"},
	}
	require.Equal(t, map[string]park.Presence{"n1": {Instance: "b", Problem: "no port"}}, keys.ReadParkers(stored))
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	r := record(park.StepParking)
	r.Going, r.Fenced, r.ByHand = []park.Going{{"a", oldAt, at(second)}, {"b", newAt, time.Time{}}}, []park.Target{{"n1", "web"}}, true
	value, err := r.Encode()
	require.NoError(t, err)
	read, err := park.Decode(value)
	require.NoError(t, err)
	if diff := cmp.Diff(r, read); diff != "" {
		t.Errorf("record (-written +read):\n%s", diff)
	}
	for name, change := range map[string]func(*park.Record){
		"another format": func(r *park.Record) { r.Format = 2 },
		"no service":     func(r *park.Record) { r.Service = "" },
		"no mark":        func(r *park.Record) { r.Mark = "" },
		"no known step":  func(r *park.Record) { r.Step = "gone" },
	} {
		t.Run(name, func(t *testing.T) {
			r := record(park.StepParking)
			change(&r)
			value, err := r.Encode()
			require.NoError(t, err)
			_, err = park.Decode(value)
			require.Error(t, err)
		})
	}
}

func TestRecordsAreSorted(t *testing.T) {
	var stored []model.Stored
	for i, service := range []string{"web", "api"} {
		r := record(park.StepParking)
		r.Service = service
		value, err := r.Encode()
		require.NoError(t, err)
		stored = append(stored, model.Stored{Key: keys.Record(service), Value: value, Index: uint64(i)})
	}
	read, err := keys.ReadRecords(append(stored, model.Stored{Key: keys.Parker("n1", "a"), Value: []byte("?")}))
	require.NoError(t, err)
	require.Equal(t, "api web", read[0].Service+" "+read[1].Service)
	require.Equal(t, uint64(1), read[0].Index)
}

func TestPausesAreReadAsTheyWereWritten(t *testing.T) {
	all := map[string]time.Time{"web": at(0), "api": at(time.Hour)}
	require.Equal(t, "api=2026-01-01T01:00:00Z,web=2026-01-01T00:00:00Z", park.WritePauses(all))
	read, err := park.ReadPauses(" web=2026-01-01T01:00:00+01:00 ,, api=2026-01-01T01:00:00Z")
	require.NoError(t, err)
	require.True(t, read["web"].Equal(at(0)))
	require.Len(t, read, 2)
	for _, text := range []string{"web", "web=", "=2026-01-01T01:00:00Z", "web=60s", "web=2026-01-01T01:00:00Z api=2026-01-01T01:00:00Z"} {
		_, err := park.ReadPauses(text)
		require.ErrorContains(t, err, "is not SERVICE=TIME", text)
		require.Zero(t, park.PausedUntil(model.Overrides{Values: map[string]string{model.OverridePause: text}}, "web"))
	}
}

func TestWhoParks(t *testing.T) {
	four := map[string]park.Presence{"n1": {}, "n2": {}, "n3": {}, "n4": {}}
	tests := map[string]struct {
		before, instances []string
		parkers           map[string]park.Presence
		want              []string
	}{
		"two of four":                          {nil, nil, four, []string{"n1", "n2"}},
		"not where an instance is":             {nil, []string{"n1", "n2"}, four, []string{"n3", "n4"}},
		"where one is rather than nowhere":     {nil, []string{"n1"}, map[string]park.Presence{"n1": {}, "n2": {}}, []string{"n1", "n2"}},
		"the same as before":                   {[]string{"n3", "n4"}, nil, four, []string{"n3", "n4"}},
		"the same, though instances are there": {[]string{"n3", "n4"}, []string{"n3", "n4"}, four, []string{"n3", "n4"}},
		"one is gone":                          {[]string{"n3", "n7"}, []string{"n1"}, four, []string{"n2", "n3"}},
		"one has a problem":                    {[]string{"n1", "n2"}, nil, map[string]park.Presence{"n1": {Problem: "x"}, "n2": {}, "n3": {}}, []string{"n2", "n3"}},
		"all have one":                         {[]string{"n1"}, nil, map[string]park.Presence{"n1": {Problem: "x"}}, []string{}},
		"only one is there":                    {nil, []string{"n1"}, map[string]park.Presence{"n1": {}}, []string{"n1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.ElementsMatch(t, tt.want, park.Choose(tt.before, tt.parkers, tt.instances))
			require.IsIncreasing(t, append([]string{""}, park.Choose(tt.before, tt.parkers, tt.instances)...))
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, step := range []park.Step{park.StepParking, park.StepOver, "gone"} {
		value, err := record(step).Encode()
		require.NoError(f, err)
		f.Add(value)
	}
	f.Add([]byte(`{"format":1,"service":"web","mark":"m","step":"out","gap":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := park.Decode(text)
		if err != nil {
			return
		}
		value, err := r.Encode()
		require.NoError(t, err)
		again, err := park.Decode(value)
		require.NoError(t, err)
		once, err := json.Marshal(r)
		require.NoError(t, err)
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		require.JSONEq(t, string(once), string(twice))
	})
}

func FuzzReadPauses(f *testing.F) {
	f.Add("web=2026-01-01T00:00:00Z,api=2026-01-01T01:00:00+01:00")
	f.Add("web=")
	f.Fuzz(func(t *testing.T, text string) {
		read, err := park.ReadPauses(text)
		if err != nil {
			return
		}
		again, err := park.ReadPauses(park.WritePauses(read))
		for service, at := range read {
			if year := at.UTC().Year(); year < 0 || year > 9999 {
				return // A zone can move a time out of what RFC 3339 can write.
			}
			require.NoError(t, err)
			require.True(t, again[service].Equal(at.Truncate(time.Second)), service)
		}
	})
}

func FuzzPlaceholderOf(f *testing.F) {
	f.Add(mine, "n2", model.DefaultLeaderKey)
	f.Add(mine+"@other/leader", "n2", "other/leader")
	f.Fuzz(func(t *testing.T, id, node, leader string) {
		k := park.KeysUnder(leader)
		if service, ours := k.PlaceholderOf(id, node); ours {
			require.Equal(t, id, k.Placeholder(service, node))
			require.True(t, park.IsPlaceholder(id))
		}
		if service, ours := k.Ours(id); ours {
			require.Equal(t, id, k.Reason(service))
		}
	})
}
