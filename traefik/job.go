package traefik

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// ReadJob says what a proxy of the version (empty for TagsVersion) with these
// settings would make of the tags and canary_tags of each service of a job, by
// the service's path. The keys of newer versions are known up to
// NewestVersion.
//
// It is ReadCatalog for instances that there are not yet, so their addresses
// are made up: HostPort says nothing. The reading of Canary is that of a canary
// beside instances with the tags. Expressions in tags that only Nomad can fill
// in stay as they are in names and contents, with underscores for the dots in
// names; where one decides more than that, the reading is unknown. Of other
// jobs with the same service nothing is known.
func ReadJob(s model.ProxySettings, version string, job model.Job) map[model.Path]model.ServiceTags {
	r := jobReader{settings: s, version: cmp.Or(version, TagsVersion)}
	byName := make(map[string][]jobService)
	for _, svc := range jobServices(&job) {
		byName[svc.stable.reg.ServiceName] = append(byName[svc.stable.reg.ServiceName], svc)
	}
	out := make(map[model.Path]model.ServiceTags)
	for _, services := range byName {
		r.readServices(services, out)
	}
	return out
}

// instance is one that a job's service would register.
type instance struct {
	reg model.Registration
	// written are the tags as they stand in the job.
	written []string
}

type jobService struct {
	path   model.Path
	stable instance
	// canary is nil where the service has no canary_tags.
	canary *instance
}

// jobServices are the services of the job in its order.
func jobServices(job *model.Job) []jobService {
	var out []jobService
	find := expressions()
	add := func(path model.Path, s model.Service, fill filler) {
		out = append(out, newJobService(path, s, fill, len(out)+1))
	}
	for g := range job.Groups {
		group := &job.Groups[g]
		at := model.GroupPath(group.Name)
		for i, s := range group.Services {
			add(at.Service(i), s, newFiller(find, job, group, nil))
		}
		for t := range group.Tasks {
			task := &group.Tasks[t]
			for i, s := range task.Services {
				add(at.Task(task.Name).Service(i), s, newFiller(find, job, group, task))
			}
		}
	}
	return out
}

func newJobService(path model.Path, s model.Service, fill filler, n int) jobService {
	name := fill.fill(s.Name)
	newInstance := func(tags []string, canary string) instance {
		return instance{written: tags, reg: model.Registration{
			ServiceID:   string(path) + canary,
			ServiceName: name,
			// A name under .invalid is nobody's (RFC 2606).
			Address: fmt.Sprintf("instance-%d%s.invalid", n, canary),
			Port:    n,
			Tags:    fill.fillAll(tags),
		}}
	}
	out := jobService{path: path, stable: newInstance(s.Tags, "")}
	if len(s.CanaryTags) > 0 {
		canary := newInstance(s.CanaryTags, "-canary")
		out.canary = &canary
	}
	return out
}

type jobReader struct {
	settings model.ProxySettings
	version  string
}

// readServices reads all services of a job that have one name in Consul.
func (r jobReader) readServices(services []jobService, out map[model.Path]model.ServiceTags) {
	var stable, all []model.Registration
	for _, s := range services {
		stable = append(stable, s.stable.reg)
	}
	all = slices.Clone(stable)
	for _, s := range services {
		if s.canary != nil {
			all = append(all, s.canary.reg)
		}
	}
	for _, s := range services {
		tags := model.ServiceTags{Stable: r.read(s.stable, stable)}
		tags.Canary = tags.Stable
		if s.canary != nil {
			tags.Canary = r.read(*s.canary, all)
		}
		out[s.path] = tags
	}
}

// read reads one instance among all instances of its service.
func (r jobReader) read(i instance, among []model.Registration) model.TagReading {
	own := r.readOwn(i)
	if own.Err != "" || own.Unknown != "" {
		return own
	}
	outer, stop := admitService(r.settings, among)
	if !stop {
		return own
	}
	outer = i.soften(outer)
	outer.Problems, outer.Enable = nil, own.Enable
	return outer
}

