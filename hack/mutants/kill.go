package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// outcome is what became of one change.
type outcome string

const (
	killed   outcome = "killed"
	survived outcome = "SURVIVED"
	broken   outcome = "does not compile"
)

// result is the outcome of one change.
type result struct {
	mutant  mutant
	outcome outcome
	// detail is the compiler's output for a change that does not compile.
	detail string
	took   time.Duration
}

// kill tries all changes, s.jobs at a time, each worker in a copy of its own.
// The first copy also shows that the tests pass without a change.
func kill(ctx context.Context, s settings, mutants []mutant, progress io.Writer) ([]result, error) {
	results := make([]result, len(mutants))
	next := make(chan int)
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		for i := range mutants {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	base := &baseline{done: map[string]*sync.Once{}, errs: map[string]error{}}
	for range min(s.jobs, len(mutants)) {
		group.Go(func() error {
			return inCopy(ctx, func(dir string) error {
				for i := range next {
					r, err := try(ctx, s, dir, mutants[i], base)
					if err != nil {
						return err
					}
					results[i] = r
					mu.Lock()
					_, _ = fmt.Fprintf(progress, "%s: %s (%s)\n", r.mutant.id, r.outcome, r.took.Round(100*time.Millisecond))
					mu.Unlock()
				}
				return nil
			})
		})
	}
	return results, group.Wait()
}

// try applies one change in the copy, tests, and takes the change back.
func try(ctx context.Context, s settings, dir string, m mutant, base *baseline) (result, error) {
	if err := base.passes(ctx, s, dir, m); err != nil {
		return result{}, err
	}
	begin := time.Now()
	name := filepath.Join(dir, m.file)
	original, err := os.ReadFile(name)
	if err != nil {
		return result{}, err
	}
	changed, err := m.apply(dir)
	if err != nil {
		return result{}, err
	}
	if err := os.WriteFile(name, changed, 0o600); err != nil {
		return result{}, err
	}
	r := result{mutant: m, outcome: survived}
	if out, err := goTest(ctx, s, dir, append([]string{"-c", "-o", os.DevNull}, withoutRun(m.test)...)); err != nil {
		r.outcome, r.detail = broken, out
	} else if _, err := goTest(ctx, s, dir, m.test); err != nil {
		r.outcome = killed
	}
	r.took = time.Since(begin)
	return r, errors.Join(ctx.Err(), os.WriteFile(name, original, 0o600))
}

// goTest runs go test without vet, whose findings would not be the tests'.
func goTest(ctx context.Context, s settings, dir string, args []string) (string, error) {
	args = append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout=" + s.timeout.String()}, args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// A signal lets go test end its own children.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// withoutRun leaves out -run and its value: all tests must compile.
func withoutRun(test []string) []string {
	var out []string
	for i := 0; i < len(test); i++ {
		switch {
		case test[i] == "-run":
			i++
		case !strings.HasPrefix(test[i], "-run="):
			out = append(out, test[i])
		}
	}
	return out
}

// baseline remembers which tests pass without a change.
type baseline struct {
	mu   sync.Mutex
	done map[string]*sync.Once
	errs map[string]error
}

func (b *baseline) passes(ctx context.Context, s settings, dir string, m mutant) error {
	key := strings.Join(m.test, " ")
	b.mu.Lock()
	once := b.done[key]
	if once == nil {
		once = &sync.Once{}
		b.done[key] = once
	}
	b.mu.Unlock()
	once.Do(func() {
		err := checkBaseline(ctx, s, dir, m)
		b.mu.Lock()
		b.errs[key] = err
		b.mu.Unlock()
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.errs[key]
}

func checkBaseline(ctx context.Context, s settings, dir string, m mutant) error {
	out, err := goTest(ctx, s, dir, m.test)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s: go test %s fails without any change, so it proves nothing:\n%s", m.id, strings.Join(m.test, " "), out)
	case !strings.Contains(out, "ok  \t") || onlyEmpty(out):
		return fmt.Errorf("%s: go test %s runs no test:\n%s", m.id, strings.Join(m.test, " "), out)
	default:
		return nil
	}
}

// onlyEmpty reports whether no package of the output ran a test.
func onlyEmpty(out string) bool {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "ok") && !strings.Contains(line, "[no tests to run]") {
			return false
		}
	}
	return true
}

// inCopy copies the module to a new folder, which is gone afterwards.
func inCopy(ctx context.Context, f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing depends on it
	if err := copyTree(ctx, dir); err != nil {
		return fmt.Errorf("copy the module: %w", err)
	}
	return f(dir)
}

// copyTree copies what git would, and what it would take in.
func copyTree(ctx context.Context, dir string) error {
	out, err := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range bytes.SplitSeq(bytes.TrimRight(out, "\x00"), []byte{0}) {
		if err := copyFile(string(name), filepath.Join(dir, string(name))); err != nil {
			return err
		}
	}
	return nil
}

// copyFile skips what is deleted but still known to git, and follows links.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm()|0o600)
}
