package controller_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestImportsAreNoticed shows that the check can fail: each case adds one file
// to a small module that keeps the rules.
func TestImportsAreNoticed(t *testing.T) {
	r := rules{
		module:   "example.org/m",
		allowed:  map[string][]string{"model": {}, "gate": {"model"}, "edge/...": {"edge/...", "model"}, "third": {}},
		pure:     map[string][]string{"gate": {"example.org/fine"}, "model": {}},
		standard: []string{"time", "strings", "fmt", "net"},
		never:    map[string][]string{"example.org/core": {"example.org/core/api"}},
	}
	base := map[string]string{
		"go.mod": "module example.org/m\n\ngo 1.26\n\nrequire (\n\texample.org/fine v0.0.0\n\texample.org/other v0.0.0\n\texample.org/core v0.0.0\n)\n\n" +
			"replace example.org/core => ./core\n\n" +
			"replace example.org/fine => ./fine\n\nreplace example.org/other => ./other\n",
		"core/go.mod":     "module example.org/core\n",
		"core/core.go":    "package core\n",
		"core/api/api.go": "package api\n",
		"fine/go.mod":     "module example.org/fine\n",
		"fine/fine.go":    "package fine\n\nimport _ \"os\"\n",
		"other/go.mod":    "module example.org/other\n",
		"other/other.go":  "package other\n",
		"model/model.go":  "package model\n\nimport \"time\"\n\nvar Zero time.Time\n",
		"gate/gate.go":    "package gate\n\nimport (\n\t_ \"example.org/fine\"\n\t_ \"example.org/m/model\"\n)\n",
		"edge/a/a.go":     "package a\n\nimport (\n\t_ \"net/http\"\n\n\t_ \"example.org/m/model\"\n)\n",
	}
	tests := map[string]struct {
		file, text string
		want       []string
	}{
		"the module keeps the rules":         {"gate/more.go", "package gate\n", nil},
		"tests may do I/O":                   {"gate/gate_test.go", "package gate\n\nimport _ \"os\"\n", nil},
		"an edge may import an edge below":   {"edge/b/b.go", "package b\n\nimport _ \"example.org/m/edge/a\"\n", nil},
		"a value of time is no clock":        {"gate/more.go", "package gate\n\nimport \"time\"\n\nfunc f(t time.Time) time.Time { return t.Add(time.Second) }\n", nil},
		"a variable may be called like time": {"gate/more.go", "package gate\n\ntype x struct{ Now int }\n\nfunc f(time x) int { return time.Now }\n", nil},
		"a pure package imports the network": {"gate/more.go", "package gate\n\nimport _ \"net/http\"\n",
			[]string{"gate is pure, but gate imports net/http"}},
		"what a pure package imports does I/O": {"model/more.go", "package model\n\nimport _ \"os\"\n",
			[]string{"gate is pure, but model imports os", "model is pure, but model imports os"}},
		"a pure package imports a module": {"gate/more.go", "package gate\n\nimport _ \"example.org/other\"\n",
			[]string{"gate is pure, but gate imports example.org/other"}},
		"another pure package imports a module that only one may": {"model/more.go", "package model\n\nimport _ \"example.org/fine\"\n",
			[]string{"model is pure, but model imports example.org/fine"}},
		"a pure package imports an edge": {"gate/more.go", "package gate\n\nimport _ \"example.org/m/edge/a\"\n",
			[]string{"gate is pure, but edge/a imports net/http", "gate must not import edge/a"}},
		"an import points the wrong way": {"model/more.go", "package model\n\nimport _ \"example.org/m/third\"\n",
			[]string{"model must not import third"}},
		"a package has no rule": {"stray/stray.go", "package stray\n",
			[]string{"stray stands in no rule: say in controller/imports_test.go what it may import"}},
		"a pure package reads the clock": {"gate/more.go", "package gate\n\nimport \"time\"\n\nvar now = time.Now()\n",
			[]string{"gate is pure, but gate/more.go uses time.Now in line 5"}},
		"a pure package hands the clock on": {"gate/more.go", "package gate\n\nimport clock \"time\"\n\nvar now = clock.Since\n",
			[]string{"gate is pure, but gate/more.go uses time.Since in line 5"}},
		"a pure package hides where a name is from": {"gate/more.go", "package gate\n\nimport . \"time\"\n\nvar now = Now()\n",
			[]string{"gate is pure, but gate/more.go uses an import of time without a name"}},
		"a pure package prints": {"gate/more.go", "package gate\n\nimport \"fmt\"\n\nfunc f() { fmt.Println() }\n",
			[]string{"gate is pure, but gate/more.go uses fmt.Println in line 5"}},
		"a pure package dials": {"gate/more.go", "package gate\n\nimport \"net\"\n\nvar f = net.Dial\nvar g = net.JoinHostPort\n",
			[]string{"gate is pure, but gate/more.go uses net.Dial in line 5"}},
		"an edge may use an interface of a core": {"edge/b/b.go", "package b\n\nimport _ \"example.org/core/api\"\n", nil},
		"an edge is linked with a core": {"edge/b/b.go", "package b\n\nimport _ \"example.org/core\"\n",
			[]string{"nothing may be linked with example.org/core"}},
		"a pure package has code for another system": {"gate/more_windows.go", "package gate\n\nimport _ \"os\"\n",
			[]string{"gate is pure, but gate has more_windows.go: no build constraints, C or assembly there"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "third/third.go", "package third\n")
			for file, text := range base {
				write(t, dir, file, text)
			}
			write(t, dir, tt.file, tt.text)
			got, err := r.check(t, dir, "")
			require.NoError(t, err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestImportsAreNotCheckedInAPackageThatIsBroken(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.org/m\n\ngo 1.26\n")
	write(t, dir, "gate/gate.go", "package gate\n\nimport _ \"example.org/nowhere\"\n")
	_, err := rules{module: "example.org/m"}.check(t, dir, "")
	require.ErrorContains(t, err, "example.org/nowhere")
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
}
