package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// action is what a composite action's file says.
type action struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	ID, Name, Shell, Run string
	Env                  map[string]string
}

// runner is a folder with what a runner of actions gives to a step.
type runner struct {
	dir, action string
	// temp is RUNNER_TEMP.
	temp   string
	inputs map[string]string
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z_.-]+) *\}\}`)

// TestAction executes the steps of the action as a runner would.
func TestAction(t *testing.T) {
	job := func(name string) string {
		content, err := os.ReadFile(filepath.Join("..", "..", "jobspecs", "examples", name))
		require.NoError(t, err)
		return string(content)
	}
	good := job("web.nomad.hcl")
	bad := regexp.MustCompile(`(?m)^ *shutdown_delay.*$`).ReplaceAllString(good, "")
	tests := map[string]struct {
		inputs map[string]string
		files  map[string]string
		code   string
		output []string
		fails  bool
	}{
		"a good job passes": {
			files: map[string]string{"web.nomad.hcl": good}, code: "0",
		},
		"a bad one fails, with an annotation at its place": {
			files: map[string]string{"jobs/web.nomad.hcl": bad}, inputs: map[string]string{"paths": "  jobs \n"}, code: "1", fails: true,
			output: []string{"::error file=jobs/web.nomad.hcl,line=", "DG101"},
		},
		"a report is written though nothing is to fail": {
			files: map[string]string{"web.nomad.hcl": bad}, inputs: map[string]string{"fail-on": "never", "sarif": "out.sarif"}, code: "0",
			output: []string{"DG101"},
		},
		"a file that is not there is named": {
			inputs: map[string]string{"paths": "$(touch pwned)\nmissing.hcl"}, code: "2", fails: true, output: []string{"missing.hcl", "$(touch pwned)"},
		},
		"a setting of Traefik counts": {
			files:  map[string]string{"web.nomad.hcl": bad, "traefik.yml": "providers:\n  consulCatalog:\n    refreshInterval: 1s\n"},
			inputs: map[string]string{"traefik-config": "traefik.yml"}, code: "1", fails: true, output: []string{"DG101"},
		},
	}
	temp := t.TempDir() // shared, so that the binary is linked once
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newActionRunner(t, tt.inputs, tt.files)
			r.temp = temp
			out, err := r.run(t)
			require.Equal(t, tt.fails, err != nil, "%s\n%v", out, err)
			for _, want := range tt.output {
				require.Contains(t, out, want)
			}
			require.Contains(t, r.read(t, "output"), "exit-code="+tt.code+"\n")
			if sarif := tt.inputs["sarif"]; sarif != "" {
				require.Contains(t, r.read(t, filepath.Join("workspace", sarif)), `"2.1.0"`)
				require.Contains(t, r.read(t, "output"), "sarif="+sarif+"\n")
			}
			require.Equal(t, strings.Contains(out, "DG101"), strings.Contains(r.read(t, "summary"), "DG101"))
			require.NoFileExists(t, filepath.Join(r.dir, "workspace", "pwned"))
		})
	}
}

func newActionRunner(t *testing.T, inputs, files map[string]string) runner {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "..", ".github", "actions", "lint"))
	require.NoError(t, err)
	r := runner{dir: t.TempDir(), action: folder, inputs: inputs}
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, "workspace"), 0o700))
	for name, content := range files {
		name = filepath.Join(r.dir, "workspace", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
	for _, name := range []string{"output", "summary"} {
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, name), nil, 0o600))
	}
	return r
}

func (r runner) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	require.NoError(t, err)
	return string(content)
}

// run executes all steps and returns what they print.
func (r runner) run(t *testing.T) (string, error) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.action, "action.yml"))
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.Unmarshal(content, &a))
	require.Equal(t, "composite", a.Runs.Using)
	for name := range r.inputs {
		require.Contains(t, a.Inputs, name)
	}
	var all strings.Builder
	for _, s := range a.Runs.Steps {
		require.Equal(t, "bash", s.Shell)
		require.NotContains(t, s.Run, "${{", "inputs go through the environment")
		c := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		c.Dir = filepath.Join(r.dir, "workspace")
		c.Env = append(os.Environ(), "RUNNER_TEMP="+r.temp, "GITHUB_OUTPUT="+filepath.Join(r.dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(r.dir, "summary"))
		for key, value := range s.Env {
			c.Env = append(c.Env, key+"="+r.expand(t, a, value))
		}
		out, err := c.CombinedOutput()
		all.Write(out)
		if err != nil {
			return all.String(), err
		}
	}
	return all.String(), nil
}

// expand fills in expressions as a runner does.
func (r runner) expand(t *testing.T, a action, value string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(value, func(found string) string {
		name := expression.FindStringSubmatch(found)[1]
		if name == "github.action_path" {
			return r.action
		}
		input, is := strings.CutPrefix(name, "inputs.")
		require.True(t, is, "expression %s", found)
		declared, is := a.Inputs[input]
		require.True(t, is, "input %s is declared", input)
		if given, is := r.inputs[input]; is {
			return given
		}
		return declared.Default
	})
}
