package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// writer holds the exclusive lock of the one instance that may write, from the
// start of the process to its end, and keeps the journal beside the lock. The
// journal has a line for each event, in the order of all instances together:
//
//	begin ALLOC                      the lock is held from here
//	work ALLOC ID BYTES SHA256       a request was worked on, its body read
//	end ALLOC                        the lock is given up; missing after a kill
//	refused ALLOC by HOLDER          somebody else holds the lock
//	robbed ALLOC by HOLDER           somebody else holds it as well
type writer struct {
	path, alloc string

	mu      sync.Mutex
	lock    *os.File
	journal *os.File
}

var (
	errNotHeld = errors.New("the lock is not held")
	errRobbed  = errors.New("somebody else holds the lock of the writer as well")
)

// takeLock takes the lock at once or fails, loudly.
func takeLock(path, alloc string) (w *writer, err error) {
	w = &writer{path: path, alloc: alloc}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	//nolint:gosec // The path is the operator's.
	if w.journal, err = os.OpenFile(path+".journal", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		return w, fmt.Errorf("open the journal of the writer: %w", err)
	}
	//nolint:gosec // As above.
	if w.lock, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return w, fmt.Errorf("open the lock of the writer: %w", err)
	}
	if err := lockNow(w.lock); err != nil {
		holder := w.holder()
		return w, errors.Join(fmt.Errorf("lock %s, which %s holds: %w", path, holder, err), w.note("refused", "by", holder))
	}
	if err := w.sign(); err != nil {
		return w, fmt.Errorf("sign the lock of the writer: %w", err)
	}
	return w, w.note("begin")
}

// sign writes whose the lock is into its file.
func (w *writer) sign() error {
	if err := w.lock.Truncate(0); err != nil {
		return err
	}
	_, err := w.lock.WriteAt([]byte(w.alloc), 0)
	return err
}

// holder is who signed the file that has the lock's name now.
func (w *writer) holder() string {
	text, err := os.ReadFile(w.path)
	if err != nil || len(text) == 0 {
		return "nobody"
	}
	return string(bytes.TrimSpace(text))
}

// note adds a line to the journal in one write, so that lines of two processes
// do not mix.
func (w *writer) note(event string, more ...string) error {
	line := strings.Join(append([]string{event, w.alloc}, more...), " ")
	if _, err := w.journal.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("write the journal of the writer: %w", err)
	}
	return nil
}

// work notes a request, and fails if this is not the only writer any more.
func (w *writer) work(id string, size int64, sum string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lock == nil {
		return errNotHeld
	}
	if err := w.alone(); err != nil {
		return err
	}
	return w.note("work", id, fmt.Sprint(size), sum)
}

// alone finds a second holder, which there can be only where the file was
// replaced under the first.
func (w *writer) alone() error {
	ours, err := w.lock.Stat()
	if err != nil {
		return fmt.Errorf("look at the lock of the writer: %w", err)
	}
	named, err := os.Stat(w.path)
	if err == nil && os.SameFile(ours, named) && w.holder() == w.alloc {
		return nil
	}
	return errors.Join(errRobbed, w.note("robbed", "by", w.holder()))
}

// end gives the lock up. Nothing is noted after it.
func (w *writer) end() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lock == nil {
		return nil
	}
	defer w.close()
	return w.note("end")
}

// close leaves the line in the journal out.
func (w *writer) close() {
	for _, f := range []**os.File{&w.lock, &w.journal} {
		if *f != nil {
			_ = (*f).Close()
			*f = nil
		}
	}
}
