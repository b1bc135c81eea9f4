package fence

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// onNode is an instance that has just read a record with its lock, which wants
// the two services of one allocation on its node in maintenance.
func onNode() NodeInput {
	r := Record{Format: Format, Namespace: "default", Deployment: "dep", Seq: 4, Mark: "mark", Step: StepFencing,
		Set: []Target{{Alloc: "a", Name: "web.web[0]", Node: "n1", Services: []string{"s1", "s2"}}, {Alloc: "b", Name: "web.web[1]", Node: "n2", Services: []string{"s3"}}}}
	return NodeInput{Node: "n1", TTL: 10 * time.Second, Now: noon, Records: model.Seen([]Held{{Record: r, Locked: true}}, noon),
		Locals: model.Seen([]Local{{ID: "s1"}, {ID: "s2"}, {ID: "other"}}, noon), Standings: map[string]Standing{}}
}

// fenced is the same with all of it in place, and known for long.
func fencedNode() NodeInput {
	in := onNode()
	ours := Keys{}.Reason("dep")
	in.Locals.Value = []Local{{ID: "s1", Maintenance: true, Reason: ours}, {ID: "s2", Maintenance: true, Reason: ours}, {ID: "other"}}
	in.Memory = NodeMemory{Read: noon.Add(-time.Second), Records: []Sighting{{Held: in.Records.Value[0], Since: noon.Add(-time.Minute)}}}
	return in
}

// orphaned is the same with an armed record that has lost its lock.
func orphaned() NodeInput {
	in := fencedNode()
	in.Records.Value[0].Record.Step, in.Records.Value[0].Record.Call, in.Records.Value[0].Locked = StepArmed, CallPromote, false
	in.Memory.Records[0].Held = in.Records.Value[0]
	in.Standings["dep"] = Standing{Read: noon, Status: model.DeploymentRunning, Told: map[string]bool{}}
	return in
}

func standing(do func(*Standing)) func(*NodeInput) {
	return func(in *NodeInput) {
		s := in.Standings["dep"]
		do(&s)
		in.Standings["dep"] = s
	}
}

