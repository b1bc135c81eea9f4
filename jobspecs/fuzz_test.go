package jobspecs_test

import (
	"errors"
	"os"
	"testing"

	"github.com/draingate/draingate/jobspecs"
)

// seed adds the corpora.
func seed(f *testing.F) {
	f.Helper()
	for _, folder := range []string{"ok", "err"} {
		for _, name := range specs(f, folder) {
			content, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(content))
		}
	}
}

// check parses without files and holds what must be true of every source: no
// panic, an error with at least one reason, and positions within the source.
func check(t *testing.T, name, content string) {
	src := jobspecs.Source{Name: name, Content: []byte(content)}
	file, err := jobspecs.Parse(src, jobspecs.Options{NoFiles: true})
	if err != nil {
		var problems jobspecs.Diagnostics
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("an error without a reason: %v", err)
		}
		for _, p := range problems {
			if p.Summary == "" || p.Range.Start.Line < 0 {
				t.Fatalf("not a diagnostic: %#v", p)
			}
		}
		return
	}
	for _, path := range file.Paths() {
		at, found := file.Locate(path)
		if found != path {
			t.Fatalf("%s is found at %s", path, found)
		}
		for _, r := range []jobspecs.Range{at.Range, at.Value} {
			if r.Start.Byte < 0 || r.End.Byte < r.Start.Byte || r.End.Byte > len(content) {
				t.Fatalf("%s is at %v of %d bytes", path, r, len(content))
			}
		}
		if !at.Range.Known() || path.Parent() == path {
			t.Fatalf("%s is nowhere", path)
		}
	}
}

func FuzzParseHCL(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, content string) { check(t, "fuzz.nomad.hcl", content) })
}

// FuzzParseJSON wraps what it is given, so that most of it gets past the
// question whether it is JSON of a job at all.
func FuzzParseJSON(f *testing.F) {
	seed(f)
	f.Add(`"Name": "web", "Services": [null, {"Checks": [null]}], "Volumes": {"v": null}, "EphemeralDisk": null`)
	f.Fuzz(func(t *testing.T, content string) {
		check(t, "fuzz.nomad.json", content)
		check(t, "fuzz.nomad.json", `{"ID": "x", "TaskGroups": [{`+content+`}]}`)
		check(t, "fuzz.nomad.json", `{"job": {"x": {"group": {"g": {`+content+`}}}}}`)
	})
}
