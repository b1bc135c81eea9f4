package fence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// proven is a leader that has fenced the only old allocation and knows that it
// is out; what comes next is to arm.
func proven() Input {
	w := plain(1, 1, 1)
	w.Status, w.Wanted, w.Read = model.DeploymentRunning, true, noon
	w.Instances[0].Good, w.Instances[0].Out, w.Instances[0].Ours, w.Instances[0].Sign = false, true, true, "7"
	w.Fencers["n1"] = []string{"mark"}
	r := &Record{Format: Format, Namespace: "default", Deployment: "dep", Job: "web", Seq: 4, Mark: "mark", Step: StepFencing, Set: []Target{w.Instances[0].Target}}
	return Input{Key: r.Key(), Job: "web", Self: "me", Mark: "next", World: w, Record: r, Owned: true,
		Memory: Memory{Seq: 4, Mark: "mark", Mine: true, Since: noon.Add(-time.Minute), Out: noon.Add(-time.Second), In: noon.Add(-time.Second), Fresh: true, Signs: w.Instances[0].Alloc + " 7"},
		Policy: Policy{Patience: 2 * time.Minute, Ahead: 30 * time.Second}, Now: noon}
}

// armed is the pass after the one that armed.
func armed() Input {
	in := proven()
	in.Record.Step, in.Record.Call, in.Record.Final = StepArmed, CallPromote, true
	in.Memory.Since = noon.Add(-time.Second)
	return in
}

// rolling is a deployment that is promoted and paused, with the second of three
// fenced and proven to be out.
func rolling() Input {
	in := proven()
	w := plain(3, 1, 1)
	w.Status, w.Wanted, w.Read, w.ProgressBy = model.DeploymentPaused, true, noon, noon.Add(time.Hour)
	w.Groups[0].Promoted = true
	w.Instances[0].Stopping = true
	w.Instances[1].Good, w.Instances[1].Out, w.Instances[1].Ours, w.Instances[1].Sign = false, true, true, "7"
	w.Fencers["n1"] = []string{"mark"}
	in.World = w
	in.Record.Set, in.Record.Kept, in.Record.Pause, in.Record.Rolling = []Target{w.Instances[1].Target}, []Target{w.Instances[0].Target}, true, true
	in.Memory.Signs = w.Instances[1].Alloc + " 7"
	return in
}

func armedToResume() Input {
	in := rolling()
	in.Record.Step, in.Record.Call = StepArmed, CallResume
	in.Memory.Since = noon.Add(-time.Second)
	return in
}

func ended(reason model.Reason) func() Input {
	return func() Input {
		in := proven()
		in.Record.Step, in.Record.Set, in.Record.Reason, in.Record.Message = StepEnded, nil, reason, "it went wrong"
		return in
	}
}

// longRequest is a fence that is out for three of the four minutes that a request
// may take, with a patience of two.
func longRequest(in *Input) {
	in.World.Longest = 4 * time.Minute
	in.Memory.Since, in.Memory.Out = noon.Add(-3*time.Minute-time.Second), noon.Add(-3*time.Minute)
}

