package park_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

const second = time.Second

func writer(groupDelay, taskDelay time.Duration) model.Group {
	return model.Group{Name: "app", Count: 1, ShutdownDelay: groupDelay, Meta: map[string]string{"draingate_drain": "20s"}, Tasks: []model.Task{
		{Name: "prepare", Hook: "prestart"},
		{Name: "app", ShutdownDelay: taskDelay, KillTimeout: 30 * second},
		{Name: "copy", Hook: "prestart", Sidecar: true, ShutdownDelay: second},
	}}
}

func TestTheLongestWait(t *testing.T) {
	tests := map[string]struct {
		job, group string
		want       time.Duration
		asked      bool
		err        string
	}{
		"nothing":                   {},
		"of the job":                {"30s", "", 30 * second, true, ""},
		"of the group, which wins":  {"30s", "1m", time.Minute, true, ""},
		"the group is left out":     {"30s", "0s", 0, false, ""},
		"the longest":               {"10m", "", 10 * time.Minute, true, ""},
		"longer than the longest":   {"10m1s", "", 0, false, "above 10m0s"},
		"less than nothing":         {"-1s", "", 0, false, "not a duration"},
		"a number alone is no time": {"30", "", 0, false, `draingate_park = "30" is not a duration`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			meta := func(v string) map[string]string {
				if v == "" {
					return nil
				}
				return map[string]string{park.MetaPark: v}
			}
			job := &model.Job{Meta: meta(tt.job), Groups: []model.Group{{Name: "app", Meta: meta(tt.group)}}}
			got, asked, err := park.Longest(job, "app")
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.asked, asked)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

func TestTheArithmeticOfAStop(t *testing.T) {
	tests := map[string]struct {
		group         model.Group
		task          string
		notice, until time.Duration
	}{
		"a service at task level":               {writer(6*second, 7*second), "app", 6 * second, 13 * second},
		"without any delay":                     {writer(0, 0), "app", 0, 0},
		"with the group's delay alone":          {writer(6*second, 0), "app", 6 * second, 6 * second},
		"with the task's delay alone":           {writer(0, 7*second), "app", 0, 7 * second},
		"a service at group level":              {writer(6*second, 7*second), "", 0, 7 * second},
		"the drain that is declared counts not": {writer(0, second), "app", 0, second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			svc := model.Service{Name: "web", Task: tt.task}
			require.Equal(t, tt.notice, park.Notice(tt.group, svc))
			until, err := park.ServesUntil(tt.group, svc)
			require.NoError(t, err)
			require.Equal(t, tt.until, until)
		})
	}
	_, err := park.ServesUntil(writer(1, 1), model.Service{Name: "web", Task: "gone"})
	require.ErrorContains(t, err, `how long an instance of service "web" serves`)
}

func TestTheNoticeIsHeldAgainstTheProxies(t *testing.T) {
	polling := model.ProxySettings{ConsulCatalog: true, RefreshInterval: 2 * second, Throttle: second}
	watching := polling
	watching.Watch = true
	load := model.Load{Took: 250 * time.Millisecond}
	// Reaction 2s + refresh 2s + throttle 1s + two loads 0.5s + apply 0.5s + margin 1s.
	const need = 7 * second
	tests := map[string]struct {
		settings model.ProxySettings
		group    time.Duration
		task     string
		reason   model.Reason
		missing  time.Duration
		message  string
	}{
		"just long enough":    {polling, need, "app", "", 0, ""},
		"a millisecond short": {polling, need - time.Millisecond, "app", park.ReasonNoticeShort, time.Millisecond, `shutdown_delay = "7s" in group "app"`},
		"none":                {polling, 0, "app", park.ReasonNoticeShort, need, "stays in the catalog for 0s"},
		"at group level":      {polling, time.Minute, "", park.ReasonNoNotice, need, "put the service into its task"},
		"not predictable":     {watching, time.Minute, "app", park.ReasonNoticeUnknown, 0, "watch = true"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := park.Foresee(tt.settings, load, writer(tt.group, 0), model.Service{Name: "web", Task: tt.task}, second)
			require.Equal(t, tt.reason, a.Reason, a.Message)
			require.Equal(t, tt.missing, a.Missing())
			require.Contains(t, a.Message, tt.message)
			require.Equal(t, tt.message == "", a.Message == "")
			var sum time.Duration
			for _, term := range a.Terms {
				sum += term.Value
			}
			require.Equal(t, a.Need, sum)
		})
	}
	odd := park.Foresee(polling, model.Load{Took: time.Millisecond}, writer(0, 0), model.Service{Name: "web", Task: "app"}, second)
	require.Equal(t, 7*second, odd.Delay, "in whole seconds, and never less than %s", odd.Need)
}
