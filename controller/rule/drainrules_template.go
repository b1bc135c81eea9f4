package rule

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/draingate/draingate/controller/model"
)

func templateRestart() Rule {
	return Rule{
		ID: "DG105", Name: "template-restart", Severity: Warning,
		Summary: "A template that renders anew restarts a task that serves requests.",
		Why: "change_mode is \"restart\" unless the template says otherwise, and a restart has no drain: the task is killed without its shutdown_delay, and a " +
			"group-level service stays in the catalog meanwhile (Nomad v1.11.3, client/allocrunner/taskrunner/lifecycle.go). All allocations restart within " +
			"splay of each other. A template that calls nothing that changes renders once and is left alone.",
		Find: eachRouted(findTemplateRestart),
	}
}

func findTemplateRestart(p place) []Finding {
	var out []Finding
	candidates := servers(p)
	for _, t := range candidates {
		for i, tmpl := range t.Templates {
			if tmpl.Once || tmpl.ChangeMode != model.ChangeRestart {
				continue
			}
			f := Finding{Path: model.GroupPath(p.group.Name).Task(t.Name).Template(i).Child("change_mode"), Remedy: templateRemedy(tmpl)}
			f.Severity, f.Message = rerenders(t, i, tmpl)
			if f.Severity == Warning && len(candidates) > 1 {
				f.Severity = Notice
			}
			if f.Message != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

func templateRemedy(t model.Template) string {
	if t.Env {
		return `change_mode = "noop"` // a signal does not change the environment
	}
	return "change_mode   = \"signal\"\nchange_signal = \"SIGHUP\""
}

// rerenders says what a template that restarts its task means.
func rerenders(t model.Task, i int, tmpl model.Template) (Severity, string) {
	name := fmt.Sprintf("template %d", i+1)
	if tmpl.Destination != "" {
		name = fmt.Sprintf("template %q", tmpl.Destination)
	}
	if call := watched(tmpl.Data); call != "" {
		return Warning, fmt.Sprintf("%s of task %q calls %s and has change_mode = \"restart\": when that changes every allocation is killed within splay %s, and none waits for its shutdown_delay",
			name, t.Name, call, figure(tmpl.Splay))
	}
	if tmpl.Data == "" && tmpl.Source != "" {
		return Unknown, fmt.Sprintf("%s of task %q has change_mode = \"restart\", which has no drain; its text is in %q, so it cannot be told whether it ever renders anew", name, t.Name, tmpl.Source)
	}
	if call := maybeWatched(tmpl.Data); call != "" {
		return Unknown, fmt.Sprintf("%s of task %q has change_mode = \"restart\", which has no drain, and may call %s with delimiters of its own", name, t.Name, call)
	}
	return "", ""
}

// watching are the functions of consul-template whose answer may change while
// the task runs (consul-template v0.41.4, template/template.go).
func watching() []string {
	return []string{
		"caLeaf", "caRoots", "connect", "datacenters", "exportedServices", "file", "importedServices", "key", "keyExists", "keyOrDefault", "ls",
		"node", "nodes", "nomadService", "nomadServices", "nomadVar", "nomadVarExists", "nomadVarList", "nomadVarListSafe", "partitions",
		"peerings", "pkiCert", "safeLs", "safeTree", "secret", "secrets", "service", "services", "tree",
	}
}

// watched is the first such function that is called between {{ and }}.
func watched(data string) string {
	for {
		_, rest, ok := strings.Cut(data, "{{")
		if !ok {
			return ""
		}
		action, after, _ := strings.Cut(rest, "}}")
		if call := called(action); call != "" {
			return call
		}
		data = after
	}
}

// called is the first such function in an action, outside of its strings.
func called(action string) string {
	if strings.HasPrefix(strings.TrimLeft(action, "- "), "/*") {
		return ""
	}
	names := watching()
	for _, word := range strings.FieldsFunc(unquoted(action), betweenNames) {
		if slices.Contains(names, word) {
			return word
		}
	}
	return ""
}

// betweenNames keeps a field (.service) and a variable ($key) apart from the
// function of the same name.
func betweenNames(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.$", r)
}

// unquoted is the text with a space for each string in it.
func unquoted(text string) string {
	var out strings.Builder
	quote, escaped := rune(0), false
	for _, r := range text {
		switch {
		case quote == 0 && (r == '"' || r == '`'):
			quote = r
			out.WriteByte(' ')
		case quote == 0:
			out.WriteRune(r)
		case escaped:
			escaped = false
		case r == '\\' && quote == '"':
			escaped = true
		case r == quote:
			quote = 0
		}
	}
	return out.String()
}

// maybeWatched is the first such function that looks called in a text without
// {{, whose delimiters the model does not have.
func maybeWatched(data string) string {
	if strings.Contains(data, "{{") {
		return ""
	}
	for _, name := range watching() {
		for _, open := range []string{" ", "[", "<", "(", "%"} {
			if strings.Contains(data, open+name+` "`) {
				return name
			}
		}
	}
	return ""
}