func TestNextStep(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		of   func() Input
		do   func(*Input)
		want Do
		says string
	}{
		"nothing where it is not wanted":    {proven, func(in *Input) { in.Record, in.World.Wanted = nil, false }, DoNothing, ""},
		"a fence where it is":               {proven, func(in *Input) { in.Record = nil }, DoFence, ""},
		"none where a canary is not good":   {proven, func(in *Input) { in.Record, in.World.Against = nil, Finding{"CanaryNotPassing", "bad"} }, DoHold, "bad"},
		"none where it cannot be predicted": {proven, func(in *Input) { in.Record, in.World.Instances[0].Unsure = nil, "is to be moved" }, DoHold, "is to be moved"},
		"none where too few would be left":  {proven, func(in *Input) { in.Record, in.World.Instances[1].Good = nil, false }, DoHold, "would have 0"},
		"none where nobody is on the node":  {proven, func(in *Input) { in.Record, in.World.Fencers = nil, nil }, DoHold, "no instance of draingate"},
		"none while it is paused":           {proven, func(in *Input) { in.Record, in.World.Status = nil, model.DeploymentPaused }, DoNothing, ""},
		"none while the world is not known": {proven, func(in *Input) { in.Record, in.World.Blind = nil, "refused" }, DoNothing, ""},
		"what cannot be read is left alone": {proven, func(in *Input) { in.Record, in.Unreadable = nil, "format 2" }, DoHold, "format 2"},

		"armed once it is proven":                  {proven, nil, DoArm, ""},
		"not before it is in maintenance":          {proven, func(in *Input) { in.World.Instances[0].Out = false }, DoWait, "not in maintenance yet"},
		"not while a proxy lists it":               {proven, func(in *Input) { in.World.Instances[0].RoutedBy = "p2" }, DoWait, "proxy p2 still lists"},
		"not before its node has acknowledged":     {proven, func(in *Input) { in.World.Fencers["n1"] = []string{"another"} }, DoWait, "has not acknowledged"},
		"not before a request may have ended":      {proven, func(in *Input) { in.World.Longest = 4 * time.Second }, DoWait, "1s of 4s"},
		"not after a change that no pass saw":      {proven, func(in *Input) { in.World.Instances[0].Sign = "9" }, DoWait, "0s of 200ms"},
		"not by what a proxy may have read before": {proven, func(in *Input) { in.Memory.Fresh, in.World.Reload = false, 3*time.Second }, DoWait, "need 3s"},
		"but when it has put that into force":      {proven, func(in *Input) { in.Memory.Fresh, in.World.Reload = false, time.Second-Switch }, DoArm, ""},
		"but for what it sent by that":             {proven, func(in *Input) { in.Memory.Fresh, in.World.Reload = false, time.Second-Switch+1 }, DoWait, "then sends 200ms"},
		"at once where every proxy listed it":      {proven, func(in *Input) { in.World.Reload = time.Hour }, DoArm, ""},
		"the set moves with the world":             {proven, func(in *Input) { in.Record.Set[0].Services = []string{"s-before"} }, DoFence, ""},
		"lifted when patience ends":                {proven, func(in *Input) { in.World.Instances[0].RoutedBy, in.Memory.Since = "p2", noon.Add(-3*time.Minute) }, DoLift, "after 3m0s proxy p2 still lists"},
		"not lifted while a long request may run":  {proven, longRequest, DoWait, "3m0s of 4m0s"},
		"lifted when even that does not help":      {proven, func(in *Input) { longRequest(in); in.Memory.Since = noon.Add(-7 * time.Minute) }, DoLift, "after 7m0s"},
		"a proxy gets no time for long requests":   {proven, func(in *Input) { longRequest(in); in.World.Instances[0].RoutedBy = "p2" }, DoLift, "still lists"},
		"lifted when a canary turns bad":           {proven, func(in *Input) { in.World.Against = Finding{"CanaryNotPassing", "critical"} }, DoLift, "critical"},
		"lifted when too few are left":             {proven, func(in *Input) { in.World.Instances[1].Good = false }, DoLift, "would have 0"},
		"lifted when a node loses its draingate":   {proven, func(in *Input) { in.World.Fencers = nil }, DoLift, "no instance of draingate"},
		"lifted when it can be predicted no more":  {proven, func(in *Input) { in.World.Instances[0].Unsure = "is lost" }, DoLift, "is lost"},
		"lifted when a person pauses":              {proven, func(in *Input) { in.World.Status = model.DeploymentPaused }, DoLift, "somebody paused"},
		"lifted when a newer version comes":        {proven, func(in *Input) { in.World.Status = model.DeploymentCancelled }, DoLift, "the deployment is cancelled"},
		"lifted when the deployment is gone":       {proven, func(in *Input) { in.World.Gone = true }, DoLift, "the deployment is gone"},
		"lifted when it is frozen":                 {proven, func(in *Input) { in.World.Wanted, in.World.Unwanted = false, "frozen" }, DoLift, "frozen"},
		"lifted after another leader":              {proven, func(in *Input) { in.Owned = false }, DoLift, "does not lead any more"},
		"lifted when a person promotes":            {proven, func(in *Input) { in.World.Groups[0].Promoted = true }, DoLift, "somebody else promoted"},
		"kept for a while where nothing is known":  {proven, func(in *Input) { in.World.Blind = "refused" }, DoHold, "refused"},
		"lifted where nothing is known for long":   {proven, func(in *Input) { in.World.Blind, in.Memory.Blind = "refused", noon.Add(-BlindFor-1) }, DoLift, "refused"},

		"promoted once armed":                            {armed, nil, DoPromote, ""},
		"promoted again where the first came to nothing": {armed, func(in *Input) { in.Memory.Sent = true }, DoPromote, ""},
		"not by another than who armed":                  {armed, func(in *Input) { in.Memory = Memory{} }, DoWait, ""},
		"not late in the window":                         {armed, func(in *Input) { in.Memory.Since = noon.Add(-Window + CallTime - 1) }, DoWait, ""},
		"not without the lock":                           {armed, func(in *Input) { in.Owned = false }, DoWait, ""},
		"not while a proxy lists it again":               {armed, func(in *Input) { in.World.Instances[0].RoutedBy = "p2" }, DoWait, "still lists"},
		"not before its node has acknowledged that":      {armed, func(in *Input) { in.World.Fencers["n1"] = []string{"before"} }, DoWait, "has not acknowledged"},
		"not where Nomad would stop others":              {armed, func(in *Input) { in.World.Instances[0].Services, in.Memory.Sent = []string{"s-more"}, true }, DoWait, "others than those that are fenced"},
		"lifted at once where it was not sent":           {armed, func(in *Input) { in.World.Against = Finding{"CanaryNotPassing", "critical"} }, DoLift, "critical"},
		"not where it may have been sent":                {armed, func(in *Input) { in.World.Against, in.Memory.Sent = Finding{"CanaryNotPassing", "critical"}, true }, DoWait, "critical"},
		"lifted after the window, unpromoted":            {armed, func(in *Input) { in.Memory.Sent, in.Memory.Since = true, noon.Add(-Window-Slack-1) }, DoLift, "not told in time"},
		"not after a read from before the end of it":     {armed, func(in *Input) { in.Memory.Since, in.World.Read = noon.Add(-Window-Slack-1), noon.Add(-time.Second) }, DoWait, ""},
		"kept once promoted, whoever did it":             {armed, func(in *Input) { in.World.Groups[0].Promoted = true; in.Memory = Memory{} }, DoWait, "has not stopped"},
		"over when told to stop":                         {armed, func(in *Input) { in.World.Groups[0].Promoted, in.World.Instances[0].Stopping = true, true }, DoKeep, ""},
		"over when the deployment was successful":        {armed, func(in *Input) { in.World.Groups[0].Promoted, in.World.Status = true, model.DeploymentSuccessful }, DoKeep, ""},
		"not yet when it failed right after":             {armed, func(in *Input) { in.World.Groups[0].Promoted, in.World.Status = true, model.DeploymentFailed }, DoWait, "may still stop"},
		"lifted when it ended unpromoted":                {armed, func(in *Input) { in.World.Status = model.DeploymentFailed }, DoLift, "the deployment is failed"},
		"armed stays armed where nothing is known":       {armed, func(in *Input) { in.World.Blind, in.Memory.Blind = "refused", noon.Add(-time.Hour) }, DoHold, "refused"},

		"the next batch is armed":                             {rolling, nil, DoArm, ""},
		"the next batch is fenced":                            {rolling, func(in *Input) { in.Record.Set = nil }, DoFence, ""},
		"after another leader, too":                           {rolling, func(in *Input) { in.Owned = false }, DoFence, ""},
		"not before the last one is replaced":                 {rolling, func(in *Input) { in.Record.Set, in.World.Groups[0].Placed = nil, 2 }, DoHold, "1 of 2 new allocations healthy"},
		"lifted when a new one turns bad":                     {rolling, func(in *Input) { in.World.Against = Finding{"CanaryNotPassing", "critical"} }, DoLift, "critical"},
		"a person resumes":                                    {rolling, func(in *Input) { in.World.Status = model.DeploymentRunning }, DoLift, "somebody else"},
		"a pause that is a person's":                          {rolling, func(in *Input) { in.Record.Pause = false }, DoLift, "somebody else"},
		"a person asks for the end of the pause":              {rolling, func(in *Input) { in.Policy.Release = true }, DoLift, "asked for the end"},
		"the progress deadline comes near":                    {rolling, func(in *Input) { in.World.ProgressBy = noon.Add(30 * time.Second) }, DoLift, "Nomad fails the deployment"},
		"no old one is left":                                  {rolling, func(in *Input) { in.World.Instances[1].Ended, in.World.Instances[2].Ended = true, true }, DoResume, ""},
		"the batch is lifted where nothing is known for long": {rolling, func(in *Input) { in.World.Blind, in.Memory.Blind = "refused", noon.Add(-BlindFor-1) }, DoLift, ""},
		"resumed once armed":                                  {armedToResume, nil, DoResume, ""},
		"not resumed again while the first may be on its way": {armedToResume, func(in *Input) { in.Memory.Sent = true }, DoWait, ""},
		"paused once the batch was told to stop":              {armedToResume, func(in *Input) { in.World.Status, in.World.Instances[1].Stopping = model.DeploymentRunning, true }, DoPause, ""},
		"by a new leader, too": {armedToResume, func(in *Input) {
			in.World.Status, in.World.Instances[1].Stopping, in.Memory, in.Owned = model.DeploymentRunning, true, Memory{}, false
		}, DoPause, ""},
		"not before it was":                             {armedToResume, func(in *Input) { in.World.Status = model.DeploymentRunning }, DoWait, "has not stopped"},
		"then what was told to stop is kept":            {armedToResume, func(in *Input) { in.World.Instances[1].Stopping = true }, DoKeep, ""},
		"not resumed twice":                             {armedToResume, func(in *Input) { in.World.Instances[1].Stopping, in.Memory.Sent = true, true }, DoKeep, ""},
		"fenced again where the resume came to nothing": {armedToResume, func(in *Input) { in.Memory.Sent, in.Memory.Since = true, noon.Add(-Window-Slack-1) }, DoFence, ""},

		"held after an attempt":               {ended(ReasonFenceAborted), nil, DoHold, "it went wrong"},
		"done after one that came to its end": {ended(""), nil, DoDone, ""},
		"a pause of ours ends, unpromoted":    {ended(ReasonFenceAborted), func(in *Input) { in.Record.Pause, in.World.Status = true, model.DeploymentPaused }, DoResume, ""},
		"that it has ended is written":        {ended(ReasonFenceAborted), func(in *Input) { in.Record.Pause = true }, DoAnnounce, ""},
		"a pause of a person does not end":    {ended(ReasonFenceAborted), func(in *Input) { in.World.Status = model.DeploymentPaused }, DoHold, "it went wrong"},
		"promoted, it stays paused":           {ended(ReasonFenceAborted), pausedPromoted, DoHold, "draingate unpause"},
		"until a person asks":                 {ended(ReasonFenceAborted), func(in *Input) { pausedPromoted(in); in.Policy.Release = true }, DoResume, ""},
		"or the deadline is near":             {ended(ReasonFenceAborted), func(in *Input) { pausedPromoted(in); in.World.ProgressBy = noon }, DoFail, ""},
		"forgotten with its deployment":       {ended(ReasonFenceAborted), func(in *Input) { in.World.Status, in.World.Instances[0].Ours = model.DeploymentFailed, false }, DoForget, ""},
		"not before the last is lifted":       {ended(ReasonFenceAborted), func(in *Input) { in.World.Status = model.DeploymentFailed }, DoWait, "being lifted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := test.of()
			if test.do != nil {
				test.do(&in)
			}
			got, m := Next(in)
			require.Equal(t, test.want, got.Do, "%+v", got.Finding)
			require.Contains(t, got.Finding.Message, test.says)
			if got.Record != nil {
				require.Equal(t, "next", got.Record.Mark)
				require.Equal(t, Memory{Seq: got.Record.Seq, Mark: "next", Since: noon, Mine: true, Out: m.Out, Signs: m.Signs, In: m.In, Fresh: m.Fresh, Blind: m.Blind, Over: m.Over}, m)
			}
		})
	}
}

