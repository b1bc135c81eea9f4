package traefik

import (
	"regexp"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// expressions finds what Nomad fills in on the node, such as ${NOMAD_JOB_ID}.
func expressions() *regexp.Regexp { return regexp.MustCompile(`\$\{[^}]*\}`) }

// filler fills in what a job itself says of the expressions in its tags, and
// leaves the rest as it is written.
type filler struct {
	find   *regexp.Regexp
	values map[string]string
}

// newFiller knows the names that are the same for all instances and the meta
// keys; task is nil for a service of a group, whose tags Nomad fills in without
// any task (Nomad v1.11.3, client/allocrunner/groupservice_hook.go).
func newFiller(find *regexp.Regexp, job *model.Job, group *model.Group, task *model.Task) filler {
	f := filler{find: find, values: map[string]string{"NOMAD_JOB_ID": job.ID, "NOMAD_GROUP_NAME": group.Name}}
	metas := []map[string]string{job.Meta, group.Meta}
	if task != nil {
		f.values["NOMAD_TASK_NAME"] = task.Name
		metas = append(metas, task.Meta)
	}
	for _, meta := range metas {
		for k, v := range meta {
			f.values["NOMAD_META_"+k], f.values["NOMAD_META_"+strings.ToUpper(k)] = v, v
		}
	}
	for k, v := range f.values {
		if v == "" || strings.Contains(v, "${") {
			delete(f.values, k)
		}
	}
	return f
}

func (f filler) fillAll(tags []string) []string {
	out := make([]string, 0, len(tags))
	for _, t := range tags {
		out = append(out, f.fill(t))
	}
	return out
}

// fill also takes the dots out of the expressions that are left in the key,
// where a dot would part it.
func (f filler) fill(tag string) string {
	if !strings.Contains(tag, "${") {
		return tag
	}
	filled := f.value(tag)
	key, value, ok := strings.Cut(filled, "=")
	if !ok {
		return filled
	}
	key = f.find.ReplaceAllStringFunc(key, func(e string) string { return strings.ReplaceAll(e, ".", "_") })
	return key + "=" + value
}

// value fills in what is known in any text.
func (f filler) value(text string) string {
	return f.find.ReplaceAllStringFunc(text, func(e string) string {
		if v, ok := f.values[strings.TrimSpace(e[2:len(e)-1])]; ok {
			return v
		}
		return e
	})
}

// unreadable says which of the tags decides what Traefik does and cannot be
// read before Nomad has filled it in, empty where there is none.
func unreadable(s model.ProxySettings, tags []string) string {
	for _, tag := range tags {
		before, rest, open := strings.Cut(tag, "${")
		switch {
		case !open:
			continue
		case s.Constraints != "":
			return tag
		case strings.HasPrefix(before, s.Prefix):
			if !strings.Contains(tag, "=") {
				return tag
			}
		case strings.HasPrefix(s.Prefix, before) && !ofTheNode(rest):
			return tag
		}
	}
	return ""
}

// ofTheNode reports whether an expression stands for something that cannot
// begin like a tag of Traefik: an ID, a name, a port or an address.
func ofTheNode(expression string) bool {
	e := strings.TrimSpace(expression)
	return strings.HasPrefix(e, "attr.") || strings.HasPrefix(e, "node.") ||
		(strings.HasPrefix(e, "NOMAD_") && !strings.HasPrefix(e, "NOMAD_META_"))
}
