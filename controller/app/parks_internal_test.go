package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	consulapi "github.com/hashicorp/consul/api"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
	"github.com/draingate/draingate/controller/status"
)

func parkedRecord() park.Record {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return park.Record{
		Format: park.Format, Service: "db", Namespace: "default", Job: "db", Group: "app", Version: 8, Owner: "node1/1", Seq: 2, Mark: "m2",
		Step: park.StepParking, Nodes: []string{"n1", "n2"}, Wait: 30 * time.Second, Since: at, Gap: at, Until: at.Add(30 * time.Second),
		Going:  []park.Going{{Alloc: "a1", Address: "10.0.0.6:80", Until: at}},
		Fenced: []park.Target{{Node: "n3", Service: "s1"}},
	}
}

func pair(t *testing.T, key string, value []byte, err error, session string) consulapi.KVPair {
	t.Helper()
	require.NoError(t, err)
	return consulapi.KVPair{Key: key, Value: value, Session: session, ModifyIndex: 7}
}

func TestParksAreReadFromTheRecordsAndWhatTheLeaderFound(t *testing.T) {
	keys := park.KeysUnder("draingate/leader")
	record := parkedRecord()
	text, err := record.Encode()
	stored := []consulapi.KVPair{pair(t, keys.Record("db"), text, err, "")}
	one, err := park.EncodePresence(park.Presence{Instance: "AAAA", Lots: map[string]park.Lot{"db": {
		Mark: "m2", Address: "10.0.0.5:21000", State: park.LotIn, Waiting: 3,
		Figures: park.Figures{Peak: 9, Longest: time.Second, UnderWay: 2, Upgrades: 1, Forwarded: 4, Released: 5, Refused: 6, Expired: 7, Gone: 8, Failed: 10},
	}}})
	stored = append(stored, pair(t, keys.Parker("n1", "AAAA"), one, err, "s1"))
	two, err := park.EncodePresence(park.Presence{Instance: "BBBB", Problem: "no port", Lots: map[string]park.Lot{"db": {Mark: "m1", State: park.LotIn}}})
	stored = append(stored, pair(t, keys.Parker("n2", "BBBB"), two, err, "s2"))

	seen := time.Date(2026, 11, 21, 12, 0, 5, 0, time.UTC)
	found := []Parked{
		{Service: "db", Finding: park.Finding{Reason: park.ReasonParked, Message: "no instance for 3s"}, Seen: seen},
		{Service: "gone", Finding: park.Finding{Reason: park.ReasonReleased, Message: "its record went since"}},
		{Service: "web", Finding: park.Finding{Reason: park.ReasonWeight, Message: "weight 0"}, Seen: seen},
	}
	list, err := readParks(t.Context(), keyValues(t, stored...), keys, found)
	require.NoError(t, err)
	want := status.ParkList{
		Parks: []status.Park{
			{
				Service: "db", Namespace: "default", Job: "db", Group: "app", JobVersion: 8, Step: "parking", Reason: "Parked", Message: "no instance for 3s",
				LongestWait: status.Seconds(30 * time.Second), Owner: "node1/1", Since: record.Since, Gap: record.Gap, Until: record.Until,
				Nodes: []status.ParkNode{
					{Node: "n1", Address: "10.0.0.5:21000", State: "in", Present: true, Waiting: 3, Peak: 9, Longest: status.Seconds(time.Second), UnderWay: 2, Upgrades: 1,
						Forwarded: 4, Released: 5, Refused: 6, Expired: 7, Gone: 8, Failed: 10},
					{Node: "n2", Present: true, Longest: status.Seconds(0)},
				},
				Fenced: []status.ParkedInstance{{Node: "n3", ID: "s1"}}, Going: []status.GoingInstance{{Allocation: "a1", Address: "10.0.0.6:80", Until: record.Since}},
			},
			{Service: "web", Reason: "WeightZero", Message: "weight 0", Since: seen},
		},
		Parkers: []status.Parker{{Node: "n1", Instance: "AAAA", Services: []string{"db"}}, {Node: "n2", Instance: "BBBB", Services: []string{"db"}, Problem: "no port"}},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

func TestARecordSaysMoreThanNothing(t *testing.T) {
	r := parkedRecord()
	require.Equal(t, "Parked", parkOf(Parked{Service: "db", Record: &r}, nil).Reason, "nobody has looked yet")
	r.ByHand = true
	require.Equal(t, "Pausing", parkOf(Parked{Service: "db", Record: &r}, nil).Reason, "whether it is in force is not known")
	r.Step, r.Reason, r.Message = park.StepLeaving, park.ReasonExpired, "no instance"
	p := parkOf(Parked{Service: "db", Record: &r, Finding: park.Finding{Reason: park.ReasonParked, Message: "before that"}}, nil)
	require.Equal(t, []string{"ParkExpired", "no instance"}, []string{p.Reason, p.Message})
	r.Reason = ""
	require.Equal(t, "Released", parkOf(Parked{Service: "db", Record: &r}, nil).Reason)
}

func TestWhoBeginsNoParkSaysWhy(t *testing.T) {
	for want, change := range map[string]func(*options.Run){
		"":            func(*options.Run) {},
		"--no-leader": func(o *options.Run) { o.Leader.Off = true },
		"--dry-run":   func(o *options.Run) { o.DryRun = true },
		"--no-park":   func(o *options.Run) { o.Park.Off = true },
	} {
		o := options.Default()
		change(&o)
		require.Contains(t, noParks(o), want)
		require.Equal(t, want == "", noParks(o) == "")
		require.Equal(t, want == "", (&App{options: o}).parkFigures(o) != nil)
	}
	o := options.Default()
	o.Leader.Off = true
	list, err := (&App{options: o}).parks()
	require.NoError(t, err)
	require.Contains(t, list.Problem, "--no-leader")
	require.False(t, list.Now.IsZero())
}

func TestEndsAndRefusalsAreCountedOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := metrics.New(registry, metrics.Options{ParkReasons: parkReasons()})
	require.NoError(t, err)
	r := parkRecorder{&App{metrics: m}}
	refused := park.Finding{Reason: park.ReasonNoParker, Message: "nobody is there"}
	r.Parked(nil, park.World{Service: "db"}, refused)
	r.Parked(nil, park.World{Service: "db"}, refused)
	record := parkedRecord()
	r.Parked(&record, park.World{Service: "db"}, park.Finding{Reason: park.ReasonParked})
	left := record
	left.Step = park.StepLeaving
	r.Parked(&left, park.World{Service: "db"}, park.Finding{Reason: park.ReasonReleased})
	r.Parked(&left, park.World{Service: "db"}, park.Finding{Reason: park.ReasonReleased})
	r.Parked(nil, park.World{Service: "db"}, park.Finding{Reason: park.ReasonReleased})
	r.Parked(nil, park.World{Service: "db"}, park.Finding{})
	r.Parked(&record, park.World{Service: "web"}, park.Finding{Reason: park.ReasonParked})
	expired := record
	expired.Step, expired.Reason = park.StepLeaving, park.ReasonExpired
	r.Parked(&expired, park.World{Service: "web"}, park.Finding{Reason: park.ReasonExpired})
	r.Wrote(park.DoStore, nil)
	var text strings.Builder
	for _, name := range []string{"draingate_park_ends_total", "draingate_park_refusals_total", "draingate_park_writes_total"} {
		n, err := testutil.GatherAndCount(registry, name)
		require.NoError(t, err)
		require.NotZero(t, n, name)
	}
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, one := range f.GetMetric() {
			if strings.HasPrefix(f.GetName(), "draingate_park_") && one.GetCounter().GetValue() > 0 {
				text.WriteString(f.GetName() + " " + one.GetLabel()[0].GetValue() + " ")
				require.InDelta(t, 1, one.GetCounter().GetValue(), 0, f.GetName())
			}
		}
	}
	require.Equal(t, "draingate_park_ends_total ParkExpired draingate_park_ends_total Released draingate_park_refusals_total NoParker draingate_park_writes_total done ", text.String())
}

