package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// defined is a definition with where it stands.
type defined struct {
	model.TagDefinition
	at side
}

// differentTags compares each definition with those that will be in the
// catalog at the same time: of the version that runs now, of other services of
// the job, and of the same service's tags where these are canary_tags.
func differentTags(in Input) []Finding {
	var out []Finding
	running, own := runningDefinitions(in.Against), byName{}
	for _, p := range in.tagged() {
		sides := in.sides(p)
		for _, d := range sides[0].definitions() {
			out = append(out, d.conflicts(own, "with service %s of the same job")...)
			if p.overlaps() {
				out = append(out, d.conflicts(running, "with the version that runs now")...)
				out = append(out, d.open()...)
			}
		}
		for _, s := range sides[1:] {
			tags := byName{}
			tags.add(sides[0].definitions())
			for _, d := range s.definitions() {
				out = append(out, d.conflicts(tags, "with the tags, which the other instances have")...)
				out = append(out, d.conflicts(running, "with the version that runs now")...)
			}
		}
		own.add(sides[0].definitions())
	}
	return out
}

// runningDefinitions are those of the version that runs now, none where it is
// not known.
func runningDefinitions(against *Input) byName {
	out := byName{}
	if against == nil {
		return out
	}
	for _, p := range against.tagged() {
		out.add(against.sides(p)[0].definitions())
	}
	return out
}

// byName are definitions by kind and name, in the order of the job.
type byName map[[2]string][]defined

func (b byName) add(definitions []defined) {
	for _, d := range definitions {
		b[[2]string{d.Kind, d.Name}] = append(b[[2]string{d.Kind, d.Name}], d)
	}
}

func (s side) definitions() []defined {
	var out []defined
	for _, d := range s.reading.Definitions {
		out = append(out, defined{TagDefinition: d, at: s})
	}
	return out
}

// overlaps reports whether instances of two versions of the group are in the
// catalog together. Without canaries, and with max_parallel for all of them,
// the old ones are gone first.
func (p place) overlaps() bool {
	u := p.group.Update
	return u.Canary > 0 || (u.MaxParallel > 0 && u.MaxParallel < p.group.Count)
}

// conflicts are the definitions of the same name with other contents. Whose
// says where those are, with their service's name if it has a place for it.
func (d defined) conflicts(others byName, whose string) []Finding {
	var out []Finding
	for _, o := range others[[2]string{d.Kind, d.Name}] {
		if o.Content != d.Content {
			out = append(out, d.conflict(o, strings.ReplaceAll(whose, "%s", fmt.Sprintf("%q", o.at.service.Name))))
		}
	}
	return out
}

func (d defined) conflict(o defined, whose string) Finding {
	here, there := d.only(o), o.only(d)
	f := Finding{Path: d.at.all()}
	if len(here) > 0 {
		f.Path = d.at.at(here[0])
	} else if len(d.Tags) > 0 {
		f.Path = d.at.at(d.Tags[0])
	}
	f.Message = fmt.Sprintf("%s %q does not agree %s (here %s, there %s): Traefik drops it for all instances while both are there", d.Kind, bare(d.Name), whose, d.at.quote(here), o.at.quote(there))
	return f
}

// only are the places of tags that the other definition has not.
func (d defined) only(o defined) []int {
	var out []int
	for _, i := range d.Tags {
		if !slices.ContainsFunc(o.Tags, func(j int) bool { return o.at.list[j] == d.at.list[i] }) {
			out = append(out, i)
		}
	}
	return out
}

func (s side) quote(tags []int) string {
	if len(tags) == 0 {
		return "what Traefik adds for service " + fmt.Sprintf("%q", s.service.Name)
	}
	var out []string
	for _, i := range tags {
		out = append(out, fmt.Sprintf("%q", s.list[i]))
	}
	return strings.Join(out, ", ")
}

// open says that contents depend on something that may be another thing for
// each instance, in which case any two of them conflict.
func (d defined) open() []Finding {
	if !strings.Contains(d.Content, "${") {
		return nil
	}
	for _, e := range regexp.MustCompile(`\$\{[^}]*\}`).FindAllString(d.Content, -1) {
		if sameForAll(strings.TrimSpace(e[2 : len(e)-1])) {
			continue
		}
		f := Finding{Path: d.at.all(), Severity: Unknown}
		if len(d.Tags) > 0 {
			f.Path = d.at.at(d.Tags[0])
		}
		f.Message = fmt.Sprintf("%s %q depends on %s: if that is not the same for all instances, Traefik drops it", d.Kind, bare(d.Name), inline(e))
		return []Finding{f}
	}
	return nil
}

// sameForAll reports whether an expression stands for the same thing in all
// instances of a group and in all versions of its job.
func sameForAll(name string) bool {
	return slices.Contains([]string{"NOMAD_JOB_ID", "NOMAD_JOB_NAME", "NOMAD_JOB_PARENT_ID", "NOMAD_GROUP_NAME", "NOMAD_TASK_NAME", "NOMAD_NAMESPACE", "NOMAD_REGION"}, name)
}
