package jobspecs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar"
)

// Find returns the files that the arguments stand for, sorted and each once. An
// argument is Stdin, a file, a folder, or a pattern in which ** stands
// for any number of folders. A file that is named or that matches is taken whatever
// its name; of a folder, and all folders below it whose names do not begin with
// a dot, those are taken that end in .nomad, .nomad.hcl or .nomad.json, and
// those that end in .hcl and have a job block. The error names every argument
// that stands for no file.
func Find(args ...string) ([]string, error) {
	var found []string
	var problems []error
	for _, arg := range args {
		files, err := findOne(arg)
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("no job specification matches %s", arg)
		}
		if err != nil {
			problems = append(problems, err)
		}
		found = append(found, files...)
	}
	slices.Sort(found)
	return slices.Compact(found), errors.Join(problems...)
}

func findOne(arg string) ([]string, error) {
	if arg == Stdin {
		return []string{Stdin}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return inFolder(arg)
	case err == nil:
		return []string{filepath.Clean(arg)}, nil
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[{"):
		return matching(arg)
	default:
		return nil, fmt.Errorf("find job specifications: %w", err)
	}
}

// matching returns the files that match the pattern. Folders that match do
// not count, so that jobs/* is what it says.
func matching(pattern string) ([]string, error) {
	matches, err := doublestar.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("find job specifications by pattern %s: %w", pattern, err)
	}
	var out []string
	for _, match := range matches {
		info, err := os.Stat(match)
		if err != nil {
			return nil, fmt.Errorf("find job specifications by pattern %s: %w", pattern, err)
		}
		if info.Mode().IsRegular() {
			out = append(out, filepath.Clean(match))
		}
	}
	return out, nil
}

func inFolder(folder string) ([]string, error) {
	jobBlock := regexp.MustCompile(`(?m)^[ \t]*job[ \t]+("[^"\n]*"|[\w-]+)[ \t]*\{`)
	var out []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != folder && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || !isFile(path):
			return nil
		}
		is, err := isSpec(path, jobBlock)
		if is {
			out = append(out, filepath.Clean(path))
		}
		return err
	})
	if err != nil {
		return out, fmt.Errorf("find job specifications in %s: %w", folder, err)
	}
	return out, nil
}

// isFile follows a link to a file; links to folders are not followed, since
// they may lead back.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isSpec(path string, jobBlock *regexp.Regexp) (bool, error) {
	for _, suffix := range []string{".nomad", ".nomad.hcl", ".nomad.json"} {
		if strings.HasSuffix(path, suffix) {
			return true, nil
		}
	}
	if !strings.HasSuffix(path, ".hcl") {
		return false, nil
	}
	content, err := os.ReadFile(path)
	return bytes.Contains(content, []byte("job")) && jobBlock.Match(content), err
}
