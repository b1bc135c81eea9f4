package fix

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff is the change in the unified format, with the names that `git apply`
// and `patch -p1` look for.
func (c Change) Diff() []byte {
	name := strings.TrimPrefix(filepath.ToSlash(c.Name), "/")
	return diff.Diff("a/"+name, c.Before, "b/"+name, c.After)
}

// Write puts the new text in the place of the old one, whole or not at all,
// with the mode of the file. Of a link it replaces the file that it leads to.
// The error says what is in the way, also where the file is no longer the one
// that was read.
func (c Change) Write() error {
	if err := c.write(); err != nil {
		return fmt.Errorf("--fix: write %s: %w", c.Name, err)
	}
	return nil
}

func (c Change) write() error {
	name, err := filepath.EvalSymlinks(c.Name)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(name)
	switch {
	case err != nil:
		return err
	case bytes.Equal(now, c.After):
		return nil // it was given under two names
	case !bytes.Equal(now, c.Before):
		return errors.New("it has changed since it was read: run it again")
	}
	mode, err := writable(name)
	if err != nil {
		return err
	}
	return replace(name, c.After, mode)
}

// writable is the mode of a file that may be written to. Replacing a file asks
// only for a writable folder, and a file that is read-only is so on purpose.
func writable(name string) (os.FileMode, error) {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

func replace(name string, content []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
