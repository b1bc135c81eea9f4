package traefik

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// JobSettings are the settings of a Traefik that Nomad runs.
type JobSettings struct {
	model.ProxySettings
	// Doubt, where not empty, is a sentence about a file that the job does not
	// show and that would count before what it does.
	Doubt string
	// Places are where in the job the settings are said.
	Places Places
}

// SettingsFromJob reads the settings from a job that runs Traefik, in
// Traefik's own order, in which the first source that has anything is the only
// one: a configuration file, which here is a template of the task, else the
// arguments, else the environment (cmd/traefik/traefik.go and pkg/cli, v3.6.12).
// Of several groups the one with that name is meant; empty means any.
//
// The error says what cannot be told from the job, which need not be a mistake
// in it, or with what Traefik would not start. With ErrRefreshInterval the
// settings are there as they are for ParseStatic.
func SettingsFromJob(job *model.Job, group string) (JobSettings, error) {
	t, err := findTraefik(job, group)
	if err != nil {
		return JobSettings{}, flat{fmt.Errorf("job %q: %w", job.ID, err)}
	}
	out, err := t.settings()
	out.Source = fmt.Sprintf("job %q", job.ID)
	if err != nil {
		err = flat{fmt.Errorf("job %q, task %q: %w", job.ID, t.task.Name, err)}
	}
	if err != nil && !errors.Is(err, ErrRefreshInterval) {
		return JobSettings{}, err
	}
	return out, err
}

// flat is an error on one line: names of variables and words of a command line
// may have any character in them.
type flat struct{ error }

func (f flat) Error() string { return oneLine(f.error) }

func (f flat) Unwrap() error { return f.error }

// traefikTask is the task of a job that runs Traefik.
type traefikTask struct {
	task *model.Task
	at   model.Path
	fill filler
	// named is true where the image or the command is called Traefik.
	named, exactly bool
}

// findTraefik finds the one task that runs Traefik. One whose image or command
// is called just that counts before one with a longer name, such as an
// authentication service for it, and that before one with flags of Traefik.
func findTraefik(job *model.Job, group string) (traefikTask, error) {
	var all, named, exactly []traefikTask
	find := expressions()
	for g := range job.Groups {
		of := &job.Groups[g]
		if group != "" && of.Name != group {
			continue
		}
		for i := range of.Tasks {
			t := traefikTask{task: &of.Tasks[i], at: model.GroupPath(of.Name).Task(of.Tasks[i].Name)}
			t.fill = newFiller(find, job, of, t.task)
			t.named, t.exactly = t.names()
			switch {
			case t.exactly:
				exactly = append(exactly, t)
			case t.named:
				named = append(named, t)
			case t.hasFlags():
				all = append(all, t)
			}
		}
	}
	for _, found := range [][]traefikTask{exactly, named, all} {
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return traefikTask{}, fmt.Errorf("%s and %s both seem to run Traefik: give the configuration file of the one that is meant with --traefik-config", found[0].at, found[1].at)
		}
	}
	return traefikTask{}, errors.New("no task runs Traefik: none has an image or a command of that name, or flags such as --providers.consulcatalog")
}

// names looks at the last part of the image and of the command.
func (t traefikTask) names() (named, exactly bool) {
	p := t.task.Program
	for _, name := range append([]string{imageName(p.Image), path.Base(p.Command)}, p.Entrypoint...) {
		name = strings.ToLower(path.Base(name))
		named = named || strings.Contains(name, "traefik")
		exactly = exactly || name == "traefik"
	}
	return named, exactly
}

// imageName is an image without its registry, tag and digest.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name, _, _ := strings.Cut(path.Base(image), ":")
	return name
}

func (t traefikTask) hasFlags() bool {
	return slices.ContainsFunc(t.task.Program.Args, func(arg string) bool {
		name := word{text: arg}.flagName()
		return strings.HasPrefix(name, "providers.") || strings.HasPrefix(name, "entrypoints.") || name == "configfile"
	})
}

