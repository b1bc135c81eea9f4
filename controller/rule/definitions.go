package rule

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// Definitions are the routers, services and middlewares that the tags of jobs
// define, for comparison with those of another job: Traefik drops what two
// instances define differently. Its zero value has none.
//
// It keeps neither the jobs nor anything but the tags of what it knows.
type Definitions struct {
	byName map[definitionName][]definition
}

// definitionName is the kind and the name.
type definitionName struct{ kind, name string }

// definition is one of them with what is told about it.
type definition struct {
	content fingerprint
	tags    []string
	path    model.Path
	service string
	job     *spot
}

// spot is a job and where it may run.
type spot struct {
	id, region  string
	datacenters []string
}

// Add takes in what the tags (not the canary_tags) of a job define.
func (d *Definitions) Add(in Input) {
	if d.byName == nil {
		d.byName = map[definitionName][]definition{}
	}
	at := spotOf(in.Job)
	for _, p := range in.tagged() {
		for _, one := range in.sides(p)[0].definitions() {
			add := definition{content: contentOf(one.TagDefinition), path: p.path, service: strings.Clone(p.service.Name), job: at}
			for _, i := range one.Tags {
				add.tags = append(add.tags, strings.Clone(one.at.list[i]))
			}
			d.byName[one.name()] = append(d.byName[one.name()], add)
		}
	}
}

// fingerprint stands for contents, which would take most of the memory of a
// long run.
type fingerprint [16]byte

func contentOf(d model.TagDefinition) fingerprint {
	h := fnv.New128a()
	_, _ = h.Write([]byte(d.Content)) // it never fails
	return fingerprint(h.Sum(nil))
}

func spotOf(j *model.Job) *spot { return &spot{id: j.ID, region: j.Region, datacenters: j.Datacenters} }

// near reports whether both may be behind one Traefik. Two versions of one job
// never are, and a pattern may be any datacenter.
func (s *spot) near(o *spot) bool {
	if s.id == o.id || s.region != o.region {
		return false
	}
	return slices.ContainsFunc(s.datacenters, func(dc string) bool {
		return strings.Contains(dc, "*") || slices.ContainsFunc(o.datacenters, func(other string) bool { return other == dc || strings.Contains(other, "*") })
	})
}