func (r jobReader) readOwn(i instance) model.TagReading {
	if tag := unreadable(r.settings, i.reg.Tags); tag != "" {
		return model.TagReading{Unknown: notFilled(tag)}
	}
	if major(r.version) != major(TagsVersion) {
		return model.TagReading{Unknown: fmt.Sprintf("tags are read as Traefik %d reads them, and this is %s", major(TagsVersion), r.version)}
	}
	labels := labelsOf(i.reg.Tags, r.settings.Prefix)
	extra, early := r.apart(labels)
	early = append(early, r.checkNewer(extra)...)
	decoded := maps.Clone(labels)
	maps.DeleteFunc(decoded, func(key string, _ label) bool { _, is := extra[key]; return is })
	out, conf := readLabels(r.settings, i.reg, decoded)
	switch {
	case len(early) > 0 && (out.Exposed || out.Err != ""):
		out.Problems = append(out.Problems, early...)
		sortProblems(out.Problems)
		out = model.TagReading{Err: refusedBy(out.Problems), Problems: out.Problems, Enable: out.Enable}
	case out.Exposed:
		out.Definitions = conf.definitions(Normalize(i.reg.ServiceName), i.reg.ServiceName, labels, extra)
	}
	return r.believe(i.soften(i.asWritten(out)))
}

// checkNewer finds those among the keys of newer versions that Traefik takes and
// whose values or further steps it refuses.
func (r jobReader) checkNewer(extra map[string]label) []model.TagProblem {
	taken := maps.Clone(extra)
	maps.DeleteFunc(taken, func(key string, _ label) bool { return olderThan(r.version, since(key)) })
	if len(taken) == 0 {
		return nil
	}
	_, err := decodeLabels(taken, func() *newerConfig { return &newerConfig{} }, "traefik.http")
	if err == nil {
		return nil
	}
	problems := refuse(err).Problems
	for i := range problems {
		problems[i].Since, problems[i].Near = "", ""
	}
	return problems
}

// apart finds the labels that the schema does not have to decode: the keys of
// newer versions than the schema's, and of these the ones that are also too new
// for the Traefik in question.
func (r jobReader) apart(labels map[string]label) (extra map[string]label, early []model.TagProblem) {
	extra = make(map[string]label)
	for key, l := range labels {
		first := since(key)
		tooNew := first != "" && olderThan(r.version, first)
		if tooNew || olderThan(TagsVersion, first) {
			extra[key] = l
		}
		if tooNew {
			early = append(early, model.TagProblem{Index: l.index, Tag: l.tag, Since: first,
				Message: fmt.Sprintf("Traefik takes it from %s on, and this is %s", first, r.version)})
		}
	}
	return extra, early
}

func refusedBy(problems []model.TagProblem) string {
	return fmt.Sprintf("tag %q: %s", problems[0].Tag, problems[0].Message)
}

// believe takes back an error about a key that a Traefik newer than all that
// are known may well take.
func (r jobReader) believe(out model.TagReading) model.TagReading {
	known := func(p model.TagProblem) bool { return !unknownField(p.Message) }
	if !minorAfter(r.version, NewestVersion) || len(out.Problems) == 0 || slices.ContainsFunc(out.Problems, known) {
		return out
	}
	return model.TagReading{Unknown: fmt.Sprintf("tag %q has a key that Traefik %s did not know, and %s may", out.Problems[0].Tag, NewestVersion, r.version)}
}

// asWritten puts the tags back in as the job has them.
func (i instance) asWritten(out model.TagReading) model.TagReading {
	for n, p := range out.Problems {
		out.Problems[n].Tag = i.written[p.Index]
	}
	if out.Enable != nil {
		out.Enable.Tag = i.written[out.Enable.Index]
	}
	return out
}

// soften makes an error unknown that may go away once Nomad has filled in the
// expressions that are left.
func (i instance) soften(out model.TagReading) model.TagReading {
	if out.Err == "" {
		return out
	}
	sure := slices.ContainsFunc(out.Problems, func(p model.TagProblem) bool { return !strings.Contains(i.tagOf(p), "${") })
	if sure {
		out.Problems = slices.DeleteFunc(out.Problems, func(p model.TagProblem) bool { return strings.Contains(i.tagOf(p), "${") })
		out.Err = refusedBy(out.Problems)
		return out
	}
	if len(out.Problems) > 0 {
		return model.TagReading{Unknown: notFilled(out.Problems[0].Tag)}
	}
	for _, tag := range i.reg.Tags {
		if strings.Contains(tag, "${") {
			return model.TagReading{Unknown: notFilled(tag)}
		}
	}
	return out
}

// tagOf is the problem's tag with what could be filled in. The tags of an error
// about all instances together are filled in already, and their places differ.
func (i instance) tagOf(p model.TagProblem) string {
	if p.Index < len(i.written) && i.written[p.Index] == p.Tag {
		return i.reg.Tags[p.Index]
	}
	return p.Tag
}

func notFilled(tag string) string {
	return fmt.Sprintf("tag %q has an expression that only Nomad can fill in", tag)
}