func pausedPromoted(in *Input) {
	kept := in.Record
	*in = rolling()
	kept.Pause = true
	in.Record = kept
}

func TestACallIsRememberedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	in := armed()
	got, m := Next(in)
	require.Equal(t, DoPromote, got.Do)
	require.True(t, m.Sent)
	require.Equal(t, in.Memory.Since.Add(Window), got.Until)
}

func TestAProofThatBrokeBeginsAnew(t *testing.T) {
	t.Parallel()
	in := proven()
	in.World.Instances[0].RoutedBy = "p2"
	_, in.Memory = Next(in)
	in.World.Instances[0].RoutedBy = ""
	got, _ := Next(in)
	require.Equal(t, DoWait, got.Do)
	require.Contains(t, got.Finding.Message, "0s of 200ms")
}

func TestWhatWasToldToStopIsKept(t *testing.T) {
	t.Parallel()
	in := armedToResume()
	in.World.Instances[1].Stopping = true
	got, _ := Next(in)
	require.Equal(t, DoKeep, got.Do)
	require.Empty(t, got.Record.Set)
	require.Equal(t, []string{"old-web.web[0]", "old-web.web[1]"}, allocs(got.Record.Kept))
	in.World.Instances[0].Ended = true
	got, _ = Next(in)
	require.Equal(t, []string{"old-web.web[1]"}, allocs(got.Record.Kept), "the other one has ended, and its fence with it")
}

