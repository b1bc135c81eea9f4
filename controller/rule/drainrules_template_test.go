package rule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestTemplateRestart(t *testing.T) {
	has := func(tmpl model.Template) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, web, _ *model.Group) {
			tmpl.Splay = 5 * time.Second
			web.Tasks[0].Templates = []model.Template{{ChangeMode: model.ChangeNoop}, tmpl}
		}
	}
	key := model.Template{Data: `{{ key "web/level" }}`, Destination: "local/app.toml", ChangeMode: model.ChangeRestart}
	with := func(change func(*model.Template)) func(*Input, *model.Group, *model.Group) {
		tmpl := key
		change(&tmpl)
		return has(tmpl)
	}
	at := webServer.Template(1).Child("change_mode")
	check(t, "DG105", map[string]ruleCase{
		"a key of Consul": {
			has(key), []expected{{Warning, at, `template "local/app.toml" of task "server" calls key and has change_mode = "restart": when that changes every allocation is killed within splay 5s, and none waits for its shutdown_delay`, "change_mode   = \"signal\"\nchange_signal = \"SIGHUP\""}},
		},
		"an environment that no signal changes": {
			with(func(tmpl *model.Template) { tmpl.Env = true }), []expected{{Warning, at, "", `change_mode = "noop"`}},
		},
		"rendered once":           {with(func(tmpl *model.Template) { tmpl.Once = true }), nil},
		"a signal":                {with(func(tmpl *model.Template) { tmpl.ChangeMode = model.ChangeSignal }), nil},
		"nothing in it changes":   {with(func(tmpl *model.Template) { tmpl.Data = `port = {{ env "NOMAD_PORT_http" }}` }), nil},
		"an empty template":       {with(func(tmpl *model.Template) { tmpl.Data = "" }), nil},
		"a text that is not here": {with(func(tmpl *model.Template) { tmpl.Data, tmpl.Source = "", "local/app.tpl" }), []expected{{Unknown, at, `its text is in "local/app.tpl"`, ""}}},
		"delimiters of its own":   {with(func(tmpl *model.Template) { tmpl.Data = `level = [[ key "web/level" ]]` }), []expected{{Unknown, at, "may call key", ""}}},
		"the name of no template": {with(func(tmpl *model.Template) { tmpl.Destination = "" }), []expected{{Warning, at, "template 2 of", ""}}},
		"a service nobody routes to": {
			func(in *Input, web, api *model.Group) {
				has(key)(in, web, api)
				in.Tags[webService] = Tags{}
			}, nil,
		},
		"which of two tasks serves is not known": {
			func(in *Input, web, api *model.Group) {
				has(key)(in, web, api)
				web.Tasks = append(web.Tasks, model.Task{Name: "worker"})
			},
			[]expected{{Notice, at, "", ""}},
		},
		"the other of two tasks is named": {
			func(in *Input, web, api *model.Group) {
				has(key)(in, web, api)
				web.Tasks = append(web.Tasks, model.Task{Name: "proxy"})
				web.Services[0].ForTask = "proxy"
			}, nil,
		},
		"a task beside the one that serves": {
			func(_ *Input, web, _ *model.Group) {
				web.Tasks = append(web.Tasks, model.Task{Name: "logs", Hook: "prestart", Sidecar: true, Templates: []model.Template{key}})
			}, nil,
		},
	})
}

func TestWatched(t *testing.T) {
	cases := map[string]struct{ data, call string }{
		"a function with an argument":     {`{{ key "a" }}`, "key"},
		"within a block":                  {`{{- range service "redis" -}} {{ .Address }} {{ end }}`, "service"},
		"after another action":            {`{{ env "A" }} {{ with secret "kv/a" }}{{ end }}`, "secret"},
		"in brackets":                     {`{{ (nomadVar "a").b }}`, "nomadVar"},
		"a string":                        {`{{ env "key service" }}`, ""},
		"a string that starts the action": {`{{ "key" | toUpper }}`, ""},
		"an escaped quote":                {`{{ env "\" key" }}`, ""},
		"a raw string":                    {"{{ env `key` }}", ""},
		"a field":                         {`{{ range $i, $e := loop 3 }}{{ .service }}{{ end }}`, ""},
		"a variable":                      {`{{ $key := env "A" }}{{ $key }}`, ""},
		"a comment":                       {`{{/* key "a" */}}`, ""},
		"outside of actions":              {`key "a" {{ env "A" }} service`, ""},
		"an action without an end":        {`{{ key "a"`, "key"},
		"no text":                         {"", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.call, watched(c.data)) })
	}
}