// settings follows Traefik's loaders.
func (t traefikTask) settings() (JobSettings, error) {
	words, err := t.words()
	if err != nil {
		return JobSettings{}, err
	}
	values, err := parseFlags(words)
	if err != nil {
		return JobSettings{}, err
	}
	name, i, err := t.file(configFile(values))
	if err != nil {
		return JobSettings{}, err
	}
	if i >= 0 {
		return t.fromFile(name, i, configFile(values) == "")
	}
	out := JobSettings{Doubt: t.doubt()}
	if len(words) > 0 {
		out.Places = flagPlaces(words)
		out.Places[""] = Place{Path: t.at.Child("config").Child("args")}
		out.ProxySettings, err = settingsFromFlags("", values)
		return out, err
	}
	vars, err := t.variables()
	if err != nil {
		return JobSettings{}, err
	}
	if len(vars) > 0 {
		out.ProxySettings, out.Places, err = settingsFromEnv("", vars)
		return out, err
	}
	out.ProxySettings, err = newFlagRoot().settings("")
	return out, err
}

// file is the configuration file that Traefik will find, and the place of the
// template that writes it, -1 where it finds none. A file that is named and not
// there does not stop Traefik: it looks at the default places next, so that a
// file which the job does not show must not be passed over.
func (t traefikTask) file(named string) (name string, template int, err error) {
	files := newTaskFiles(t.task)
	if named != "" {
		if named, err = files.expand(named); err != nil {
			return "", -1, err
		}
		i, err := files.find(named)
		if err == nil && i < 0 {
			err = fmt.Errorf("no template of the task writes its configuration file %s: give that file with --traefik-config", named)
		}
		return named, i, err
	}
	for _, name := range files.defaultFiles() {
		if i, err := files.find(name); i >= 0 || err != nil {
			return name, i, err
		}
	}
	return "", -1, nil
}

// fromFile reads the template that writes the configuration file.
func (t traefikTask) fromFile(name string, i int, byDefault bool) (JobSettings, error) {
	tmpl := t.task.Templates[i]
	if tmpl.Source != "" {
		return JobSettings{}, fmt.Errorf("its configuration file %s is rendered from %s, which the job does not show: give the file with --traefik-config", name, tmpl.Source)
	}
	var out JobSettings
	var err error
	out.ProxySettings, out.Places, err = parseTemplate(path.Base(name), tmpl)
	at, lines := t.at.Template(i).Child("data"), strings.Split(tmpl.Data, "\n")
	for key, place := range out.Places {
		if place.Path = at; place.Span.Line > 0 {
			place.Text = lines[place.Span.Line-1]
		}
		out.Places[key] = place
	}
	if out.Places != nil {
		out.Places[""] = Place{Path: at}
	}
	if byDefault {
		out.Doubt = t.doubt()
	}
	return out, err
}

// doubt names what may have a configuration file of its own in a default place.
func (t traefikTask) doubt() string {
	switch {
	case inContainer(t.task) && imageName(t.task.Program.Image) != "traefik":
		return fmt.Sprintf("task %q: if the image %s has a configuration file at /etc/traefik, it counts and not what the job says: give it with --traefik-config",
			t.task.Name, t.task.Program.Image)
	case !inContainer(t.task):
		return fmt.Sprintf("task %q: if the node has a configuration file at /etc/traefik, it counts and not what the job says: name one that the job writes with --configFile",
			t.task.Name)
	default:
		return ""
	}
}

// variables are those of the task that Traefik takes for settings. Those of a
// template count before those of env (client/taskenv/env.go, v1.11.3).
func (t traefikTask) variables() ([]variable, error) {
	var all []variable
	for _, name := range sortedKeys(t.task.Env) {
		all = append(all, variable{name, t.fill.value(t.task.Env[name]), Place{Path: t.at.Child("env").Key(name)}})
	}
	for i, tmpl := range t.task.Templates {
		if !tmpl.Env {
			continue
		}
		if tmpl.Source != "" {
			return nil, fmt.Errorf("template %s makes variables from %s, which the job does not show", tmpl.Destination, tmpl.Source)
		}
		vars, err := variablesIn(tmpl, t.at.Template(i).Child("data"))
		if err != nil {
			return nil, err
		}
		all = append(all, vars...)
	}
	return catalogVariables(lastOfEach(all)), nil
}
