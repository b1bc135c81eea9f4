package traefik_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// docker is a job with Traefik's image.
func docker(change func(*model.Task)) model.Job {
	task := model.Task{Name: "traefik", Driver: "docker", Program: model.Program{Image: "traefik:v3.6"}}
	change(&task)
	return model.Job{ID: "edge", Meta: map[string]string{"every": "6s"}, Groups: []model.Group{{Name: "edge", Tasks: []model.Task{task}}}}
}

// args is a task with these arguments.
func args(args ...string) func(*model.Task) {
	return func(t *model.Task) { t.Program.Args = args }
}

const (
	refreshFlag = "--providers.consulcatalog.refreshinterval="
	threeFlag   = refreshFlag + "3s"
	threeYAML   = "providers:\n  consulCatalog:\n    refreshInterval: 3s\n"
)

func template(destination, data string) model.Template {
	return model.Template{Destination: destination, Data: data}
}

func TestSettingsFromJobOfAContainer(t *testing.T) {
	three := refresh(3 * time.Second)
	mounted := func(source, target string) func(*model.Task) {
		return func(t *model.Task) { t.Program.Mounts = []model.Mount{{Source: source, Target: target}} }
	}
	tests := map[string]struct {
		change func(*model.Task)
		want   model.ProxySettings
		doubt  string
	}{
		"nothing but the image":    {args(), noCatalog(), ""},
		"arguments":                {args(threeFlag), three, ""},
		"the command of the image": {func(t *model.Task) { t.Program.Command, t.Program.Args = "traefik", []string{threeFlag} }, three, ""},
		"an entrypoint of its own": {func(t *model.Task) { t.Program.Entrypoint = []string{"/usr/local/bin/traefik", threeFlag} }, three, ""},
		"the entrypoint of the image": {func(t *model.Task) {
			t.Program.Entrypoint, t.Program.Args = []string{"/entrypoint.sh"}, []string{threeFlag}
		}, three, ""},
		"an image of another name": {func(t *model.Task) { t.Program.Image, t.Program.Args = "corp/my-traefik:3", []string{threeFlag} },
			three, "corp/my-traefik:3 has a configuration file"},
		"an image of another registry": {func(t *model.Task) {
			t.Program.Image, t.Program.Args = "corp:5000/hub/traefik@sha256:00", []string{threeFlag}
		}, three, ""},
		"a program on the node": {func(t *model.Task) {
			t.Driver, t.Program = "raw_exec", model.Program{Command: "traefik", Args: []string{threeFlag}}
		}, three, "if the node has a configuration file"},
		"a named file leaves no doubt": {func(t *model.Task) {
			t.Driver, t.Program = "raw_exec", model.Program{Command: "local/traefik", Args: []string{"--configFile=local/t.yml"}}
			t.Templates = []model.Template{template("local/t.yml", threeYAML)}
		}, three, ""},
		"an expression beside the settings":   {args("--entrypoints.web.address=:${NOMAD_PORT_web}", "--api.insecure=${meta.open}", threeFlag), three, ""},
		"an expression as a word of its own":  {args("--log.level", "${meta.level}", threeFlag), three, ""},
		"an expression that the job fills in": {args(refreshFlag + "${NOMAD_META_every}"), refresh(6 * time.Second), ""},
		"an expression in a token":            {args("--providers.consulcatalog.endpoint.token=${CONSUL_TOKEN}"), defaults(), ""},
		"a template at a default place by a volume": {func(t *model.Task) {
			mounted("local/any.yml", "/etc/traefik/traefik.yml")(t)
			t.Templates, t.Program.Args = []model.Template{template("local/any.yml", threeYAML)}, []string{refreshFlag + "9s"}
		}, three, ""},
		"a folder at a default place": {func(t *model.Task) {
			mounted("local", "/etc/traefik")(t)
			t.Templates = []model.Template{template("${NOMAD_TASK_DIR}/traefik.yml", threeYAML)}
		}, three, ""},
		"a folder with other files": {func(t *model.Task) {
			mounted("local/dynamic", "/etc/traefik")(t)
			t.Templates, t.Program.Args = []model.Template{template("local/dynamic/routes.yml", "x")}, []string{threeFlag}
		}, three, ""},
		"a template that a container does not see": {func(t *model.Task) { t.Templates = []model.Template{template("traefik.yml", threeYAML)} }, noCatalog(), ""},
		"variables of a template": {func(t *model.Task) {
			t.Env = map[string]string{"TRAEFIK_PROVIDERS_CONSULCATALOG_REFRESHINTERVAL": "9s"}
			t.Templates = []model.Template{{
				Destination: "secrets/env", Env: true,
				Data: "# all of it\nTRAEFIK_PROVIDERS_CONSULCATALOG_REFRESHINTERVAL=\"3s\"\nTOKEN={{ key \"t\" }}\n",
			}}
		}, three, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := docker(tt.change)
			got, err := traefik.SettingsFromJob(&job, "")
			require.NoError(t, err)
			require.Contains(t, got.Doubt, tt.doubt)
			require.Equal(t, tt.doubt == "", got.Doubt == "", got.Doubt)
			tt.want.Source = `job "edge"`
			require.Empty(t, cmp.Diff(tt.want, got.ProxySettings, apartFromTimeouts()))
		})
	}
}

