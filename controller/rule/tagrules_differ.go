package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// defined is a definition with where it stands.
type defined struct {
	model.TagDefinition
	at side
}

// differentTags compares each definition with those that will be in the
// catalog at the same time: of the version that runs now, of other services of
// the job, of other jobs, and of the same service's tags where these are
// canary_tags.
func differentTags(in Input) []Finding {
	var out []Finding
	running, own := runningDefinitions(in.Against), Definitions{}
	own.Add(in)
	for _, p := range in.tagged() {
		for _, s := range in.sides(p) {
			for _, d := range s.definitions() {
				out = append(out, d.differs(own, running, in)...)
			}
		}
	}
	return out
}

// differs compares with all that will be there at the same time. What the
// canary_tags repeat of the tags was compared with other services already.
func (d defined) differs(own, running Definitions, in Input) []Finding {
	var out []Finding
	s := d.at
	others := d.conflicts(own, "of the same job", func(o definition) bool { return o.path < s.path && !s.canary })
	switch {
	case !s.canary:
		out = append(out, d.beside(in)...)
		if s.overlaps() {
			out = append(out, d.conflicts(running, "with the version that runs now", anyOf)...)
			out = append(out, d.open()...)
		}
	case !d.repeats(own):
		others = d.conflicts(own, "of the same job", func(o definition) bool { return o.path != s.path })
		out = append(out, d.conflicts(own, "with the tags, which the other instances have", func(o definition) bool { return o.path == s.path })...)
		out = append(out, d.conflicts(running, "with the version that runs now", anyOf)...)
	}
	return append(out, others...)
}

func anyOf(definition) bool { return true }

// repeats reports whether the tags of the same service say the same.
func (d defined) repeats(own Definitions) bool {
	return slices.ContainsFunc(own.byName[d.name()], func(o definition) bool { return o.path == d.at.path && o.content == contentOf(d.TagDefinition) })
}

// beside compares with the jobs that were read before this one.
func (d defined) beside(in Input) []Finding {
	// What Nomad fills in, such as the job's name, is another thing for each job.
	if in.Beside == nil || strings.Contains(d.Name, "${") {
		return nil
	}
	for _, o := range in.Beside.byName[d.name()] {
		if o.content == contentOf(d.TagDefinition) || !o.job.near(spotOf(in.Job)) {
			continue
		}
		f := d.conflict(o, fmt.Sprintf("with service %q of job %q", o.service, o.job.id))
		f.Severity = Warning
		f.Message += ", if one Traefik routes both jobs"
		return []Finding{f}
	}
	return nil
}

// runningDefinitions are those of the version that runs now, none where it is
// not known.
func runningDefinitions(against *Input) Definitions {
	out := Definitions{}
	if against != nil {
		out.Add(*against)
	}
	return out
}

func (s side) definitions() []defined {
	var out []defined
	for _, d := range s.reading.Definitions {
		out = append(out, defined{TagDefinition: d, at: s})
	}
	return out
}

// overlaps reports whether the tags of two versions of the group are in the
// catalog together. Without canaries, and with max_parallel for all of them,
// the old ones are gone first, unless placeholders of a park stand for them.
func (p place) overlaps() bool {
	u := p.group.Update
	_, parked, _ := park.Longest(p.job, p.group.Name)
	return parked || u.Canary > 0 || (u.MaxParallel > 0 && u.MaxParallel < p.group.Count)
}

// conflicts are the definitions of the same name with other contents among
// those that count. Whose says where those are.
func (d defined) conflicts(others Definitions, whose string, counts func(definition) bool) []Finding {
	if len(variesIn(d.Name)) > 0 {
		return nil // Each instance has a name of its own.
	}
	var out []Finding
	for _, o := range others.byName[d.name()] {
		if o.content == contentOf(d.TagDefinition) || !counts(o) {
			continue
		}
		with := whose
		if strings.HasPrefix(whose, "of ") {
			with = fmt.Sprintf("with service %q %s", o.service, whose)
		}
		out = append(out, d.conflict(o, with))
	}
	return out
}

func (d defined) name() definitionName { return definitionName{d.Kind, d.Name} }

func (d defined) conflict(o definition, whose string) Finding {
	here := d.only(o)
	f := Finding{Path: d.at.all()}
	if len(here) > 0 {
		f.Path = d.at.at(here[0])
	} else if len(d.Tags) > 0 {
		f.Path = d.at.at(d.Tags[0])
	}
	var texts []string
	for _, i := range here {
		texts = append(texts, d.at.list[i])
	}
	there := slices.DeleteFunc(slices.Clone(o.tags), func(tag string) bool {
		return slices.ContainsFunc(d.Tags, func(i int) bool { return d.at.list[i] == tag })
	})
	f.Message = fmt.Sprintf("%s %q does not agree %s (here %s, there %s): Traefik drops it for all instances while both are there",
		d.Kind, bare(d.Name), whose, quoteTags(texts, d.at.service.Name), quoteTags(there, o.service))
	return f
}

// only are the places of tags that the other definition has not.
func (d defined) only(o definition) []int {
	return slices.DeleteFunc(slices.Clone(d.Tags), func(i int) bool { return slices.Contains(o.tags, d.at.list[i]) })
}

func quoteTags(tags []string, service string) string {
	if len(tags) == 0 {
		return fmt.Sprintf("what Traefik adds for service %q", service)
	}
	var out []string
	for _, tag := range tags {
		out = append(out, strconv.Quote(tag))
	}
	return strings.Join(out, ", ")
}

// open says that contents depend on something that may be another thing for
// each instance, in which case any two of them conflict.
func (d defined) open() []Finding {
	if len(variesIn(d.Name)) > 0 {
		return nil // Each instance has a name of its own.
	}
	varies := variesIn(d.Content)
	if len(varies) == 0 {
		return nil
	}
	f := Finding{Path: d.at.all(), Severity: Unknown}
	if len(d.Tags) > 0 {
		f.Path = d.at.at(d.Tags[0])
	}
	f.Message = fmt.Sprintf("%s %q depends on %s: if that is not the same for all instances, Traefik drops it", d.Kind, bare(d.Name), inline(varies[0]))
	return []Finding{f}
}

// variesIn are the expressions in a text that may stand for another thing in
// each instance.
func variesIn(text string) []string {
	if !strings.Contains(text, "${") {
		return nil
	}
	return slices.DeleteFunc(regexp.MustCompile(`\$\{[^}]*\}`).FindAllString(text, -1), func(e string) bool {
		return sameForAll(strings.TrimSpace(e[2 : len(e)-1]))
	})
}

// sameForAll reports whether an expression stands for the same thing in all
// instances of a group and in all versions of its job.
func sameForAll(name string) bool {
	return slices.Contains([]string{"NOMAD_JOB_ID", "NOMAD_JOB_NAME", "NOMAD_JOB_PARENT_ID", "NOMAD_GROUP_NAME", "NOMAD_TASK_NAME", "NOMAD_NAMESPACE", "NOMAD_REGION"}, name)
}
