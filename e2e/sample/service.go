package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type config struct {
	addr, version, alloc string
	// worked is a folder, or empty.
	worked               string
	warmup, drain, sleep time.Duration
	neverReady, crash    bool
	// lock is the writer's file, or empty.
	lock string
}

// readConfig reads the environment through lookup.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	var errs []error
	duration := func(key string) time.Duration {
		v, ok := lookup(key)
		if !ok || v == "" {
			return 0
		}
		d, err := time.ParseDuration(v)
		if err == nil && d < 0 {
			err = errors.New("negative")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s=%q: %w", key, v, err))
		}
		return d
	}
	cfg := config{warmup: duration("WARMUP"), drain: duration("DRAIN"), sleep: duration("SLEEP")}
	cfg.version, _ = lookup("VERSION")
	cfg.alloc, _ = lookup("NOMAD_ALLOC_ID")
	cfg.worked, _ = lookup("WORKED")
	never, _ := lookup("NEVER_READY")
	cfg.neverReady = never == "true"
	crash, _ := lookup("CRASH")
	cfg.crash = crash == "true"
	cfg.lock, _ = lookup("WRITER")
	var ok bool
	if cfg.addr, ok = lookup("ADDR"); !ok || cfg.addr == "" {
		errs = append(errs, errors.New("read ADDR: not set"))
	}
	return cfg, errors.Join(errs...)
}

type service struct {
	cfg      config
	warm     time.Time
	draining atomic.Bool
	sick     atomic.Bool
	// worklog gets a line for each request that is worked on.
	worklog io.Writer
	// writer is nil where any number of instances may write.
	writer *writer
	// exit gets why the process is to end, once.
	exit chan error
	once sync.Once
}

func newService(cfg config, started time.Time) *service {
	return &service{cfg: cfg, warm: started.Add(cfg.warmup), worklog: io.Discard, exit: make(chan error, 1)}
}

// keepWorklog opens the file in which requests are noted, if there is to be one.
func (s *service) keepWorklog() (closeIt func(), err error) {
	if s.cfg.worked == "" {
		return func() {}, nil
	}
	name := filepath.Join(s.cfg.worked, s.name())
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // The path is the operator's.
	if err != nil {
		return nil, fmt.Errorf("open the list of requests: %w", err)
	}
	s.worklog = f
	return func() { _ = f.Close() }, nil
}

// name is what the instance is known by in what it notes.
func (s *service) name() string { return cmp.Or(s.cfg.alloc, strconv.Itoa(os.Getpid())) }

// beWriter takes the writer's lock, if there is one.
func (s *service) beWriter() (end func() error, err error) {
	if s.cfg.lock == "" {
		return func() error { return nil }, nil
	}
	if s.writer, err = takeLock(s.cfg.lock, s.name()); err != nil {
		return nil, err
	}
	return s.writer.end, nil
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.root)
	mux.HandleFunc("GET /stream", s.stream)
	mux.HandleFunc("GET /echo", s.echo)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("PUT /admin/ready", s.setReady)
	mux.HandleFunc("PUT /admin/exit", s.setExit)
	return mux
}

func (s *service) readyz(w http.ResponseWriter, r *http.Request) {
	switch asked := r.Header.Get("X-Alloc"); {
	case asked != "" && asked != s.cfg.alloc:
		// A port may be given to another instance while this one still serves.
		http.Error(w, "this is another instance", http.StatusServiceUnavailable)
	case time.Now().Before(s.warm):
		http.Error(w, "warming up", http.StatusServiceUnavailable)
	case s.draining.Load():
		http.Error(w, "draining", http.StatusServiceUnavailable)
	case s.cfg.neverReady, s.sick.Load():
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	default:
		_, _ = fmt.Fprintln(w, "ready")
	}
}

func (s *service) setReady(w http.ResponseWriter, r *http.Request) {
	ok, err := strconv.ParseBool(r.URL.Query().Get("ok"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.sick.Store(!ok)
	w.WriteHeader(http.StatusNoContent)
}

// setExit answers before the process ends, so that who asks knows that it will.
func (s *service) setExit(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNoContent)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	s.fail(errors.New("told to exit"))
}

// fail ends the process.
func (s *service) fail(err error) {
	s.once.Do(func() { s.exit <- err })
}
