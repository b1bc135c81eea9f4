package lint

import (
	"errors"
	"io"
	"time"

	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// GCPercent is what a process that does nothing but lint should give to
// debug.SetGCPercent: what is live at a time is one file, a few MiB, and Go's
// default would collect some hundred times a second. It makes a run a quarter
// shorter and leaves it far below 256 MiB (docs/design/2026-11-22-lint-speed.md).
const GCPercent = 400

// MemoryLimit is what goes with it, for debug.SetMemoryLimit, in bytes: what was
// found stays in memory to the end, so that in a long run with many findings
// garbage must not take four times as much.
const MemoryLimit = 200 << 20

// Options say what to look at.
type Options struct {
	// Paths are files, folders, patterns, or - for standard input. Without any,
	// only the settings are looked at.
	Paths []string
	// Against are files with the versions of the jobs that run now. Each is
	// compared with the job of the same ID and namespace.
	Against []string
	// Jobs are looked at as well: jobs that a Nomad has.
	Jobs []*jobspecs.File
	// Running returns the version of a job that runs now, nil where there is
	// none: each job of Paths that Against has no version of is compared with
	// it. It may be nil.
	Running func(namespace, id string) (*jobspecs.File, error)
	// Namespace is that of the jobs of Paths that name none; default if empty.
	Namespace string
	Stdin     io.Reader
	// Specs says how to read the job specifications. Of several files each may
	// leave out variables that another one declares.
	Specs    jobspecs.Options
	Settings Settings
	// Margin is what S must have in hand.
	Margin time.Duration
	// Rules are those to apply; nil for all.
	Rules []rule.Rule
}

// Result is what was found.
type Result struct {
	// Findings are sorted by file, line, column and rule.
	Findings []Finding
	// Files is how many job specifications there were, Unreadable how many of
	// them could not be parsed: these have findings of the rule Unreadable.
	Files, Unreadable int
	// Jobs is how many jobs of a Nomad there were.
	Jobs     int
	Settings Settings
	// New are the jobs, as jobspecs.ServerName has it, that Running knows no version of.
	New []string
}

// Count is how many findings are of the severity.
func (r Result) Count(s rule.Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Run applies the rules to all files. The result holds also what was found in
// spite of an error, which says what could not be opened.
func Run(o Options) (Result, error) {
	r, names, err := o.runner()
	err = errors.Join(err, r.walk(names, r.judge))
	if len(o.Paths)+len(o.Jobs) == 0 {
		r.add(r.aboutSettings())
	}
	r.result.Findings = sorted(r.result.Findings)
	return r.result, err
}

// runner has read the versions to compare with. The names are those of the
// files to look at.
func (o Options) runner() (*runner, []string, error) {
	if o.Rules == nil {
		o.Rules = rule.All()
	}
	r := &runner{options: o, said: map[string]bool{}, result: Result{Settings: o.Settings}}
	names, err := jobspecs.Find(o.Paths...)
	against, errAgainst := jobspecs.Find(o.Against...)
	r.shared = len(names)+len(against) > 1 || o.Settings.shared()
	return r, names, errors.Join(err, errAgainst, r.readAgainst(against))
}
