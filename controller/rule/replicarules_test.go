package rule

import (
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// copies adds a task that replicates to the group of the api.
func copies(change func(*model.Task)) func(*Input, *model.Group, *model.Group) {
	return func(_ *Input, _, api *model.Group) {
		t := model.Task{Name: "copy", Driver: "docker", KillTimeout: 30 * time.Second, Program: model.Program{Image: "litestream/litestream:0.3", Args: []string{"replicate"}}}
		change(&t)
		api.Count, api.Update.Canary = 1, 0
		api.Tasks = append(api.Tasks, t)
	}
}

func leads(_ *Input, _, api *model.Group) { api.Tasks[0].Leader = true }

func TestReplicatorStopsEarly(t *testing.T) {
	at := model.GroupPath("api").Task("copy")
	main := func(*model.Task) {}
	check(t, "DG705", map[string]ruleCase{
		"no replicator":          {nothing, nil},
		"beside the application": {copies(main), []expected{{Warning, at, `is stopped together with task "main"`, ""}}},
		"the leader":             {copies(func(t *model.Task) { t.Leader = true }), []expected{{Warning, at, `is the leader, so it is stopped before task "main"`, ""}}},
		"after the leader":       {both(copies(main), leads), nil},
		"a sidecar":              {copies(func(t *model.Task) { t.Hook, t.Sidecar = "prestart", true }), nil},
		"a command": {copies(func(t *model.Task) {
			t.Program = model.Program{Command: "/usr/bin/litestream", Args: []string{"replicate", "/data/db", "s3://b/db"}}
		}), []expected{{Warning, at, "", ""}}},
		"by a shell": {copies(func(t *model.Task) {
			t.Program = model.Program{Command: "sh", Args: []string{"-c", "exec litestream replicate -config /local/l.yml"}}
		}), []expected{{Warning, at, "", ""}}},
		"it starts the application":  {copies(func(t *model.Task) { t.Program.Args = []string{"replicate", "-exec", "web"} }), nil},
		"it only restores":           {copies(func(t *model.Task) { t.Program.Args = []string{"restore", "/data/db"} }), nil},
		"something else replicates":  {copies(func(t *model.Task) { t.Program.Image = "postgres" }), nil},
		"it is killed early":         {both(copies(func(t *model.Task) { t.KillTimeout = 5 * time.Second }), leads), []expected{{Notice, at.Child("kill_timeout"), "is killed 5s after its stop signal", `kill_timeout = "30s"`}}},
		"it is killed a little late": {both(copies(func(t *model.Task) { t.KillTimeout = 6 * time.Second }), leads), nil},
	})
}

func TestReplicatorOverlaps(t *testing.T) {
	api := model.GroupPath("api")
	sized := func(count, canary int) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, _, g *model.Group) { g.Count, g.Update.Canary = count, canary }
	}
	own := func(name string) func(*model.Task) {
		return func(t *model.Task) { t.Env = map[string]string{"REPLICA": "s3://backup/${" + name + "}"} }
	}
	main := func(*model.Task) {}
	check(t, "DG706", map[string]ruleCase{
		"no replicator":                     {sized(3, 3), nil},
		"one":                               {copies(main), nil},
		"a canary":                          {both(copies(main), sized(1, 1)), []expected{{Error, api.Update("canary"), "canary = 1", "canary = 0"}}},
		"two":                               {both(copies(main), sized(2, 0)), []expected{{Error, api.Child("count"), "count = 2", "count = 1"}}},
		"two with a place of their own":     {both(copies(own("NOMAD_ALLOC_INDEX")), sized(2, 0)), nil},
		"a canary has the old one's index":  {both(copies(own("NOMAD_ALLOC_INDEX")), sized(2, 1)), []expected{{Error, api.Update("canary"), "", ""}}},
		"a canary with a place of its own":  {both(copies(own("NOMAD_ALLOC_ID")), sized(1, 1)), nil},
		"a file that the job does not show": {both(copies(func(t *model.Task) { t.Templates = []model.Template{{Source: "/etc/l.yml"}} }), sized(2, 1)), nil},
		"a template": {both(copies(func(t *model.Task) {
			t.Templates = []model.Template{{Data: "path: db-{{ env \"NOMAD_ALLOC_INDEX\" }}"}}
		}), sized(2, 0)), nil},
		"a batch job": {both(copies(main), sized(2, 1), func(in *Input, _, _ *model.Group) { in.Job.Type = "batch" }), nil},
	})
}