func TestWhatAnInstanceDoesOnItsNode(t *testing.T) {
	t.Parallel()
	ours := Keys{}.Reason("dep")
	both := []string{"s1", "s2"}
	acked := NodeAction{Acks: map[string]string{"dep": "mark"}}
	lifts := NodeAction{Lift: both}
	ask := []model.Key{{Namespace: "default", Deployment: "dep"}}
	asks, released := NodeAction{Ask: ask}, NodeAction{Ask: ask, Lift: both}
	resume := func(in *NodeInput) {
		for _, r := range []*Record{&in.Records.Value[0].Record, &in.Memory.Records[0].Record} {
			r.Call, r.Pause = CallResume, true
		}
		in.Records.Value[0].Locked = true
		standing(func(s *Standing) { s.Promoted, s.Told["a"] = true, true })(in)
	}
	tests := map[string]struct {
		of   func() NodeInput
		do   func(*NodeInput)
		want NodeAction
	}{
		"sets what is wanted":                  {onNode, nil, NodeAction{Set: map[string]string{"s1": ours, "s2": ours}}},
		"acknowledges what it then sees":       {fencedNode, nil, acked},
		"not what it saw before it read":       {fencedNode, func(in *NodeInput) { in.Locals.At = noon.Add(-time.Second) }, NodeAction{}},
		"sets anew what Nomad registered anew": {fencedNode, func(in *NodeInput) { in.Locals.Value[0] = Local{ID: "s1"} }, NodeAction{Set: map[string]string{"s1": ours}}},
		"a service that is gone needs nothing": {fencedNode, func(in *NodeInput) { in.Locals.Value = in.Locals.Value[1:] }, acked},
		"leaves alone what someone else set":   {onNode, func(in *NodeInput) { in.Locals.Value[0] = Local{"s1", true, "disk is full"} }, NodeAction{Set: map[string]string{"s2": ours}}},
		"which is as good as ours":             {fencedNode, func(in *NodeInput) { in.Locals.Value[0].Reason = "disk is full" }, acked},
		"never lifts what someone else set":    {fencedNode, func(in *NodeInput) { in.Locals.Value[0].Reason, in.Records.Value = "disk is full", nil }, NodeAction{Lift: []string{"s2"}}},
		"lifts when the lock is gone":          {fencedNode, func(in *NodeInput) { in.Records.Value[0].Locked = false }, lifts},
		"lifts when the record has ended":      {fencedNode, func(in *NodeInput) { in.Records.Value[0].Record.Step, in.Records.Value[0].Record.Set = StepEnded, nil }, lifts},
		"lifts orphans that no record names":   {fencedNode, func(in *NodeInput) { in.Records.Value, in.Memory = nil, NodeMemory{} }, lifts},
		"lifts what is of another node":        {fencedNode, func(in *NodeInput) { in.Node = "n3" }, lifts},
		"keeps what was told to stop":          {fencedNode, func(in *NodeInput) { r := &in.Records.Value[0].Record; r.Kept, r.Set, r.Step = r.Set, nil, StepEnded }, NodeAction{}},
		"keeps it where the lock is gone": {fencedNode, func(in *NodeInput) {
			in.Records.Value[0].Locked = false
			r := &in.Records.Value[0].Record
			r.Kept, r.Set = r.Set, nil
		}, NodeAction{}},
		"does nothing where the agent is away": {fencedNode, func(in *NodeInput) { in.Locals, in.Records.Value = model.Unseen[[]Local](noon, "refused"), nil }, NodeAction{}},
		"keeps what it cannot read about":      {fencedNode, func(in *NodeInput) { in.Records = model.Unseen[[]Held](noon, "refused") }, NodeAction{}},
		"sets nothing it cannot read about": {onNode, func(in *NodeInput) {
			in.Memory = fencedNode().Memory
			in.Records = model.Unseen[[]Held](noon, "refused")
		}, NodeAction{}},
		"lifts what it could not for two TTL": {fencedNode, func(in *NodeInput) {
			in.Records, in.Memory.Read = model.Unseen[[]Held](noon, "refused"), noon.Add(-21*time.Second)
		}, lifts},
		"not where it never could": {fencedNode, func(in *NodeInput) {
			in.Records, in.Memory = model.Unseen[[]Held](noon, "refused"), NodeMemory{Read: noon.Add(-time.Hour)}
		}, NodeAction{}},

		"keeps what is armed, and asks":      {orphaned, func(in *NodeInput) { in.Standings = nil }, asks},
		"releases what was not promoted":     {orphaned, nil, released},
		"not what was":                       {orphaned, standing(func(s *Standing) { s.Promoted = true }), asks},
		"not within the window":              {orphaned, func(in *NodeInput) { in.Memory.Records[0].Since = noon.Add(-Window) }, asks},
		"not after a read within the window": {orphaned, standing(func(s *Standing) { s.Read = noon.Add(-time.Minute + Window) }), asks},
		"not one that was told to stop":      {orphaned, standing(func(s *Standing) { s.Told["a"] = true }), asks},
		"not while the lock is there":        {orphaned, func(in *NodeInput) { in.Records.Value[0].Locked = true }, acked},
		"what succeeded stops no more":       {orphaned, standing(func(s *Standing) { s.Promoted, s.Status = true, model.DeploymentSuccessful }), released},
		"what ended unpromoted does not":     {orphaned, standing(func(s *Standing) { s.Status = model.DeploymentFailed }), released},
		"what failed after it may":           {orphaned, standing(func(s *Standing) { s.Promoted, s.Status = true, model.DeploymentFailed }), asks},
		"and may for some seconds": {orphaned, func(in *NodeInput) {
			standing(func(s *Standing) { s.Promoted, s.Status = true, model.DeploymentFailed })(in)
			in.Memory.Records[0].Over = noon.Add(-Settle + 1)
		}, asks},
		"for a while": {orphaned, func(in *NodeInput) {
			standing(func(s *Standing) { s.Promoted, s.Status = true, model.DeploymentFailed })(in)
			in.Memory.Records[0].Over = noon.Add(-Settle - 1)
		}, released},
		"by a read that began after it": {orphaned, func(in *NodeInput) {
			standing(func(s *Standing) { s.Promoted, s.Status, s.Read = true, model.DeploymentFailed, noon.Add(-2) })(in)
			in.Memory.Records[0].Over = noon.Add(-Settle - 1)
		}, asks},
		"keeps what somebody deleted while armed": {orphaned, func(in *NodeInput) { in.Records.Value = nil; standing(func(s *Standing) { s.Promoted = true })(in) }, asks},
		"releases it like any other":              {orphaned, func(in *NodeInput) { in.Records.Value = nil }, released},
		"a resume that is still paused": {orphaned, func(in *NodeInput) {
			resume(in)
			in.Records.Value[0].Locked = false
			standing(func(s *Standing) { s.Status, s.Told = model.DeploymentPaused, nil })(in)
		}, released},
		"not one that goes on": {orphaned, func(in *NodeInput) {
			resume(in)
			in.Records.Value[0].Locked = false
			standing(func(s *Standing) { s.Told = nil })(in)
		}, asks},

		"pauses what is owed":                {orphaned, resume, NodeAction{Acks: acked.Acks, Ask: ask, Pause: ask}},
		"not before the leader had its time": {orphaned, func(in *NodeInput) { resume(in); in.Memory.Records[0].Since = noon.Add(-GuardAfter) }, acked},
		"not by a read before that": {orphaned, func(in *NodeInput) {
			resume(in)
			in.Memory.Records[0].Since = noon.Add(-GuardAfter - 1)
			standing(func(s *Standing) { s.Read = noon.Add(-1) })(in)
		}, NodeAction{Acks: acked.Acks, Ask: ask}},
		"also what is fenced on another node":  {orphaned, func(in *NodeInput) { resume(in); in.Node, in.Locals.Value = "n9", nil }, NodeAction{Ask: ask, Pause: ask}},
		"not after the last batch":             {orphaned, func(in *NodeInput) { resume(in); in.Records.Value[0].Record.Final = true }, acked},
		"not before anything was told to stop": {orphaned, func(in *NodeInput) { resume(in); standing(func(s *Standing) { s.Told = nil })(in) }, NodeAction{Acks: acked.Acks, Ask: ask}},
		"not what is paused":                   {orphaned, func(in *NodeInput) { resume(in); standing(func(s *Standing) { s.Status = model.DeploymentPaused })(in) }, NodeAction{Acks: acked.Acks, Ask: ask}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := test.of()
			if test.do != nil {
				test.do(&in)
			}
			got, m := Apply(in)
			empty := NodeAction{Set: map[string]string{}, Acks: map[string]string{}}
			if test.want.Set == nil {
				test.want.Set = empty.Set
			}
			if test.want.Acks == nil {
				test.want.Acks = empty.Acks
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("action (-want +got):\n%s", diff)
			}
			require.False(t, m.Read.IsZero())
		})
	}
}

