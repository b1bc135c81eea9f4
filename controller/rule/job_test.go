package rule

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestNotLocal(t *testing.T) {
	local := model.Job{Region: "global", Datacenters: []string{"dc1"}}
	cases := map[string]struct {
		change func(*model.Job)
		says   string
	}{
		"the local region and datacenter": {func(*model.Job) {}, ""},
		"any datacenter":                  {func(j *model.Job) { j.Datacenters = []string{"*"} }, ""},
		"another region":                  {func(j *model.Job) { j.Region = "eu" }, `region "eu"`},
		"no region":                       {func(j *model.Job) { j.Region = "" }, `region ""`},
		"another datacenter as well":      {func(j *model.Job) { j.Datacenters = []string{"dc1", "dc2"} }, `"dc2"`},
		"a pattern":                       {func(j *model.Job) { j.Datacenters = []string{"dc*"} }, `"dc*"`},
		"several regions":                 {func(j *model.Job) { j.Multiregion = true }, "other regions"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := local
			c.change(&j)
			says(t, c.says, NotLocal(j, "global", "dc1"))
		})
	}
}

func TestOfAJob(t *testing.T) {
	says(t, "", NotService(model.Job{Type: "service"}))
	says(t, `"batch"`, NotService(model.Job{Type: "batch"}))
	says(t, `""`, NotService(model.Job{}))
	says(t, "takes the place", SystemJob(model.Job{Type: "system"}))
	says(t, "", SystemJob(model.Job{Type: "service"}))
	says(t, "", AutoPromote(model.Group{Name: "web"}))
	says(t, `group "web"`, AutoPromote(model.Group{Name: "web", Update: model.Update{AutoPromote: true}}))
}

func TestOfAService(t *testing.T) {
	check := model.Check{Name: "ready"}
	says(t, "", ProviderNomad(model.Service{Provider: "consul"}))
	says(t, `provider = "nomad"`, ProviderNomad(model.Service{Provider: "nomad"}))
	says(t, `provider = ""`, ProviderNomad(model.Service{}))
	says(t, "", Connect(model.Service{}))
	says(t, "connect", Connect(model.Service{Connect: true}))
	says(t, "no check", NoCheck(model.Service{Name: "web"}))
	says(t, "", NoCheck(model.Service{Checks: []model.Check{check}}))
	says(t, "", InitialStatusPassing(model.Service{Checks: []model.Check{check, {InitialStatus: "critical"}}}))
	says(t, `check "second"`, InitialStatusPassing(model.Service{Checks: []model.Check{check, {Name: "second", InitialStatus: "Passing"}}}))
}

// says requires silence where want is empty, and else that the message has it.
func says(t *testing.T, want, got string) {
	t.Helper()
	if want == "" {
		require.Empty(t, got)
		return
	}
	require.Contains(t, got, want)
}
