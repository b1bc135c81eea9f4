package lint

import (
	"bytes"
	"encoding/json"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/jobspecs"
)

// inPlace are the groups of which nothing differs between the running version
// and this one but what running allocations take over without a restart
// (Nomad v1.11.3, scheduler/util.go, tasksUpdated). One that is not in it may
// still be: a server fills in what a file leaves out.
func inPlace(now, next *jobspecs.File) map[string]bool {
	before := map[string][]byte{}
	for _, g := range now.Spec.TaskGroups {
		before[name(g)] = lasting(now.Spec, g)
	}
	out := map[string]bool{}
	for _, g := range next.Spec.TaskGroups {
		if was := before[name(g)]; was != nil && bytes.Equal(was, lasting(next.Spec, g)) {
			out[name(g)] = true
		}
	}
	return out
}

func name(g *nomadapi.TaskGroup) string {
	if g.Name == nil {
		return ""
	}
	return *g.Name
}

// lasting is what makes Nomad replace the allocations of a group when it
// changes, and more, as text; nil where it has none.
func lasting(j *nomadapi.Job, g *nomadapi.TaskGroup) []byte {
	group := *g
	group.ShutdownDelay, group.Services, group.Update, group.Count, group.Scaling = nil, nil, nil, nil, nil
	group.RestartPolicy, group.ReschedulePolicy, group.Migrate = nil, nil, nil
	group.Tasks = nil
	for _, t := range g.Tasks {
		task := *t
		task.ShutdownDelay, task.Services, task.KillTimeout, task.KillSignal, task.RestartPolicy = 0, nil, nil, "", nil
		group.Tasks = append(group.Tasks, &task)
	}
	// A service with connect changes the tasks that Nomad adds to the group.
	for _, s := range g.Services {
		if s.Connect != nil {
			return nil
		}
	}
	text, err := json.Marshal([]any{j.Meta, j.Type, j.Region, j.Namespace, j.Datacenters, j.NodePool, j.Constraints, group})
	if err != nil {
		return nil
	}
	return text
}
