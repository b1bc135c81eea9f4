package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// admitted says who answers, and refuses the request while the process warms up
// or where it cannot be noted.
func (s *service) admitted(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("X-Version", s.cfg.version)
	w.Header().Set("X-Alloc", s.cfg.alloc)
	if time.Now().Before(s.warm) {
		// Another status than those that a proxy gives of its own accord.
		http.Error(w, "warming up", http.StatusTooEarly)
		return false
	}
	if id := r.Header.Get("X-Request-Id"); id != "" {
		// One write for each, so that nothing is lost with the process.
		if _, err := io.WriteString(s.worklog, id+"\n"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return false
		}
	}
	return true
}

// wrote notes what a writer did, and ends a process that is not the only one.
func (s *service) wrote(w http.ResponseWriter, r *http.Request, size int64, sum string) bool {
	if s.writer == nil {
		return true
	}
	err := s.writer.work(r.Header.Get("X-Request-Id"), size, sum)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		s.fail(err)
	}
	return err == nil
}

func (s *service) root(w http.ResponseWriter, r *http.Request) {
	sleep, err := duration(r, "sleep", s.cfg.sleep)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !s.admitted(w, r) {
		return
	}
	hash := sha256.New()
	size, err := io.Copy(hash, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(sleep):
	case <-r.Context().Done():
		return
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	if !s.wrote(w, r, size, sum) {
		return
	}
	w.Header().Set("X-Body-Bytes", fmt.Sprint(size))
	w.Header().Set("X-Body-Sha256", sum)
	_, _ = fmt.Fprintln(w, "version", s.cfg.version)
}

// duration is the value of a key of the query.
func duration(r *http.Request, key string, otherwise time.Duration) (time.Duration, error) {
	v := r.URL.Query().Get(key)
	if v == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("read %s=%q: %w", key, v, err)
	}
	return d, nil
}

// streamEvery is the time between two lines of a stream.
const streamEvery = 100 * time.Millisecond

// stream answers with a line at a time, the last one "end".
func (s *service) stream(w http.ResponseWriter, r *http.Request) {
	length, err := duration(r, "for", time.Second)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !s.admitted(w, r) {
		return
	}
	rc := http.NewResponseController(w)
	tick := time.NewTicker(streamEvery)
	defer tick.Stop()
	ended := time.After(length)
	for {
		_, _ = fmt.Fprintln(w, "version", s.cfg.version)
		if rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ended:
			if s.wrote(w, r, 0, "-") {
				_, _ = fmt.Fprintln(w, "end")
			}
			return
		case <-tick.C:
		}
	}
}

// echo sends each message of a WebSocket back, with the version before it.
func (s *service) echo(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) || !s.wrote(w, r, 0, "-") {
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, http.Header{"X-Version": {s.cfg.version}, "X-Alloc": {s.cfg.alloc}})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, append([]byte(s.cfg.version+" "), text...)); err != nil {
			return
		}
	}
}
