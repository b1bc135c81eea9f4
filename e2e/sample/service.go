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
	neverReady           bool
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
	// exit is closed once the process is to end.
	exit chan struct{}
	once sync.Once
}

func newService(cfg config, started time.Time) *service {
	return &service{cfg: cfg, warm: started.Add(cfg.warmup), worklog: io.Discard, exit: make(chan struct{})}
}

// keepWorklog opens the file in which requests are noted, if there is to be one.
func (s *service) keepWorklog() (closeIt func(), err error) {
	if s.cfg.worked == "" {
		return func() {}, nil
	}
	name := filepath.Join(s.cfg.worked, cmp.Or(s.cfg.alloc, strconv.Itoa(os.Getpid())))
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // The path is the operator's.
	if err != nil {
		return nil, fmt.Errorf("open the list of requests: %w", err)
	}
	s.worklog = f
	return func() { _ = f.Close() }, nil
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.root)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("PUT /admin/ready", s.setReady)
	mux.HandleFunc("PUT /admin/exit", s.setExit)
	return mux
}

func (s *service) root(w http.ResponseWriter, r *http.Request) {
	sleep := s.cfg.sleep
	if v := r.URL.Query().Get("sleep"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sleep = d
	}
	w.Header().Set("X-Version", s.cfg.version)
	w.Header().Set("X-Alloc", s.cfg.alloc)
	if time.Now().Before(s.warm) {
		// Another status than those that a proxy gives of its own accord.
		http.Error(w, "warming up", http.StatusTooEarly)
		return
	}
	if id := r.Header.Get("X-Request-Id"); id != "" {
		// One write for each, so that nothing is lost with the process.
		if _, err := io.WriteString(s.worklog, id+"\n"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	select {
	case <-time.After(sleep):
		_, _ = fmt.Fprintln(w, "version", s.cfg.version)
	case <-r.Context().Done():
	}
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
	s.once.Do(func() { close(s.exit) })
}
