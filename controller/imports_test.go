package controller_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rules say which package may import which. Names are below the module's path.
type rules struct {
	module string
	// allowed has, for each package, the packages of the module that it may
	// import itself. A name that ends in /... stands for all below it and for
	// the folder itself. A package that no name fits may import nothing, and
	// is a violation of its own.
	allowed map[string][]string
	// pure has the packages that do no I/O, with the third-party packages that
	// each may import all the same.
	pure map[string][]string
	// standard are the packages of the standard library that pure code, and
	// what it imports of the module, may import.
	standard []string
	// never are modules that nothing here may be linked with, by the only
	// parts of them that may.
	never map[string][]string
}

// house are the rules of this module.
func house() rules {
	return rules{
		module: "github.com/draingate/draingate",
		allowed: map[string][]string{
			"cmd/draingate":          {"controller/cli", "controller/app"},
			"controller":             {},
			"controller/cli":         {"controller/cli/exit", "controller/cli/options", "controller/app", "controller/lint/...", "controller/rule", "controller/status", "controller/gate", "controller/park", "controller/model", "jobspecs"},
			"controller/cli/exit":    {},
			"controller/cli/options": {"controller/model", "controller/secret"},
			"controller/app": {"controller/reconcile", "controller/fence", "controller/fencer", "controller/census", "controller/park", "controller/parker", "controller/parking", "controller/observe", "controller/nomad", "controller/consul", "controller/leader", "traefik/...", "controller/metrics",
				"controller/status", "controller/gate", "controller/drain", "controller/model", "controller/cli/exit", "controller/cli/options",
				"controller/judge", "controller/survey", "controller/trust", "controller/webhook", "jobspecs"},
			"controller/judge":       {"traefik", "controller/rule", "controller/model"},
			"controller/survey":      {"controller/judge", "controller/rule", "controller/model"},
			"controller/lint":        {"jobspecs", "traefik/...", "controller/forecast", "controller/rule", "controller/model"},
			"controller/lint/report": {"controller/lint", "controller/forecast", "controller/rule", "controller/model"},
			"controller/lint/fix":    {"controller/lint", "jobspecs", "controller/rule", "controller/model"},
			"controller/reconcile":   {"controller/gate", "controller/fence", "controller/park", "controller/rule", "controller/model"},
			"controller/observe":     {"controller/model"},
			"controller/nomad":       {"jobspecs/convert", "controller/model", "controller/secret", "controller/trust"},
			"controller/consul":      {"controller/model", "controller/secret", "controller/trust"},
			"controller/trust":       {},
			"controller/secret":      {},
			"controller/loop":        {},
			"controller/presence":    {"controller/loop", "controller/model"},
			"controller/leader":      {"controller/loop", "controller/model"},
			"controller/fencer":      {"controller/fence", "controller/loop", "controller/presence", "controller/model"},
			"controller/census":      {"controller/loop", "controller/park", "controller/model"},
			"controller/parker":      {"controller/park", "controller/parking", "controller/loop", "controller/presence", "controller/model"},
			"controller/forecast":    {"controller/gate", "controller/drain", "controller/rule", "controller/model"},
			"controller/metrics":     {"controller/model"},
			"controller/status":      {"controller/model"},
			"controller/webhook":     {},
			"controller/gate":        {"controller/drain", "controller/fence", "controller/rule", "controller/model"},
			"controller/rule":        {"controller/drain", "controller/park", "controller/model"},
			"controller/park":        {"controller/drain", "controller/model"},
			"controller/drain":       {"controller/model"},
			"controller/fence":       {"controller/model"},
			"controller/model":       {},
			"controller/parking":     {"controller/park"},
			"traefik":                {"controller/model"},
			"traefik/...":            {"traefik/...", "controller/model"},
			"traefik/client":         {"traefik/...", "controller/model", "controller/secret", "controller/trust"},
			// One conversion for jobs from a server and from a file. It stands
			// apart from jobspecs so that the controller's edge does not link
			// the parser.
			"jobspecs":         {"jobspecs/convert", "controller/model"},
			"jobspecs/convert": {"controller/model"},
			"charts":           {},
			"e2e/...":          {"e2e/..."},
			"hack/...":         {},
		},
		pure: map[string][]string{
			"controller/model":    {},
			"controller/drain":    {},
			"controller/fence":    {},
			"controller/park":     {},
			"controller/rule":     {},
			"controller/gate":     {},
			"controller/forecast": {},
			"traefik":             {"github.com/traefik/paerser", "gopkg.in/yaml.v3"},
			"controller/judge":    {"github.com/traefik/paerser", "gopkg.in/yaml.v3"},
		},
		// Their core is under another licence than ours.
		never: map[string][]string{
			"github.com/hashicorp/nomad":  {"github.com/hashicorp/nomad/api", "github.com/hashicorp/nomad/jobspec2"},
			"github.com/hashicorp/consul": {"github.com/hashicorp/consul/api"},
		},
		standard: []string{
			"bytes", "cmp", "encoding", "encoding/json", "errors", "fmt", "go/ast", "go/parser", "go/token", "hash/fnv", "io", "iter", "maps", "math", "math/bits", "net", "net/netip", "net/url",
			"path", "reflect", "regexp", "slices", "sort", "strconv", "strings", "text/template", "text/template/parse", "time", "unicode", "unicode/utf8",
		},
	}
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath     string
	Dir            string
	Standard       bool
	Imports        []string
	GoFiles        []string
	CgoFiles       []string
	IgnoredGoFiles []string
	SFiles         []string
}