func TestWhatAListenerDidIsMeasured(t *testing.T) {
	got := parkedService(parking.Figures{Waiting: 1, Peak: 2, Oldest: time.Second, Longest: 2 * time.Second, UnderWay: 3, Upgrades: 4,
		Forwarded: 5, Released: 6, Gone: 7, Failed: 8, Broken: 9, Refused: map[parking.Reason]uint64{parking.ReasonTime: 10}})
	require.Equal(t, metrics.ParkedService{Waiting: 1, Peak: 2, Oldest: time.Second, Longest: 2 * time.Second, UnderWay: 3, Upgrades: 4,
		Results: map[string]uint64{"forwarded": 5, "released": 6, "gone": 7, "unanswered": 8, "broken": 9}, Refused: map[string]uint64{"time": 10}}, got)
	require.Contains(t, parkReasons(), model.Reason("ParkExpired"))
}

func TestTooFewOpenFilesAreTold(t *testing.T) {
	require.Empty(t, tooFewFiles(40_256, 20_000))
	require.Empty(t, tooFewFiles(0, 20_000), "a limit that is not known is not too low")
	why := tooFewFiles(1024, 20_000)
	for _, want := range []string{"is 1024", "--park-requests-total 20000 needs 40256", "to 384 or less", "LimitNOFILE"} {
		require.Contains(t, why, want)
	}
	require.Contains(t, tooFewFiles(100, 1), "to 0 or less")
	require.NotZero(t, openFiles())
}

