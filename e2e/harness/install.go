package harness

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// progressEvery is the longest silence of a build.
const progressEvery = 10 * time.Second

// installer builds one pinned tool into the user's cache folder.
type installer struct {
	tool
	place    string
	progress io.Writer
}

// path returns the cached binary, building it first if need be. The name of
// the file holds the version and a hash of go.mod and go.sum, so that any
// change of what is built leads to another file.
func (in installer) path(ctx context.Context) (string, error) {
	root, err := Root()
	if err != nil {
		return "", fmt.Errorf("install %s: %w", in.name, err)
	}
	dir := filepath.Join(root, "hack", cmp.Or(in.folder, in.name))
	version, err := in.pinned(ctx, dir)
	if err != nil {
		return "", err
	}
	sum, err := hashFiles(filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	if err != nil {
		return "", fmt.Errorf("install %s: %w", in.name, err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", fmt.Errorf("install %s: %w", in.name, err)
	}
	path := filepath.Join(cache, fmt.Sprintf("%s-%s-%s", in.name, version, sum))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("install %s: %w", in.name, err)
	}
	return path, in.install(ctx, dir, version, path)
}

// install builds under a lock, so that two processes do not build at once.
func (in installer) install(ctx context.Context, dir, version, path string) error {
	label := fmt.Sprintf("installing %s %s (%s)", in.name, version, in.place)
	return in.report(label, func() error {
		unlock, err := lockedfile.MutexAt(filepath.Join(filepath.Dir(path), "lock")).Lock()
		if err != nil {
			return fmt.Errorf("install %s: %w", in.name, err)
		}
		defer unlock()
		// Another process may have built it while this one waited.
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		return in.build(ctx, dir, version, path)
	})
}

// build runs the go tool and moves the result into place in one step.
func (in installer) build(ctx context.Context, dir, version, path string) error {
	part := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer func() { _ = os.Remove(part) }()
	flags := "-s -w"
	if in.version != "" {
		flags += " -X " + in.version + "=" + version[1:]
	}
	cmd := goCommand(ctx, dir, "build", "-mod=readonly", "-ldflags", flags, "-o", part, in.module+in.pkg)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("install %s %s: go build in %s: %w\n%s", in.name, version, dir, err, lastBytes(errs.Bytes(), 2000))
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("install %s %s: %w", in.name, version, err)
	}
	return nil
}

// pinned reads the version of the tool's module from its go.mod.
func (in installer) pinned(ctx context.Context, dir string) (string, error) {
	out, err := goCommand(ctx, dir, "mod", "edit", "-json").Output()
	if err != nil {
		return "", fmt.Errorf("read %s/go.mod: %w", dir, err)
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", fmt.Errorf("read %s/go.mod: %w", dir, err)
	}
	for _, r := range mod.Require {
		if r.Path == in.module && len(r.Version) > 1 {
			return r.Version, nil
		}
	}
	return "", fmt.Errorf("read %s/go.mod: it does not require %s", dir, in.module)
}

// report runs a step and prints label and time now, at least every ten
// seconds, and at the end.
func (in installer) report(label string, step func() error) error {
	began := time.Now()
	done := make(chan error, 1)
	go func() { done <- step() }()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	_, _ = fmt.Fprintf(in.progress, "%s…\n", label)
	for {
		select {
		case <-tick.C:
			_, _ = fmt.Fprintf(in.progress, "%s, %s…\n", label, time.Since(began).Round(time.Second))
		case err := <-done:
			if err == nil {
				_, _ = fmt.Fprintf(in.progress, "%s: done after %s\n", label, time.Since(began).Round(time.Second))
			}
			return err
		}
	}
}

// goCommand runs the go tool without settings of the caller's that would
// change what is built.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "PWD="+dir)
	// The go tool removes its temporary files after an interrupt, and cannot
	// when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// cacheDir returns the folder for binaries, made if need be.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	dir := filepath.Join(base, "draingate", "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	return dir, nil
}

// hashFiles returns twelve hex digits over the contents.
func hashFiles(paths ...string) (string, error) {
	h := sha256.New()
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return "", err
		}
		// Writing to a hash cannot fail (hash.Hash).
		_, _ = fmt.Fprintf(h, "%d\n", len(b))
		_, _ = h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

func lastBytes(b []byte, most int) []byte { return b[max(0, len(b)-most):] }