func TestAPauseThatIsNeededNoMoreEnds(t *testing.T) {
	t.Parallel()
	in := armed()
	in.Record.Pause, in.World.Status = true, model.DeploymentPaused
	in.World.Groups[0].Promoted, in.World.Instances[0].Stopping = true, true
	got, m := Next(in)
	require.Equal(t, DoKeep, got.Do)
	require.Equal(t, StepEnded, got.Record.Step)
	in.Record, in.Memory = got.Record, m
	got, _ = Next(in)
	require.Equal(t, DoResume, got.Do)
}

func TestOnlyWhoArmedSends(t *testing.T) {
	t.Parallel()
	in := armed()
	in.Memory.Mine = false
	got, m := Next(in)
	require.Equal(t, DoWait, got.Do)
	require.False(t, m.Sent)
}

func TestFewerCanariesArePausedFirst(t *testing.T) {
	t.Parallel()
	in := proven()
	in.World.Groups[0].Count = 2
	in.World.Instances = append(in.World.Instances, Instance{Target: Target{Alloc: "old-1", Name: "web.web[1]", Group: "web", Node: "n1"}, Version: 1, Good: true})
	got, m := Next(in)
	require.Equal(t, DoAnnounce, got.Do)
	require.True(t, got.Record.Pause)
	require.Equal(t, in.Memory.Out, m.Out, "what was proven stays so")
	in.Record, in.Memory, in.World.Fencers["n1"] = got.Record, m, []string{"next"}
	got, _ = Next(in)
	require.Equal(t, DoPause, got.Do)
	in.World.Status = model.DeploymentPaused
	got, m = Next(in)
	require.Equal(t, DoArm, got.Do)
	require.False(t, got.Record.Final)
	in.Record, in.Memory, in.World.Status = got.Record, m, model.DeploymentRunning
	got, _ = Next(in)
	require.Equal(t, DoLift, got.Do, "Nomad would go on with what is not fenced")
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	r := *rolling().Record
	r.Written = noon
	text, err := r.Encode()
	require.NoError(t, err)
	got, err := Decode(text)
	require.NoError(t, err)
	require.Equal(t, r, got)
	for text, says := range map[string]string{
		`{`:                             "decode",
		`{"format":2}`:                  "another version",
		`{"format":1,"step":"fencing"}`: "no deployment",
		`{"format":1,"deployment":"d","mark":"m","step":"x"}`: "no known step",
	} {
		_, err := Decode([]byte(text))
		require.ErrorContains(t, err, says)
	}
}