func TestTheCheckNamesWhatAParkLacks(t *testing.T) {
	for denied, want := range map[string]string{
		"":                   "this is the node n1, whose listeners every Traefik must reach at 127.0.0.1 (ports 21000 to 21009); what lies below draingate/leader/parks/ can be read",
		"/v1/agent/self":     `agent_prefix "" { policy = "read" }`,
		"/v1/kv/":            `key_prefix "draingate/leader/`,
		"/v1/session/create": `session_prefix "" { policy = "write" }`,
	} {
		t.Run("without "+denied, func(t *testing.T) {
			c, asked := fencingConsul(t, denied)
			o := options.Default()
			o.Park.Address, o.Park.FirstPort, o.Park.LastPort = "127.0.0.1", 21000, 21009
			text, err := (&App{options: o, consul: c}).askPark(t.Context())
			if denied != "" {
				require.ErrorContains(t, err, want)
				return
			}
			require.NoError(t, err)
			require.Contains(t, text, want)
			require.Contains(t, *asked, "PUT /v1/session/destroy/s1", "no session is left behind")
			for _, a := range *asked {
				require.NotContains(t, a, "register", "a check sends nobody a request")
			}
		})
	}
	c, _ := fencingConsul(t, "")
	o := options.Default()
	o.Park.Address, o.Park.Bind = "10.0.0.7", "192.0.2.1"
	_, err := (&App{options: o, consul: c}).askPark(t.Context())
	require.ErrorContains(t, err, "listen on 192.0.2.1")
	require.ErrorContains(t, err, "--park-bind")
	o.Park.Requests = 1
	text := (&App{options: o}).askFiles()
	require.Contains(t, text, "1 requests that wait need 258")
	o.Park.Requests = options.MaxParkRequests * 1000
	text = (&App{options: o}).askFiles()
	require.Contains(t, text, "--park-requests-total")
	require.Len(t, (&App{options: options.Default()}).aboutPark(), 3)
	o.Park.Off = true
	require.Empty(t, (&App{options: o}).aboutPark())
}