func TestSettingsThatAJobDoesNotTell(t *testing.T) {
	mounted := func(source, target string) func(*model.Task) {
		return func(t *model.Task) { t.Program.Mounts = []model.Mount{{Source: source, Target: target}} }
	}
	variables := func(data string) func(*model.Task) {
		return func(t *model.Task) {
			t.Templates = []model.Template{{Destination: "secrets/env", Env: true, Data: data}}
		}
	}
	tests := map[string]struct {
		change func(*model.Task)
		want   string
	}{
		"a command of Traefik": {args("traefik", "version"), `"version" makes Traefik run a command`},
		"a shell": {func(t *model.Task) { t.Program.Command, t.Program.Args = "sh", []string{"-c", "traefik " + threeFlag} },
			`it runs "sh" and not Traefik`},
		"a shell as the entrypoint":              {func(t *model.Task) { t.Program.Entrypoint = []string{"sh", "-c", "traefik"} }, "is not known: start Traefik itself"},
		"arguments in no known form":             {func(t *model.Task) { t.Program.Odd = []string{"args"} }, "config.args is in no form"},
		"an expression in a setting":             {args(refreshFlag + "${meta.every}"), `the argument --providers.consulcatalog.refreshinterval is "${meta.every}", which only Nomad can fill in`},
		"an expression in the throttle":          {args("--providers.providersThrottleDuration=${meta.x}"), "only Nomad can fill in"},
		"an expression that could be a setting":  {args("--api", "${meta.more}"), `"${meta.more}" has a part that only Nomad can fill in`},
		"an expression in the name of a setting": {args("--providers.${meta.which}.watch=true"), "could be any setting"},
		"an expression in a variable": {func(t *model.Task) {
			t.Env = map[string]string{"TRAEFIK_PROVIDERS_CONSULCATALOG_STALE": "${meta.stale}"}
		}, "providers.consulcatalog.stale"},
		"a file of the node at a default place": {mounted("/opt/traefik", "/etc/traefik"), "comes from /opt/traefik on the node"},
		"a volume of Nomad at a default place": {func(t *model.Task) {
			t.VolumeMounts = []model.VolumeMount{{Volume: "conf", Destination: "/etc/traefik"}}
		}, "comes from /volume/conf on the node"},
		"a volume that no template fills":      {mounted("local/x.yml", "/etc/traefik/traefik.yml"), "which no template of it writes"},
		"an artifact where the file would be":  {func(t *model.Task) { mounted("local", "/etc/traefik")(t); t.Artifacts = []string{"local/"} }, "is not in the job"},
		"a named file that no template writes": {args("--configFile=/local/t.yml"), "no template of the task writes its configuration file /local/t.yml"},
		"a file whose name has an expression":  {args("--configFile=${meta.dir}/t.yml"), "${meta.dir} in it"},
		"a variable that a template renders":   {variables("TRAEFIK_PROVIDERS_CONSULCATALOG_STALE={{ key \"s\" }}\n"), "providers.consulcatalog.stale"},
		"variables that a template names":      {variables("{{ range ls \"x\" }}\n{{ .Key }}={{ .Value }}\n{{ end }}\n"), "line 2 makes variables that only Nomad can name"},
		"a template from a file on the node": {func(t *model.Task) {
			args("--configFile=/local/t.yml")(t)
			t.Templates = []model.Template{{Destination: "local/t.yml", Source: "/opt/t.tpl"}}
		}, "rendered from /opt/t.tpl"},
		"variables from a file on the node": {func(t *model.Task) {
			t.Templates = []model.Template{{Destination: "secrets/e", Env: true, Source: "/opt/e.tpl"}}
		}, "from /opt/e.tpl"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := docker(tt.change)
			got, err := traefik.SettingsFromJob(&job, "")
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, got)
		})
	}
}

