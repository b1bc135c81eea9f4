package fence

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestKeysLieUnderTheLeaders(t *testing.T) {
	d := model.Key{Namespace: "prod", Deployment: "d1"}
	for leader, want := range map[string]string{
		"draingate/leader":       "draingate/leader/fences/prod/d1",
		"teams/a/draingate/lead": "teams/a/draingate/lead/fences/prod/d1",
		"lead":                   "lead/fences/prod/d1",
	} {
		require.Equal(t, want, KeysUnder(leader).Record(d))
	}
}

func TestWhoIsPresent(t *testing.T) {
	k := KeysUnder("draingate/leader")
	value := func(acks map[string]string) []byte {
		out, err := EncodePresence(acks, acks["problem"])
		require.NoError(t, err)
		return out
	}
	require.Equal(t, map[string][]string{"a": {"m1", "m2"}, "b": nil, "c": nil}, k.Fencers([]model.Stored{
		{Key: "draingate/leader", Session: "s"},
		{Key: k.Presence("a", "1"), Session: "s1", Value: value(map[string]string{"d1": "m2"})},
		{Key: k.Presence("a", "2"), Session: "s2", Value: value(map[string]string{"d1": "m1", "d2": "m9"})},
		{Key: k.Presence("b", "3"), Session: "s3", Value: []byte("{")},
		{Key: k.Presence("c", "4"), Session: "s4", Value: value(nil)},
		{Key: k.Presence("gone", "5"), Value: value(map[string]string{"d1": "m2"})},
	}, "d1"))
	require.Equal(t, map[string]string{"a": "it may not"}, k.Problems([]model.Stored{
		{Key: k.Presence("a", "1"), Session: "s1", Value: value(map[string]string{"problem": "it may not"})},
		{Key: k.Presence("b", "1"), Session: "s1", Value: value(nil)},
		{Key: k.Presence("c", "1"), Value: value(map[string]string{"problem": "it is gone"})},
	}))
}

func TestOneRecordThatIsNotUnderstoodMakesAllUnknown(t *testing.T) {
	k := KeysUnder("draingate/leader")
	good := Record{Format: Format, Namespace: "prod", Deployment: "d1", Mark: "m", Step: StepArmed}
	text, err := good.Encode()
	require.NoError(t, err)
	at := k.Record(good.Key())

	held, err := k.Held([]model.Stored{{Key: "draingate/leader"}, {Key: at, Value: text, Session: "s"}})
	require.NoError(t, err)
	require.Equal(t, []Held{{Record: good, Locked: true}}, held)

	_, err = k.Held([]model.Stored{{Key: at, Value: text}, {Key: k.Records() + "prod/d2", Value: []byte(`{"format":2}`)}})
	require.ErrorContains(t, err, "draingate/leader/fences/prod/d2")
	require.ErrorContains(t, err, "another version of draingate")
	_, err = k.Held([]model.Stored{{Key: k.Records() + "prod/d2", Value: text}})
	require.ErrorContains(t, err, "it holds the record of deployment d1")
}