// A fence that is set again, and one of what was not in every pool, may meet a
// proxy that has read the catalog in between and not yet gone by it.
func TestWhatAProxyHadReadIsWaitedFor(t *testing.T) {
	t.Parallel()
	begun := func() Input {
		in := proven()
		in.Record, in.Memory = nil, Memory{}
		in.World.Instances[0].Good, in.World.Instances[0].Out, in.World.Instances[0].Sign = true, false, ""
		return in
	}
	next := func() Input {
		in := rolling()
		in.Record.Set, in.Memory.Signs, in.Memory.In, in.Memory.Out = nil, "", time.Time{}, time.Time{}
		in.World.Instances[1].Good, in.World.Instances[1].Out, in.World.Instances[1].Sign = true, false, ""
		return in
	}
	for name, test := range map[string]struct {
		of   func() Input
		do   func(*Input)
		want bool
	}{
		"the first fence of what every proxy lists": {begun, nil, true},
		"the first fence of what one does not list": {begun, func(in *Input) { in.World.Instances[0].Good = false }, false},
		"the next batch": {next, nil, true},
		"the next batch, which not every proxy lists":    {next, func(in *Input) { in.World.Instances[1].Good = false }, false},
		"a batch after one was lifted":                   {next, func(in *Input) { in.Memory.Fresh = false }, false},
		"a leader that does not know what was before":    {next, func(in *Input) { in.Memory = Memory{} }, false},
		"a batch that is lifted":                         {rolling, func(in *Input) { in.World.Against = Finding{"CanaryNotPassing", "critical"} }, false},
		"a batch that was told to stop and is kept":      {armedToResume, func(in *Input) { in.World.Instances[1].Stopping = true }, true},
		"an armed set is the one that was fenced before": {proven, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := test.of()
			if test.do != nil {
				test.do(&in)
			}
			got, m := Next(in)
			require.NotNil(t, got.Record, "%+v", got)
			require.Equal(t, test.want, m.Fresh, "%+v", got)
		})
	}
}