func TestImports(t *testing.T) {
	for _, tags := range []string{"", "e2e"} {
		t.Run("tags="+tags, func(t *testing.T) {
			problems, err := house().check(t, "..", tags)
			require.NoError(t, err)
			for _, p := range problems {
				t.Error(p)
			}
		})
	}
}

// check returns all violations in the module in the folder, sorted.
func (r rules) check(t *testing.T, dir, tags string) ([]string, error) {
	t.Helper()
	packages, err := list(t, dir, tags)
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		if p := packages[name]; r.internal(name) {
			problems = append(problems, r.checkDirections(p)...)
		}
		for module, but := range r.never {
			if fits(module+"/...", name) && !slices.ContainsFunc(but, func(part string) bool { return fits(part+"/...", name) }) {
				problems = append(problems, "nothing may be linked with "+name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.pure)) {
		if _, there := packages[path.Join(r.module, name)]; there {
			problems = append(problems, r.checkPure(name, packages)...)
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems), nil
}

// list asks the go command for all packages of the module and all that they
// need, without their tests.
func list(t *testing.T, dir, tags string) (map[string]listed, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags="+tags,
		"-json=ImportPath,Dir,Standard,Imports,GoFiles,CgoFiles,IgnoredGoFiles,SFiles", "./...")
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, &stderr)
	}
	packages := map[string]listed{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages[p.ImportPath] = p
	}
}

func (r rules) internal(importPath string) bool {
	return importPath == r.module || strings.HasPrefix(importPath, r.module+"/")
}

func (r rules) short(importPath string) string { return strings.TrimPrefix(importPath, r.module+"/") }

// checkDirections compares a package's own imports with the table.
func (r rules) checkDirections(p listed) []string {
	name := r.short(p.ImportPath)
	allowed, known := r.allowedFor(name)
	if !known {
		return []string{fmt.Sprintf("%s stands in no rule: say in controller/imports_test.go what it may import", name)}
	}
	var out []string
	for _, i := range p.Imports {
		if r.internal(i) && !slices.ContainsFunc(allowed, func(a string) bool { return fits(a, r.short(i)) }) {
			out = append(out, fmt.Sprintf("%s must not import %s", name, r.short(i)))
		}
	}
	return out
}

// allowedFor prefers the name itself to a pattern, and a longer pattern to a
// shorter one.
func (r rules) allowedFor(name string) ([]string, bool) {
	best := ""
	for pattern := range r.allowed {
		if pattern == name {
			return r.allowed[name], true
		}
		if fits(pattern, name) && len(pattern) > len(best) {
			best = pattern
		}
	}
	return r.allowed[best], best != ""
}

func fits(pattern, name string) bool {
	folder, isPattern := strings.CutSuffix(pattern, "/...")
	return name == folder || (isPattern && strings.HasPrefix(name, folder+"/"))
}

// checkPure follows a pure package's imports through the module and checks
// every file on the way.
func (r rules) checkPure(name string, packages map[string]listed) []string {
	var out []string
	seen := map[string]bool{}
	var visit func(importPath string)
	visit = func(importPath string) {
		if seen[importPath] {
			return
		}
		seen[importPath] = true
		p := packages[importPath]
		out = append(out, r.checkPurePackage(name, p)...)
		for _, i := range p.Imports {
			switch {
			case r.internal(i):
				visit(i)
			case !r.allowedInPure(name, i):
				out = append(out, fmt.Sprintf("%s is pure, but %s imports %s", name, r.short(importPath), i))
			}
		}
	}
	visit(path.Join(r.module, name))
	return out
}

func (r rules) allowedInPure(name, importPath string) bool {
	third := func(module string) bool { return fits(module+"/...", importPath) }
	return slices.Contains(r.standard, importPath) || slices.ContainsFunc(r.pure[name], third)
}

// checkPurePackage looks at the files: what the go command left out for this
// system would be checked nowhere.
func (r rules) checkPurePackage(name string, p listed) []string {
	var out []string
	for _, file := range slices.Concat(p.CgoFiles, p.IgnoredGoFiles, p.SFiles) {
		if !strings.HasSuffix(file, "_test.go") {
			out = append(out, fmt.Sprintf("%s is pure, but %s has %s: no build constraints, C or assembly there", name, r.short(p.ImportPath), file))
		}
	}
	for _, file := range p.GoFiles {
		uses, err := impureUses(filepath.Join(p.Dir, file))
		if err != nil {
			out = append(out, err.Error())
		}
		for _, use := range uses {
			out = append(out, fmt.Sprintf("%s is pure, but %s uses %s", name, path.Join(r.short(p.ImportPath), file), use))
		}
	}
	return out
}