func TestTheTaskThatRunsTraefik(t *testing.T) {
	task := func(name, image string, args ...string) model.Task {
		return model.Task{Name: name, Driver: "docker", Program: model.Program{Image: image, Args: args}}
	}
	tests := map[string]struct {
		tasks   []model.Task
		wantErr string
	}{
		"one by its image, beside others":         {[]model.Task{task("app", "web:1"), task("t", "traefik:3", threeFlag)}, ""},
		"one of that name beside a helper for it": {[]model.Task{task("auth", "corp/traefik-forward-auth:2"), task("t", "traefik", threeFlag)}, ""},
		"one by its flags":                        {[]model.Task{task("app", "web:1"), task("t", "corp/edge:3", threeFlag)}, ""},
		"two":                                     {[]model.Task{task("a", "traefik:3"), task("b", "traefik:3")}, `group["g"].task["a"] and group["g"].task["b"] both seem to run Traefik`},
		"none":                                    {[]model.Task{task("app", "web:1", "--port=80")}, "no task runs Traefik"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := model.Job{ID: "edge", Groups: []model.Group{{Name: "g", Tasks: tt.tasks}, {Name: "other"}}}
			got, err := traefik.SettingsFromJob(&job, "")
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			require.Equal(t, 3*time.Second, got.RefreshInterval)
		})
	}
	t.Run("the group says which of two", func(t *testing.T) {
		job := model.Job{ID: "edge", Groups: []model.Group{
			{Name: "a", Tasks: []model.Task{task("t", "traefik", refreshFlag+"1s")}}, {Name: "b", Tasks: []model.Task{task("t", "traefik", threeFlag)}},
		}}
		got, err := traefik.SettingsFromJob(&job, "b")
		require.NoError(t, err)
		require.Equal(t, 3*time.Second, got.RefreshInterval)
	})
}

// FuzzSettingsFromJob proves that no job makes the reader panic or give settings
// that an error came with.
func FuzzSettingsFromJob(f *testing.F) {
	for _, c := range jobCases() {
		for _, data := range c.files {
			f.Add(strings.Join(c.args, "\n"), "A=b", data, "/local/t.yml", true)
		}
		f.Add(strings.Join(c.args, "\n"), "TRAEFIK_PROVIDERS_CONSULCATALOG_WATCH=true", "", "", false)
	}
	f.Add("--configFile=/local/t.toml", "", "a = [\n\"{{ range x }}\n{{ end }}\"\n]\n[b.\"c.d\"]\ne = '''\n'''\n", "local/t.toml", true)
	f.Fuzz(func(t *testing.T, args, env, data, file string, container bool) {
		job := docker(func(task *model.Task) {
			if task.Program.Args = strings.Split(args, "\n"); !container {
				task.Driver, task.Program.Command = "exec", "traefik"
			}
			name, value, _ := strings.Cut(env, "=")
			task.Env = map[string]string{name: value}
			task.Templates = []model.Template{template(file, data), {Destination: "secrets/e", Env: true, Data: data}}
		})
		got, err := traefik.SettingsFromJob(&job, "")
		if !errors.Is(err, traefik.ErrRefreshInterval) {
			usable(t, got.ProxySettings, err)
		}
		for _, place := range got.Places {
			require.NotEmpty(t, place.Path)
		}
	})
}