// A proxy that has dropped an instance before that was first seen in maintenance may
// have read the catalog twice, the second time in a moment in which it was not.
func TestWhatIsDroppedBeforeItIsSeenInMaintenance(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		listed bool
		want   Do
	}{
		"is not known to be listed by nothing under way": {false, DoWait},
		"what every proxy still lists is":                {true, DoArm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := proven()
			in.Memory.Signs, in.Memory.In, in.Memory.Out = "", time.Time{}, time.Time{}
			in.World.Reload, in.World.Instances[0].Listed = 3*time.Second, test.listed
			_, m := Next(in)
			in.Memory, in.Now = m, noon.Add(time.Second)
			got, _ := Next(in)
			require.Equal(t, test.want, got.Do, "%+v", got)
		})
	}
}

// A maintenance that was off for a moment counts from its return.
func TestABlipBringsBackWhatAProxyMayHaveRead(t *testing.T) {
	t.Parallel()
	for name, blip := range map[string]func(*Input){
		"that no pass saw": func(*Input) {},
		"that a pass saw": func(in *Input) {
			seen := *in
			seen.World.Instances = append([]Instance(nil), in.World.Instances...)
			seen.World.Instances[0].Out = false
			_, in.Memory = Next(seen)
		},
		"after which the sign is the same": func(in *Input) {
			seen := *in
			seen.World.Instances = append([]Instance(nil), in.World.Instances...)
			seen.World.Instances[0].Out = false
			_, in.Memory = Next(seen)
			in.World.Instances[0].Sign = "7"
		},
		"while a proxy lists it": func(in *Input) {
			seen := *in
			seen.World.Instances = append([]Instance(nil), in.World.Instances...)
			seen.World.Instances[0].Sign, seen.World.Instances[0].RoutedBy = "8", "p2"
			_, in.Memory = Next(seen)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := proven()
			in.World.Reload, in.World.Instances[0].Sign, in.World.Instances[0].Listed = 3*time.Second, "9", true
			blip(&in)
			got, m := Next(in)
			require.Equal(t, DoWait, got.Do)
			in.Memory, in.Now = m, noon.Add(3*time.Second+Switch-1)
			got, m = Next(in)
			require.Equal(t, DoWait, got.Do)
			require.Contains(t, got.Finding.Message, "need 3s")
			in.Memory, in.Now = m, noon.Add(3*time.Second+Switch)
			got, _ = Next(in)
			require.Equal(t, DoArm, got.Do)
		})
	}
}
