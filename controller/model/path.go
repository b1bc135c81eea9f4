package model

import (
	"strconv"
	"strings"
)

// Path addresses one thing in a job specification the way its author thinks of
// it: by block type, label, place among blocks of the same type, and attribute.
//
//	job.meta["draingate_mode"]
//	group["web"].update.canary
//	group["web"].service[0].tags[2]
//	group["web"].service[0].check[1].interval
//	group["web"].task["server"].kill_timeout
//	group["web"].network[0].port["http"].static
//
// The names of blocks and attributes are those of Nomad's HCL, also for a job
// that was written in JSON; places count from 0 in the order of the model.
// A path says where to look and not that something is there: whoever knows the
// source finds the nearest enclosing thing that is.
type Path string

// JobPath is the job itself.
const JobPath Path = "job"

// GroupPath is the task group with the name.
func GroupPath(name string) Path { return Path("group").Key(name) }

// Child is an attribute, or a block of which there is one at most.
func (p Path) Child(name string) Path { return p + "." + Path(name) }

// Key is the entry of a map, or the block with the label.
func (p Path) Key(key string) Path { return p + Path("["+strconv.Quote(key)+"]") }

// Index is an element of a list, or one of several blocks without a label.
func (p Path) Index(i int) Path { return p + Path("["+strconv.Itoa(i)+"]") }

// Meta is a key of the meta block.
func (p Path) Meta(key string) Path { return p.Child("meta").Key(key) }

// Update is an attribute of the update block.
func (p Path) Update(attribute string) Path { return p.Child("update").Child(attribute) }

// Task is the task of a group with the name.
func (p Path) Task(name string) Path { return p.Child("task").Key(name) }

// Service is a service block of a group or of a task.
func (p Path) Service(i int) Path { return p.Child("service").Index(i) }

// Tag is one of a service's tags.
func (p Path) Tag(i int) Path { return p.Child("tags").Index(i) }

// CanaryTag is one of a service's canary_tags.
func (p Path) CanaryTag(i int) Path { return p.Child("canary_tags").Index(i) }

// Check is a check block of a service.
func (p Path) Check(i int) Path { return p.Child("check").Index(i) }

// Volume is the volume block of a group with the name.
func (p Path) Volume(name string) Path { return p.Child("volume").Key(name) }

// Network is a network block of a group.
func (p Path) Network(i int) Path { return p.Child("network").Index(i) }

// Port is the port block of a network with the label.
func (p Path) Port(label string) Path { return p.Child("port").Key(label) }

// Template is a template block of a task.
func (p Path) Template(i int) Path { return p.Child("template").Index(i) }

// Parent is what the path is part of: the map or block type for an element,
// the block for an attribute, the job for a group, and nothing for the job.
func (p Path) Parent() Path {
	last := 0
	for at := 0; at < len(p); at += stepLength(string(p[at:])) {
		last = at
	}
	switch {
	case p == JobPath || p == "":
		return ""
	case last == 0 || p[:last] == "group":
		return JobPath
	default:
		return p[:last]
	}
}

// Name is the attribute, the key or the label that the path ends in; empty for
// an element of a list.
func (p Path) Name() string {
	last := ""
	for at := 0; at < len(p); at += stepLength(string(p[at:])) {
		last = string(p[at : at+stepLength(string(p[at:]))])
	}
	if inner, ok := strings.CutPrefix(last, "["); ok {
		key, err := strconv.Unquote(strings.TrimSuffix(inner, "]"))
		if err != nil {
			return ""
		}
		return key
	}
	return strings.TrimPrefix(last, ".")
}

// stepLength is the length of the first step of a path: a name with the dot
// before it, or brackets with what is in them.
func stepLength(p string) int {
	if quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(p, "[")); err == nil && p[0] == '[' {
		return min(len(p), len("[")+len(quoted)+len("]"))
	}
	if end := strings.IndexAny(p[1:], ".["); end >= 0 {
		return 1 + end
	}
	return len(p)
}
