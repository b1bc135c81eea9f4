package jobspecs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	web := model.GroupPath("web")
	cases := map[string]struct {
		file  string
		path  model.Path
		found model.Path
		text  string
	}{
		"an attribute":                         {"canary.nomad.hcl", web.Child("shutdown_delay"), web.Child("shutdown_delay"), `shutdown_delay = "15s"`},
		"an attribute that is not there":       {"canary.nomad.hcl", web.Service(0).Child("provider"), web.Service(0), "service"},
		"one tag":                              {"canary.nomad.hcl", web.Service(0).Tag(1), web.Service(0).Tag(1), "\"traefik.http.routers.web.rule=Host(`web.example.org`)\""},
		"a tag from a variable":                {"variables.nomad.hcl", model.GroupPath("app").Service(0).Tag(1), model.GroupPath("app").Service(0).Child("tags"), "tags = var.tags"},
		"a tag after those from a local":       {"locals.nomad.hcl", web.Service(0).Tag(2), web.Service(0).Tag(2), "\"${local.router}.rule=PathPrefix(`/`)\""},
		"the group's update":                   {"canary.nomad.hcl", web.Update("canary"), web.Update("canary"), "canary            = 3"},
		"what a group's update takes over":     {"canary.nomad.hcl", web.Update("auto_revert"), model.JobPath.Update("auto_revert"), "auto_revert  = true"},
		"an update that nobody gives":          {"canary.nomad.hcl", web.Update("stagger"), web.Child("update"), "update"},
		"an update block of the job only":      {"groups.nomad.hcl", model.GroupPath("b").Update("canary"), model.JobPath.Update("canary"), "canary       = 1"},
		"no update block at all":               {"minimal.nomad.hcl", web.Update("canary"), web, `group "web"`},
		"meta of the job":                      {"canary.nomad.hcl", web.Meta("draingate_mode"), model.JobPath.Meta("draingate_mode"), `draingate_mode        = "enforce"`},
		"meta of the group":                    {"canary.nomad.hcl", web.Meta("draingate_drain"), web.Meta("draingate_drain"), `"draingate_drain" = "5s"`},
		"meta of nobody":                       {"canary.nomad.hcl", web.Meta("nothing"), web.Child("meta"), "meta = {"},
		"check_restart of the service":         {"services.nomad.hcl", model.GroupPath("both").Service(1).Check(0).Child("check_restart").Child("limit"), model.GroupPath("both").Service(1).Child("check_restart").Child("limit"), "limit           = 2"},
		"on_update of the service":             {"canary.nomad.hcl", web.Service(0).Check(1).Child("on_update"), web.Service(0).Child("on_update"), `on_update   = "require_healthy"`},
		"a service that dynamic made":          {"dynamic.nomad.hcl", web.Service(2), web.Service(2), "content"},
		"a written service after dynamic ones": {"dynamic.nomad.hcl", web.Service(3).Child("name"), web.Service(3).Child("name"), `name = "last"`},
		"a check in a service in dynamic":      {"dynamic.nomad.hcl", web.Service(1).Check(1).Child("path"), web.Service(1).Check(1).Child("path"), "path     = path.value"},
		"a port that a set named":              {"dynamic.nomad.hcl", web.Network(0).Port("admin").Child("static"), web.Network(0).Port("admin"), "content"},
		"a task":                               {"canary.nomad.hcl", web.Task("server").Child("lifecycle"), web.Task("server"), `task "server"`},
		"a group that is not there":            {"canary.nomad.hcl", model.GroupPath("no"), model.JobPath, `job "canary"`},
		"names with everything in them":        {"groups.nomad.hcl", model.GroupPath("c.d[0]").Task("main task").Child("leader"), model.GroupPath("c.d[0]").Task("main task"), `task "main task"`},
		"JSON":                                 {"bare.nomad.json", web.Service(0).Check(0).Child("check_restart").Child("grace"), web.Service(0).Check(0).Child("check_restart"), `"CheckRestart"`},
		"JSON, the group by its name":          {"bare.nomad.json", web.Child("meta"), web, `"Name": "web"`},
		"JSON, a static port":                  {"bare.nomad.json", web.Network(0).Port("ssh").Child("static"), web.Network(0).Port("ssh").Child("static"), `"Value": 22`},
		"nothing":                              {"canary.nomad.hcl", "", "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, "testdata/ok/"+c.file)
			at, found := f.Locate(c.path)
			require.Equal(t, c.found, found)
			require.Equal(t, c.found == c.path && c.path != "", f.Has(c.path))
			require.Equal(t, f.Name, at.Range.File)
			if c.text == "" {
				require.False(t, at.Range.Known())
				return
			}
			require.Equal(t, c.text, strings.TrimSuffix(text(f, at.Range), "…"))
		})
	}
}

