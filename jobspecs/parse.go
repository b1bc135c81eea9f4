package jobspecs

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// Stdin is the name that stands for standard input.
const Stdin = "-"

// MaxSize is the largest source that is read, in bytes: 16 times what a Nomad
// server keeps of one (job_max_source_size, 1 MB).
const MaxSize = 16 << 20

// Source is a job specification that was not parsed yet.
type Source struct {
	// Name is shown in positions and is not opened.
	Name    string
	Content []byte
}

// Options say how to read a source. The zero value reads it as `nomad job run`
// does without flags and in an empty environment.
type Options struct {
	// Vars are values of variables, each name=value.
	Vars []string
	// VarFiles are paths of files with values of variables.
	VarFiles []string
	// Env has lines of an environment, name=value; only NOMAD_VAR_name counts.
	Env []string
	// BaseDir is what file() and the like are relative to; empty means the
	// working directory, as for Nomad, and not the directory of the source.
	BaseDir string
	// NoFiles forbids file() and all other functions that read files.
	NoFiles bool
	// AllowUndeclared lets Vars and VarFiles set variables that the source
	// does not declare, as -hcl2-strict=false does. It is what many sources
	// that share their variables need.
	AllowUndeclared bool

	// varContent is the content of a file with values of variables.
	varContent string
}

// Syntax is how a source is written.
type Syntax string

// The syntaxes. JSON is a job as Nomad's API has it, bare or under a key Job;
// HCLJSON is HCL in its JSON form.
const (
	HCL     Syntax = "hcl"
	JSON    Syntax = "json"
	HCLJSON Syntax = "hcl+json"
)

// File is a job specification that was read.
type File struct {
	Name    string
	Content []byte
	Syntax  Syntax
	Job     model.Job
	// Spec is the job as Nomad's API has it, with all defaults applied, for
	// what the model leaves out: the drivers' config, env.
	Spec *nomadapi.Job

	// positions are worked out when they are first asked for, which takes as
	// long as another third of reading the job.
	positions func() positions
}

// Read reads a file, or standard input for Stdin.
func Read(name string, stdin io.Reader) (Source, error) {
	if name == Stdin {
		return readAll("stdin", stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return Source{}, fmt.Errorf("read job specification: %w", err)
	}
	defer func() { _ = f.Close() }()
	return readAll(name, f)
}

func readAll(name string, from io.Reader) (Source, error) {
	content, err := io.ReadAll(io.LimitReader(from, MaxSize+1))
	if err != nil {
		return Source{}, fmt.Errorf("read job specification %s: %w", name, err)
	}
	if len(content) > MaxSize {
		return Source{}, fmt.Errorf("read job specification %s: it is larger than %d MiB", name, MaxSize>>20)
	}
	return Source{Name: name, Content: content}, nil
}

// Parse reads a source. The error is of type Diagnostics and has every mistake
// that could be found; Nomad's parser finds those inside the job block only
// where everything outside it is right. Variables do not apply to JSON.
func Parse(src Source, o Options) (file *File, err error) {
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, problem(src.Name, "Cannot parse", "Nomad's parser gave up on this source: %v", p)
		}
	}()
	out := &File{Name: src.Name, Content: src.Content, Syntax: syntaxOf(src.Content)}
	if problems := tooDeep(src, out.Syntax); problems != nil {
		return nil, problems
	}
	read := out.readHCL
	if out.Syntax == JSON {
		read = out.readJSON
	}
	if problems := read(o); len(problems) > 0 {
		return nil, problems.sorted()
	}
	return out, nil
}

// envLines keeps what Nomad's parser looks at, so that the rest of an
// environment never gets near it.
func envLines(env []string) []string {
	var out []string
	for _, line := range env {
		if strings.HasPrefix(line, "NOMAD_VAR_") {
			out = append(out, line)
		}
	}
	return out
}

func (o Options) baseDir() string { return cmp.Or(o.BaseDir, ".") }

// checkVars names values that Nomad's parser would silently pass over.
func (o Options) checkVars() Diagnostics {
	var out Diagnostics
	for _, v := range o.Vars {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			out = append(out, problem("", "Invalid variable", "%q is not of the form name=value", v)...)
		}
	}
	return out
}

func startsWithBrace(content []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(content, " \t\r\n"), []byte("{"))
}
