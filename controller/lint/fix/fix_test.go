package fix_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/fix"
	"github.com/draingate/draingate/jobspecs"
)

// settings are Traefik's defaults, given and not assumed.
func settings(t testing.TB) lint.Settings {
	t.Helper()
	s, err := lint.ReadSettings(t.Context(), lint.Traefik{Config: "testdata/settings.yml", Version: "3.6.12"})
	require.NoError(t, err)
	return s
}

func options(t testing.TB, paths ...string) lint.Options {
	t.Helper()
	return lint.Options{Paths: paths, Settings: settings(t), Margin: time.Second}
}

func put(t *testing.T, name, body string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, []byte(body), 0o640))
	return name
}

// The files of testdata with what becomes of them, which UPDATE_GOLDEN writes.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.nomad.hcl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			result, err := fix.Run(options(t, name))
			require.NoError(t, err)
			var got bytes.Buffer
			for _, c := range result.Changes {
				got.Write(c.Diff())
			}
			for _, l := range result.Left {
				fmt.Fprintf(&got, "%d:%d: %s: %s\n", l.Line, l.Column, l.Rule, l.Why)
			}
			golden := strings.TrimSuffix(name, ".nomad.hcl") + ".diff"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(string(want), got.String()))
		})
	}
}

// web is a group with one thing in it that --fix would write, and a place for
// what keeps it from doing so.
const web = `job "web" {
  %s
  group "web" {
    count = 2
    %s
    network {
      port "http" {}
    }
    service {
      name = "web"
      port = "http"
      tags = ["traefik.enable=true"]
      %s
      check {
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "web" {
      driver = "docker"
    }
  }
}
`

// inJob, inGroup and inService put a text into the job; all but the text is
// good.
func inJob(text string) string {
	return fmt.Sprintf(web, text, "shutdown_delay = \"20s\"\nupdate {\ncanary = 2\n}", "")
}
func inGroup(text string) string { return fmt.Sprintf(web, "", text, "") }
func inService(text string) string {
	return fmt.Sprintf(web, "", "shutdown_delay = \"20s\"\nupdate {\ncanary = 2\n}", text)
}

func TestWhatIsLeftHasAReason(t *testing.T) {
	const canary = "\nupdate {\n  canary = 2\n}\n"
	const delay = "shutdown_delay = \"20s\"\n"
	tests := map[string]struct {
		file, body string
		// want is in the reason; empty where nothing is left, and then gone is
		// what the text must have after the fix.
		want, gone string
	}{
		"nothing in the way":                       {body: inGroup(canary), gone: `shutdown_delay = "19s"`},
		"a value that is too short":                {body: inGroup("shutdown_delay = \"5s\" # why\n" + canary), gone: `shutdown_delay = "19s" # why`},
		"a variable":                               {body: "variable \"d\" {\n  default = \"1s\"\n}\n" + inGroup("shutdown_delay = var.d\n"+canary), want: "its value is worked out, at stdin:8:5: var.d"},
		"a local":                                  {body: "locals {\n  d = \"1s\"\n}\n" + inGroup("shutdown_delay = local.d\n"+canary), want: "local.d"},
		"a function":                               {body: inGroup("shutdown_delay = lower(\"5S\")\n" + canary), want: `lower("5S")`},
		"a template":                               {body: "locals {\n  d = \"1\"\n}\n" + inGroup("shutdown_delay = \"${local.d}s\"\n"+canary), want: "${local.d}s"},
		"an update of the job":                     {body: inJob("update {\n auto_promote = true\n}\n"), want: "the job sets it for all of its groups, at stdin:3:2"},
		"on_update of the service":                 {body: inService("on_update = \"ignore\""), want: "the service sets it for all of its checks"},
		"a dynamic block":                          {body: strings.Replace(inGroup(delay), "network {", "dynamic \"update\" {\n for_each = [1]\n content {\n canary = 1\n}\n}\nnetwork {", 1), want: "a dynamic block makes it"},
		"a key that is there as well":              {body: inJob("meta {\n draingate_mod = \"enforce\"\n draingate_mode = \"enforce\"\n}\n"), want: "there is a draingate_mode beside it"},
		"a key that may be another":                {body: inJob("meta {\n draingate_drian = \"2s\"\n}\n"), want: "promote on more trust"},
		"a mode that does less":                    {body: inJob("meta {\n draingate_mod = \"off\"\n}\n"), want: "would do less"},
		"an ignore":                                {body: inJob("meta {\n draingate-ignore-DG101 = \"x\"\n}\n"), want: "would hide findings"},
		"a value that stays wrong":                 {body: inJob("meta {\n draingate_mod = \"always\"\n}\n"), want: "would do less"},
		"a canary beside a static port":            {body: strings.Replace(inGroup(delay+"update {\n canary = 1\n}\n"), `port "http" {}`, "port \"http\" {\n static = 80\n}", 1), want: `port "http" is static, 80`},
		"a drain that no client need allow":        {body: inGroup(delay + canary + "meta {\n draingate_drain = \"45s\"\n}\n"), want: "what a client allows beyond 30s"},
		"a deadline that would then be too near":   {body: inGroup("update {\n min_healthy_time = \"1s\"\n healthy_deadline = \"10s\"\n progress_deadline = \"15s\"\n}\n"), gone: `progress_deadline = "58s"`},
		"a tag with something to fill in":          {body: "locals {\n h = \"x\"\n}\n" + strings.Replace(inJob(""), `"traefik.enable=true"`, "\"traefik.http.routers.web.rul=Host(`${local.h}`)\"", 1), want: "its value is worked out"},
		"tags from a variable":                     {body: "variable \"t\" {\n type = list(string)\n default = [\"traefik.http.routers.web.rul=Host(`a`)\"]\n}\n" + strings.Replace(inJob(""), `["traefik.enable=true"]`, "var.t", 1), want: "var.t"},
		"tags in a concat":                         {body: "variable \"t\" {\n type = list(string)\n default = [\"v1\"]\n}\n" + strings.Replace(inJob(""), `["traefik.enable=true"]`, "concat(var.t, [\"traefik.http.routers.web.rul=Host(`a`)\"])", 1), gone: "concat(var.t, [\"traefik.http.routers.web.rule=Host(`a`)\"])"},
		"HCL in JSON":                              {body: `{"job": {"web": {"group": {"web": {"update": {"canary": 1}, "network": {"port": {"http": {}}}, "service": {"name": "web", "port": "http", "tags": ["traefik.enable=true"], "check": {"type": "tcp", "interval": "2s", "timeout": "1s"}}, "task": {"web": {"driver": "docker"}}}}}}}`, want: "the file is JSON"},
		"an ignored finding is no concern of ours": {body: inGroup("# draingate:ignore DG101 test\nshutdown_delay = \"1s\"\n" + canary)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := options(t, "-")
			o.Stdin = strings.NewReader(tt.body)
			result, err := fix.Run(o)
			require.NoError(t, err)
			if tt.want != "" {
				require.Len(t, result.Left, 1, "%+v", result.Changes)
				require.Contains(t, result.Left[0].Why, tt.want)
				require.Empty(t, result.Changes, "never half done")
				return
			}
			require.Empty(t, result.Left)
			if tt.gone == "" {
				require.Empty(t, result.Changes)
				return
			}
			require.Len(t, result.Changes, 1)
			require.Contains(t, string(result.Changes[0].After), tt.gone)
		})
	}
}

