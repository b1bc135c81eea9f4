package jobspecs

import (
	"cmp"
	"maps"
	"slices"

	hcljson "github.com/hashicorp/hcl/v2/json"
	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

// ServerName is the name of a job that a server has, in the place of a file's.
func ServerName(namespace, id string) string {
	return "nomad:" + cmp.Or(namespace, nomadapi.DefaultNamespace) + "/" + id
}

// FromServer returns a job that a server has as a File. What the job says is always what the server has. The source, which Nomad keeps since
// 1.6 for a job that was submitted with one and which may be nil, gives the
// positions and the comments, and only where its groups, tasks, services and
// checks are those of the job: nobody has checked that they belong together. Without
// it nothing in the file has a position, and Content is empty.
func FromServer(job *nomadapi.Job, source *nomadapi.JobSubmission) *File {
	bare := &File{Syntax: JSON, Spec: job, Job: *convert.Job(job)}
	bare.Name = ServerName(bare.Job.Namespace, bare.Job.ID)
	if source == nil || source.Source == "" {
		return bare
	}
	out := &File{Name: bare.Name, Content: []byte(source.Source), Spec: job, Job: bare.Job}
	found := out.readPositions(source)
	out.positions = func() positions { return found }
	if !out.fits() {
		return bare
	}
	return out
}

// readPositions reads the source for its positions alone.
func (f *File) readPositions(source *nomadapi.JobSubmission) (found positions) {
	// As in Parse: Nomad's parser, asked for the variables, may give up.
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	f.Syntax = syntaxOf(f.Content)
	if tooDeep(Source{Name: f.Name, Content: f.Content}, f.Syntax) != nil {
		return nil
	}
	if f.Syntax == JSON {
		return jsonPositions(f.Name, f.Content)
	}
	body, diags := f.parseBody()
	if diags.HasErrors() {
		return nil
	}
	return f.hclPositions(submitted(source), body)
}

func jsonPositions(name string, content []byte) positions {
	tree, diags := hcljson.ParseExpression(content, name)
	if diags.HasErrors() {
		return nil
	}
	walker := jsonWalker{positions: positions{}}
	walker.file(tree)
	return walker.positions
}

// submitted are the values of variables that a source was submitted with. The
// files that it names are elsewhere.
func submitted(source *nomadapi.JobSubmission) Options {
	o := Options{NoFiles: true, AllowUndeclared: true, varContent: source.Variables}
	for _, name := range slices.Sorted(maps.Keys(source.VariableFlags)) {
		o.Vars = append(o.Vars, name+"="+source.VariableFlags[name])
	}
	return o
}

// fits reports whether the source has a place for every block of the job that
// rules look at, and no group that the job has not.
func (f *File) fits() bool {
	groups := 0
	for path := range f.places() {
		if path == groupOf(path) {
			groups++
		}
	}
	if groups != len(f.Job.Groups) {
		return false
	}
	for _, g := range f.Job.Groups {
		at := model.GroupPath(g.Name)
		if !f.Has(at) || !f.hasServices(at, g.Services) {
			return false
		}
		for _, t := range g.Tasks {
			if !f.Has(at.Task(t.Name)) || !f.hasServices(at.Task(t.Name), t.Services) {
				return false
			}
		}
	}
	return true
}

func (f *File) hasServices(at model.Path, services []model.Service) bool {
	for i, s := range services {
		if !f.Has(at.Service(i)) {
			return false
		}
		for c := range s.Checks {
			if !f.Has(at.Service(i).Check(c)) {
				return false
			}
		}
	}
	return !f.Has(at.Service(len(services)))
}
