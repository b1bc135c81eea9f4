package traefik_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// jobCase is a way to start Traefik without a container: by arguments, by its
// environment and by files below the task's folder. ${API} is the address of its
// API. The test on a real Traefik proves every case that is here.
type jobCase struct {
	args  []string
	env   map[string]string
	files map[string]string
	want  model.ProxySettings
	// wantErr is set where Traefik does not start, or does not serve.
	wantErr string
}

// With these a real Traefik can be asked for what it made of its settings.
const (
	askYAML = "api: {insecure: true}\nentryPoints: {traefik: {address: '${API}'}}\n"
	askTOML = "[api]\ninsecure = true\n[entryPoints.traefik]\naddress = \"${API}\"\n"
)

func askArgs(more ...string) []string {
	return append([]string{"--entrypoints.traefik.address=${API}", "--api.insecure"}, more...)
}

func askEnv(more ...string) map[string]string {
	out := map[string]string{"TRAEFIK_API_INSECURE": "true", "TRAEFIK_ENTRYPOINTS_TRAEFIK_ADDRESS": "${API}"}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func refresh(d time.Duration) model.ProxySettings {
	return change(func(s *model.ProxySettings) { s.RefreshInterval = d })
}

func noCatalog() model.ProxySettings { return model.ProxySettings{Throttle: 2 * time.Second} }

func jobCases() map[string]jobCase {
	const (
		two    = "--providers.consulcatalog.refreshinterval=2s"
		yaml3  = askYAML + "providers: {consulCatalog: {refreshInterval: 3s}}\n"
		toml4  = askTOML + "[providers.consulCatalog]\nrefreshInterval = \"4s\"\n"
		envVar = "TRAEFIK_PROVIDERS_CONSULCATALOG_REFRESHINTERVAL"
	)
	file := func(name, content string) map[string]string { return map[string]string{name: content} }
	return map[string]jobCase{
		"nothing about the provider":            {args: askArgs(), want: noCatalog()},
		"the provider without options":          {args: askArgs("--providers.consulcatalog"), want: defaults()},
		"the provider by true":                  {args: askArgs("--providers.consulcatalog=true"), want: defaults()},
		"the provider by false":                 {args: askArgs("--providers.consulcatalog=false"), want: noCatalog()},
		"a flag":                                {args: askArgs(two), want: refresh(2 * time.Second)},
		"a flag with one dash":                  {args: askArgs("-providers.consulcatalog.refreshinterval=2s"), want: refresh(2 * time.Second)},
		"a flag in any case":                    {args: askArgs("--Providers.ConsulCatalog.refreshInterval=2s"), want: refresh(2 * time.Second)},
		"a value as a word of its own":          {args: askArgs("--providers.consulCatalog.refreshinterval", "2s", "--providers.consulcatalog.watch"), want: change(func(s *model.ProxySettings) { s.RefreshInterval, s.Watch = 2*time.Second, true })},
		"the last of two flags counts":          {args: askArgs("--providers.consulcatalog.refreshinterval=9s", two), want: refresh(2 * time.Second)},
		"lists are added to each other":         {args: askArgs("--providers.consulcatalog.strictchecks=passing", "--providers.consulcatalog.strictchecks=warning"), want: defaults()},
		"a switch with a word ends the flags":   {args: askArgs("--providers.consulcatalog.watch", "false", two), want: change(func(s *model.ProxySettings) { s.Watch = true })},
		"flags end at two dashes":               {args: askArgs("--providers.consulcatalog", "--", two), want: defaults()},
		"a throttle":                            {args: askArgs("--providers.providersthrottleduration=500ms", "--providers.consulcatalog"), want: change(func(s *model.ProxySettings) { s.Throttle = 500 * time.Millisecond })},
		"flags of all kinds beside it":          {args: askArgs("--ping", "--accesslog", "--log.level", "ERROR", "--metrics.prometheus", "--entrypoints.web.address=127.0.0.1:0", "--entrypoints.web.http.middlewares=a@file,b@file", "--providers.rest", "--global.sendanonymoususage=false", "--accesslog.fields.names.ClientUsername=drop", "--serverstransport.maxidleconnsperhost", "7", two), want: refresh(2 * time.Second)},
		"the name of the program once more":     {args: append([]string{"traefik"}, askArgs(two)...), want: refresh(2 * time.Second)},
		"a variable":                            {env: askEnv(envVar, "2s"), want: refresh(2 * time.Second)},
		"a flag hides all variables":            {args: askArgs("--providers.consulcatalog"), env: askEnv(envVar, "2s"), want: defaults()},
		"a variable in lower case is none":      {env: askEnv("traefik_providers_consulcatalog_refreshinterval", "2s"), want: noCatalog()},
		"a variable of no root is none":         {env: askEnv("TRAEFIK_NOTHING_AT_ALL", "2s"), want: noCatalog()},
		"a file and flags":                      {args: askArgs("--configFile=local/t.yml", two), files: file("local/t.yml", yaml3), want: refresh(3 * time.Second)},
		"a file and mistyped flags":             {args: []string{"--configfile=local/t.yml", "--nope=1"}, files: file("local/t.yml", yaml3), want: refresh(3 * time.Second)},
		"a file as a word of its own":           {args: []string{"--configFile", "local/t.toml"}, files: file("local/t.toml", toml4), want: refresh(4 * time.Second)},
		"a file and variables":                  {args: []string{"--configFile=local/t.yml"}, env: askEnv(envVar, "2s"), files: file("local/t.yml", yaml3), want: refresh(3 * time.Second)},
		"a file that a variable names is none":  {env: askEnv("TRAEFIK_CONFIGFILE", "local/t.yml"), files: file("local/t.yml", yaml3), want: noCatalog()},
		"a file by another spelling is none":    {args: askArgs("--CONFIGFILE=local/t.yml", two), files: file("local/t.yml", yaml3), want: refresh(2 * time.Second)},
		"a file in the working directory":       {args: askArgs(two), files: file("traefik.yml", yaml3), want: refresh(3 * time.Second)},
		"TOML before YAML":                      {files: map[string]string{"traefik.yml": yaml3, "traefik.toml": toml4}, want: refresh(4 * time.Second)},
		"a file below HOME":                     {env: map[string]string{"HOME": "${NOMAD_TASK_DIR}"}, files: file("local/.config/traefik.yaml", yaml3), want: refresh(3 * time.Second)},
		"a file below XDG_CONFIG_HOME":          {env: map[string]string{"XDG_CONFIG_HOME": "${NOMAD_TASK_DIR}", "HOME": "${NOMAD_TASK_DIR}"}, files: map[string]string{"local/traefik.toml": toml4, "local/.config/traefik.yaml": yaml3}, want: refresh(4 * time.Second)},
		"a file by a variable":                  {args: []string{"--configFile=${NOMAD_TASK_DIR}/t.yml"}, files: file("local/t.yml", yaml3), want: refresh(3 * time.Second)},
		"a file in JSON":                        {args: []string{"--configFile=local/t.json"}, files: file("local/t.json", `{"api":{"insecure":true},"entryPoints":{"traefik":{"address":"${API}"}},"providers":{"consulCatalog":{}}}`), want: defaults()},
		"an unknown flag":                       {args: askArgs("--providers.consulcatalog.refreshintervall=2s"), wantErr: "--providers.consulcatalog.refreshintervall=2s"},
		"an unknown flag of another section":    {args: askArgs("--entrypoint.web.address=:80"), wantErr: "--entrypoint.web.address=:80"},
		"a flag that was removed in version 3":  {args: askArgs("--providers.marathon=true"), wantErr: "--providers.marathon"},
		"a value of the wrong type":             {args: askArgs("--providers.consulcatalog.watch=maybe"), wantErr: "--providers.consulcatalog.watch=maybe"},
		"a flag without its value":              {args: askArgs("--providers.consulcatalog.refreshinterval"), wantErr: "needs an argument"},
		"a flag that is no flag beside a file":  {args: []string{"--configFile=local/t.yml", "--=x"}, files: file("local/t.yml", yaml3), wantErr: "bad flag syntax"},
		"an unknown variable":                   {env: askEnv("TRAEFIK_PROVIDERS_CONSULCATALOG_NOPE", "1"), wantErr: "providers.consulcatalog.nope"},
		"a mistyped file hides the right flags": {args: askArgs("--configFile=local/t.yml", two), files: file("local/t.yml", askYAML+"providers: {consulCatalog: {nope: 3s}}\n"), wantErr: "providers.consulCatalog.nope"},
		"help":                                  {args: askArgs("--help"), wantErr: "--help"},
		"a command":                             {args: []string{"version"}, wantErr: "version"},
		"a word that is no command":             {args: []string{"serve", "--api.insecure"}, wantErr: "serve"},
	}
}

// job is the case as a job, with an address for ${API}.
func (c jobCase) job(api string) model.Job {
	fill := strings.NewReplacer("${API}", api)
	task := model.Task{Name: "proxy", Driver: "exec", Env: map[string]string{}, Program: model.Program{Command: "/usr/local/bin/traefik"}}
	for _, arg := range c.args {
		task.Program.Args = append(task.Program.Args, fill.Replace(arg))
	}
	for name, value := range c.env {
		task.Env[name] = fill.Replace(value)
	}
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		task.Templates = append(task.Templates, model.Template{Destination: name, Data: fill.Replace(c.files[name])})
	}
	return model.Job{ID: "edge", Groups: []model.Group{{Name: "edge", Tasks: []model.Task{task}}}}
}