// Whatever a rule can name in the model has a position of its own, or that of
// something around it in the same group: never the whole job or nothing.
func TestEveryPartOfEveryModelIsLocated(t *testing.T) {
	t.Parallel()
	for _, name := range specs(t, "ok") {
		f := parse(t, name)
		for _, g := range f.Job.Groups {
			group := model.GroupPath(g.Name)
			paths := []model.Path{group}
			paths = append(paths, ofServices(group, g.Services)...)
			for _, v := range g.Volumes {
				paths = append(paths, group.Volume(v.Name))
			}
			for i, n := range g.Networks {
				for _, p := range n.Ports {
					paths = append(paths, group.Network(i).Port(p.Label))
				}
			}
			for _, task := range g.Tasks {
				at := group.Task(task.Name)
				paths = append(append(paths, at, at.Child("driver")), ofServices(at, task.Services)...)
				for i := range task.Templates {
					paths = append(paths, at.Template(i).Child("destination"))
				}
				for key := range task.Meta {
					paths = append(paths, at.Meta(key))
				}
			}
			for key := range g.Meta {
				paths = append(paths, group.Meta(key))
			}
			for _, p := range paths {
				require.True(t, f.Has(p), "%s: %s", name, p)
			}
		}
		for key := range f.Job.Meta {
			require.True(t, f.Has(model.JobPath.Meta(key)), "%s: %s", name, key)
		}
	}
}

func ofServices(at model.Path, services []model.Service) []model.Path {
	var out []model.Path
	for i, s := range services {
		out = append(out, at.Service(i), at.Service(i).Child("port"))
		for j := range s.Checks {
			out = append(out, at.Service(i).Check(j).Child("type"))
		}
	}
	return out
}

func TestPathParent(t *testing.T) {
	t.Parallel()
	p := model.GroupPath(`a"].b[`).Task("c.d").Service(2).Check(0).Child("interval")
	var chain []model.Path
	for ; p != ""; p = p.Parent() {
		chain = append(chain, p)
	}
	require.Equal(t, []model.Path{
		`group["a\"].b["].task["c.d"].service[2].check[0].interval`,
		`group["a\"].b["].task["c.d"].service[2].check[0]`,
		`group["a\"].b["].task["c.d"].service[2].check`,
		`group["a\"].b["].task["c.d"].service[2]`,
		`group["a\"].b["].task["c.d"].service`,
		`group["a\"].b["].task["c.d"]`,
		`group["a\"].b["].task`,
		`group["a\"].b["]`,
		`job`,
	}, chain)
	for _, odd := range []model.Path{"[", `["`, "..", "]", `["a`, ".a[", "[[[", "job[", "group"} {
		for steps, p := 0, odd; p != ""; p = p.Parent() {
			steps++
			require.Less(t, steps, 10, "%q", odd)
		}
	}
}

func TestRangeString(t *testing.T) {
	t.Parallel()
	require.Equal(t, "web.hcl:3:7", jobspecs.Range{File: "web.hcl", Start: jobspecs.Pos{Line: 3, Column: 7}}.String())
	require.Equal(t, "web.hcl", jobspecs.Range{File: "web.hcl"}.String())
}
