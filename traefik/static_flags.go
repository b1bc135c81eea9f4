package traefik

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/traefik/paerser/env"
	"github.com/traefik/paerser/flag"
	"github.com/traefik/paerser/parser"

	"github.com/draingate/draingate/controller/model"
)

// word is a word of a command line with its place in the job.
type word struct {
	text string
	at   model.Path
}

// flagName is the name of a flag without its dashes and in lower case, and
// empty for a word that is none.
func (w word) flagName() string {
	name, isFlag := strings.CutPrefix(w.text, "-")
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
	if !isFlag {
		return ""
	}
	return strings.ToLower(name)
}

func texts(words []word) []string {
	var out []string
	for _, w := range words {
		out = append(out, w.text)
	}
	return out
}

func newFlagRoot() *flagRoot {
	return &flagRoot{Providers: &flagProviders{ProvidersThrottleDuration: duration(defaultThrottle)}}
}

// parseFlags returns the values of flags by their name, which begins with
// "traefik.". It fails where Traefik prints its help and ends, and where it
// cannot be told what the words are before Nomad has filled them in.
func parseFlags(words []word) (map[string]string, error) {
	args := texts(words)
	for i, w := range words {
		switch before, _, open := strings.Cut(w.text, "${"); {
		case w.text == "--help" || w.text == "-help" || w.text == "-h":
			return nil, fmt.Errorf("the argument %s makes Traefik print its help and end", w.text)
		case open && !strings.Contains(before, "=") && !needsValue(args[:i]):
			return nil, fmt.Errorf("the argument %q has a part that only Nomad can fill in, and it could be any setting", w.text)
		}
	}
	var values map[string]string
	err := guard(func() (err error) {
		values, err = flag.Parse(args, newFlagRoot())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s (Traefik would not start with these arguments)", oneLine(err))
	}
	return values, nil
}

// needsValue reports whether the last word is a flag whose value is the next.
func needsValue(args []string) bool {
	err := guard(func() error {
		_, err := flag.Parse(args, newFlagRoot())
		return err
	})
	return err != nil && strings.Contains(err.Error(), "needs an argument")
}

// configFile is the file that the flags name, empty for none. Only two
// spellings count (pkg/cli/loader_file.go, v3.6.12).
func configFile(values map[string]string) string {
	if name, ok := values["traefik.configFile"]; ok {
		return strings.TrimSpace(name)
	}
	return strings.TrimSpace(values["traefik.configfile"])
}

// settingsFromFlags decodes the values of flags.
func settingsFromFlags(source string, values map[string]string) (model.ProxySettings, error) {
	known, err := withoutExpressions(values, "the argument --")
	if err != nil {
		return model.ProxySettings{}, err
	}
	root := newFlagRoot()
	if err := decodeFlags(known, root); err != nil {
		return model.ProxySettings{}, explainFlags(known, "--", err)
	}
	return root.settings(source)
}

// settings are those that flags or variables give.
func (r *flagRoot) settings(source string) (model.ProxySettings, error) {
	return settings(source, time.Duration(r.Providers.ProvidersThrottleDuration), r.Providers.ConsulCatalog, timeoutsFromFlags(r))
}

func decodeFlags(values map[string]string, root *flagRoot) error {
	return guard(func() error { return parser.Decode(values, root, parser.DefaultRootName) })
}

// withoutExpressions replaces values that only Nomad can fill in by one that
// any type takes, and refuses them where they bear on the settings.
func withoutExpressions(values map[string]string, what string) (map[string]string, error) {
	out := maps.Clone(values)
	for _, key := range sortedKeys(values) {
		if !strings.Contains(values[key], "${") {
			continue
		}
		if name := strings.TrimPrefix(key, "traefik."); bears(strings.ToLower(name)) {
			return nil, fmt.Errorf("%s%s is %q, which only Nomad can fill in", what, name, values[key])
		}
		out[key] = "true"
	}
	return out, nil
}

// explainFlags finds the flag that the decoder stumbled over, by decoding each
// alone.
func explainFlags(values map[string]string, before string, cause error) error {
	for _, key := range sortedKeys(values) {
		if err := decodeFlags(map[string]string{key: values[key]}, newFlagRoot()); err != nil {
			return fmt.Errorf("%s%s=%s: %s (Traefik would not start: correct it)", before, strings.TrimPrefix(key, "traefik."), values[key], oneLine(err))
		}
	}
	return fmt.Errorf("%s (Traefik would not start with this)", oneLine(cause))
}

// flagPlaces are the places of the settings that flags say. A value that is a
// word of its own is not part of the place.
func flagPlaces(words []word) Places {
	out := Places{}
	for _, w := range words {
		name := w.flagName()
		if name == "" {
			continue
		}
		// Of several the last one counts, but for lists.
		out[name] = Place{Path: w.at}
	}
	return out
}

// variable is one of a task's environment, with its place in the job.
type variable struct {
	name, value string
	place       Place
}

// catalogVariables keeps those that Traefik takes for settings: it looks at
// the names of roots only, in upper case.
func catalogVariables(all []variable) []variable {
	var out []variable
	for _, v := range all {
		if len(env.FindPrefixedEnvVars([]string{v.name + "="}, env.DefaultNamePrefix, newFlagRoot())) > 0 {
			out = append(out, v)
		}
	}
	return out
}

// settingsFromEnv decodes variables.
func settingsFromEnv(source string, vars []variable) (model.ProxySettings, Places, error) {
	values, places := map[string]string{}, Places{"": vars[0].place}
	for _, v := range vars {
		key := strings.ReplaceAll(strings.ToLower(v.name), "_", ".")
		values[key] = v.value
		places[strings.TrimPrefix(key, "traefik.")] = v.place
	}
	known, err := withoutExpressions(values, "the variable for ")
	if err != nil {
		return model.ProxySettings{}, places, err
	}
	root := newFlagRoot()
	if err := decodeFlags(known, root); err != nil {
		return model.ProxySettings{}, places, explainFlags(known, "the variable for ", err)
	}
	out, err := root.settings(source)
	return out, places, err
}

// variablesIn reads the file of a template with env = true. Nomad's own reader
// takes lines of the form name=value, and leaves out comments.
func variablesIn(t model.Template, at model.Path) ([]variable, error) {
	r, err := render(t, false)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", t.Destination, err)
	}
	var out []variable
	for i, line := range strings.Split(r.text, "\n") {
		text := strings.TrimSpace(line)
		name, value, ok := strings.Cut(strings.TrimPrefix(text, "export "), "=")
		name = strings.TrimSpace(name)
		switch {
		case text == "" || text[0] == '#':
			continue
		case !ok || strings.Contains(name, unrendered):
			return nil, fmt.Errorf("template %s: line %d makes variables that only Nomad can name", t.Destination, r.source[i])
		case !strings.HasPrefix(name, env.DefaultNamePrefix):
			continue
		}
		if strings.Contains(value, unrendered) || r.unsure[i] {
			value = "${" + path.Base(t.Destination) + "}"
		}
		from := strings.Index(line, text) + 1
		span := r.place(Span{i + 1, from, from + len(text)}, t.Data)
		place := Place{Path: at, Span: span, Text: strings.Split(t.Data, "\n")[span.Line-1]}
		out = append(out, variable{name, strings.Trim(strings.TrimSpace(value), `"'`), place})
	}
	return out, nil
}

// lastOfEach keeps the last variable of each name, sorted by name.
func lastOfEach(all []variable) []variable {
	byName := map[string]variable{}
	for _, v := range all {
		byName[v.name] = v
	}
	var out []variable
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[name])
	}
	return out
}
