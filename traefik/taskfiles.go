package traefik

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// The folders of a task, as its program sees them in a container or a chroot.
const (
	taskLocal   = "/local"
	taskSecrets = "/secrets"
	taskShared  = "/alloc"
)

// taskFiles is what a job says of the files that a task's program can see. All
// paths are those of a task with the root for its own folder.
type taskFiles struct {
	task *model.Task
	// byPath are the places of templates by the file that each writes.
	byPath map[string]int
	// isolated is true where nothing but the three folders and the mounts is the
	// job's: in a container, whose other files are those of its image.
	isolated bool
}

func newTaskFiles(task *model.Task) taskFiles {
	f := taskFiles{task: task, byPath: map[string]int{}, isolated: inContainer(task)}
	for i, t := range task.Templates {
		f.byPath[taskPath(t.Destination)] = i
	}
	return f
}

func inContainer(task *model.Task) bool { return task.Driver == "docker" || task.Driver == "podman" }

// taskPath is where something with a path below the task's folder is seen.
func taskPath(p string) string { return path.Clean("/" + withoutFolders(p)) }

// withoutFolders replaces what stands for the task's folders.
func withoutFolders(p string) string {
	return strings.NewReplacer(
		"${NOMAD_TASK_DIR}", taskLocal, "${NOMAD_SECRETS_DIR}", taskSecrets, "${NOMAD_ALLOC_DIR}", taskShared,
		"$NOMAD_TASK_DIR", taskLocal, "$NOMAD_SECRETS_DIR", taskSecrets, "$NOMAD_ALLOC_DIR", taskShared,
	).Replace(p)
}

// expand expands variables as Traefik does in the name of a file.
func (f taskFiles) expand(name string) (string, error) {
	name = withoutFolders(name)
	var unknown string
	out := regexp.MustCompile(`\$(\w+|\{[^}]*\})`).ReplaceAllStringFunc(name, func(v string) string {
		value, ok := f.task.Env[strings.Trim(v, "${}")]
		if !ok || strings.Contains(value, "${") {
			unknown = v
		}
		return value
	})
	if unknown != "" {
		return "", fmt.Errorf("the configuration file %q has %s in it, which only Nomad can fill in", name, unknown)
	}
	return out, nil
}

// absolute is the path that a name stands for in the working directory.
func (f taskFiles) absolute(name string) string {
	if strings.HasPrefix(name, "/") {
		return path.Clean(name)
	}
	return path.Join("/", withoutFolders(f.task.Program.WorkDir), name)
}

// find returns the place of the template that writes a file, -1 where there is
// no such file. The error says why that cannot be told.
func (f taskFiles) find(name string) (int, error) {
	seen := f.absolute(name)
	where := seen
	if m, ok := f.mountOf(seen); ok {
		if strings.HasPrefix(m.Source, "/") {
			return -1, fmt.Errorf("%s comes from %s on the node, which the job does not show: give it with --traefik-config", seen, m.Source)
		}
		where = path.Join(taskPath(m.Source), strings.TrimPrefix(seen, path.Clean(m.Target)))
		if _, there := f.byPath[where]; !there && seen == path.Clean(m.Target) {
			return -1, fmt.Errorf("%s is %s of the task, which no template of it writes", seen, where)
		}
	} else if f.isolated && !below(seen, taskLocal) && !below(seen, taskSecrets) && !below(seen, taskShared) {
		return -1, nil
	}
	if i, there := f.byPath[where]; there {
		return i, nil
	}
	fetched := func(to string) bool { return below(where, taskPath(to)) }
	if below(where, taskShared) || slices.ContainsFunc(f.task.Artifacts, fetched) {
		return -1, fmt.Errorf("whether there is a %s, and what is in it, is not in the job", seen)
	}
	return -1, nil
}

// mountOf is the mount that a path is seen through: the one that is nearest.
func (f taskFiles) mountOf(seen string) (model.Mount, bool) {
	var best model.Mount
	found := false
	consider := func(m model.Mount) {
		target := path.Clean("/" + withoutFolders(m.Target))
		if below(seen, target) && (!found || len(target) >= len(best.Target)) {
			best, found = model.Mount{Source: m.Source, Target: target}, true
		}
	}
	for _, m := range f.task.Program.Mounts {
		consider(m)
	}
	for _, m := range f.task.VolumeMounts {
		consider(model.Mount{Source: "/volume/" + m.Volume, Target: m.Destination})
	}
	return best, found
}

// below reports whether a path is a folder or in it.
func below(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
}

// defaultFiles are where Traefik looks for a configuration file, in its order
// (pkg/cli/loader_file.go, v3.6.12).
func (f taskFiles) defaultFiles() []string {
	home, ok := f.task.Env["HOME"]
	if !ok {
		home = "/root"
	}
	var out []string
	for _, base := range []string{"/etc/traefik/traefik", f.task.Env["XDG_CONFIG_HOME"] + "/traefik", home + "/.config/traefik", "traefik"} {
		for _, ext := range []string{".toml", ".yaml", ".yml"} {
			out = append(out, withoutFolders(base)+ext)
		}
	}
	return out
}