func TestAnInstanceForgetsWhatIsOver(t *testing.T) {
	t.Parallel()
	in := orphaned()
	in.Records.Value = nil
	_, m := Apply(in)
	require.Len(t, m.Records, 1, "its fences are still to be lifted")
	in.Memory, in.Locals.Value = m, nil
	_, m = Apply(in)
	require.Empty(t, m.Records)
}

func TestOnlyOurOwnMaintenanceIsOurs(t *testing.T) {
	t.Parallel()
	deployment, ours := Keys{}.Ours(Keys{}.Reason("dep"))
	require.True(t, ours)
	require.Equal(t, "dep", deployment)
	for _, reason := range []string{"", "draingate", "draingate/", "for draingate/dep"} {
		_, ours := Keys{}.Ours(reason)
		require.False(t, ours, reason)
	}
}

// The instances of one election leave alone what those of another have set.
func TestEachElectionHasItsOwnReason(t *testing.T) {
	t.Parallel()
	usual, other := KeysUnder(model.DefaultLeaderKey), KeysUnder("teams/a/lead")
	require.Equal(t, "draingate/dep", usual.Reason("dep"))
	require.Equal(t, "draingate/dep@teams/a/lead", other.Reason("dep"))
	_, ours := usual.Ours(other.Reason("dep"))
	require.False(t, ours)
	_, ours = other.Ours(usual.Reason("dep"))
	require.False(t, ours)
	deployment, ours := other.Ours(other.Reason("dep"))
	require.True(t, ours)
	require.Equal(t, "dep", deployment)
	deployment, ours = Deployment(other.Reason("dep"))
	require.True(t, ours, "a proxy that drops it does so whoever set it")
	require.Equal(t, "dep", deployment)
}