func TestAHeredocIsLeft(t *testing.T) {
	o := options(t, "-")
	o.Stdin = strings.NewReader(inGroup("shutdown_delay = trimspace(<<EOT\n1s\nEOT\n)\nupdate {\n  canary = 2\n}\n"))
	result, err := fix.Run(o)
	require.NoError(t, err)
	require.Len(t, result.Left, 1)
	require.Empty(t, result.Changes)
}

// Two services of one group ask for different delays: the longer one stays.
func TestFixesThatContradictEachOther(t *testing.T) {
	body := strings.Replace(inGroup("update {\n  canary = 2\n}\nmeta {\n draingate_mod = \"enforce\"\n}\n"), `draingate_mod = "enforce"`, `draingate_max_reques = "7s"`, 1)
	o := options(t, put(t, "web.nomad.hcl", body))
	result, err := fix.Run(o)
	require.NoError(t, err)
	require.Empty(t, result.Left)
	require.Equal(t, 2, result.Fixed())
	require.Contains(t, string(result.Changes[0].After), `shutdown_delay = "26s"`)
	require.Contains(t, string(result.Changes[0].After), `draingate_max_request = "7s"`)
}

func TestNothingIsWorkedOutWhereSomethingCannotBeRead(t *testing.T) {
	good := put(t, "web.nomad.hcl", inGroup("update {\n  canary = 2\n}\n"))
	result, err := fix.Run(options(t, good, "nowhere.hcl"))
	require.ErrorContains(t, err, "nowhere.hcl")
	require.Empty(t, result.Changes)
	bad := put(t, "bad.nomad.hcl", "job {")
	result, err = fix.Run(options(t, good, bad))
	require.NoError(t, err)
	require.Len(t, result.Changes, 1, "a file with mistakes is for lint to report")
}

// The version that runs now is asked for once, however many texts are tried,
// and nothing is worked out where nobody answers.
func TestTheRunningVersionIsAskedForOnce(t *testing.T) {
	asked := 0
	o := options(t, put(t, "web.nomad.hcl", inGroup("update {\n  canary = 2\n}\n")))
	o.Running = func(string, string) (*jobspecs.File, error) {
		asked++
		return nil, nil // there is none yet
	}
	result, err := fix.Run(o)
	require.NoError(t, err)
	require.Equal(t, 1, result.Fixed())
	require.Equal(t, 1, asked)

	o.Running = func(string, string) (*jobspecs.File, error) { return nil, errors.New("no answer") }
	result, err = fix.Run(o)
	require.ErrorContains(t, err, "no answer")
	require.Empty(t, result.Changes)
}
