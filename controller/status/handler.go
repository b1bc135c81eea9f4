package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/draingate/draingate/controller/model"
)

// Options are what the handler shows. Only Store is required.
type Options struct {
	Store *Store
	// Proxies returns the proxy set as last read. Without it the set is unknown.
	Proxies func() model.Fact[[]model.Proxy]
	// Lint returns what the rules find in live jobs, sorted, or why that is not
	// known. Without it nobody looks.
	Lint func() ([]Finding, error)
	// Fences returns the records of all fences, or why they are not known. Without
	// it there are none.
	Fences func() (FenceList, error)
	// Parks returns how all parks stand, or why that is not known. Without it there
	// are none.
	Parks func() (ParkList, error)
	// Ready reports whether every watch was read once, and if not, which were
	// not. Without it the process is never ready.
	Ready func() (bool, []string)
	// Leadership returns who leads. Without it there is no election, and every
	// answer is this instance's own.
	Leadership func() model.Leadership
	// Gatherer provides /metrics. Without it there are none.
	Gatherer prometheus.Gatherer
	// Pprof adds /debug/pprof/, which shows the process's memory and can slow
	// it down.
	Pprof bool
	// Version is shown in the Server header.
	Version string
}

// NewHandler returns the status endpoint. It is read only: it answers GET and
// HEAD and refuses everything else with 405.
func NewHandler(o Options) http.Handler {
	h := handler{o}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/lint", h.lint)
	mux.HandleFunc("/v1/fences", h.fences)
	mux.HandleFunc("/v1/deployments", h.led(h.deployments))
	mux.HandleFunc("/v1/deployments/{id}", h.led(h.deployment))
	mux.HandleFunc("/v1/proxies", h.led(h.proxies))
	mux.HandleFunc("/v1/parks", h.led(h.parks))
	if o.Leadership != nil {
		mux.HandleFunc("/v1/leader", h.leader)
	}
	mux.HandleFunc("/v1/deployments/{id}/history", h.led(h.history))
	mux.HandleFunc(EventsPath, h.led(h.events))
	mux.HandleFunc("/livez", h.livez)
	mux.HandleFunc("/readyz", h.readyz)
	if o.Gatherer != nil {
		mux.Handle("/metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{}))
	}
	if o.Pprof {
		profiles(mux)
	}
	mux.HandleFunc("/", h.nothing)
	return readOnly(o.Version, mux)
}

// profiles adds what net/http/pprof would add to the default mux, but for the
// command line, in which the URL of a webhook may stand.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}

// readOnly refuses everything that is not a read and sets the headers that
// every answer has.
func readOnly(version string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Server", "draingate/"+version)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			fail(w, http.StatusMethodNotAllowed, "this endpoint is read only: use GET or HEAD")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type handler struct{ Options }

func (h handler) deployments(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, each(h.Store.Records(), EncodeDeployment))
}

func (h handler) deployment(w http.ResponseWriter, r *http.Request) {
	if record, ok := h.find(w, r.PathValue("id")); ok {
		answer(w, http.StatusOK, EncodeDetail(record))
	}
}

func (h handler) history(w http.ResponseWriter, r *http.Request) {
	if record, ok := h.find(w, r.PathValue("id")); ok {
		answer(w, http.StatusOK, h.Store.History(record.Key))
	}
}

// find answers itself where there is not exactly one.
func (h handler) find(w http.ResponseWriter, id string) (model.Record, bool) {
	record, err := Find(h.Store.Records(), id)
	switch {
	case err == nil:
		return record, true
	case errors.Is(err, ErrNotFound):
		fail(w, http.StatusNotFound, fmt.Sprintf("%s: %q", err, id))
	case errors.Is(err, ErrAmbiguous):
		fail(w, http.StatusConflict, fmt.Sprintf("%s: %q: give more of it", err, id))
	default:
		fail(w, http.StatusBadRequest, err.Error())
	}
	return model.Record{}, false
}

func (h handler) proxies(w http.ResponseWriter, _ *http.Request) {
	var set model.Fact[[]model.Proxy]
	if h.Proxies != nil {
		set = h.Proxies()
	}
	if !set.Known() {
		fail(w, http.StatusServiceUnavailable, "the proxy set is not known: "+scrub(unread(set)))
		return
	}
	answer(w, http.StatusOK, EncodeProxies(set))
}

func (h handler) lint(w http.ResponseWriter, _ *http.Request) {
	if h.Lint == nil {
		fail(w, http.StatusNotFound, "live jobs are not looked at: that is what `draingate run --dry-run` does")
		return
	}
	found, err := h.Lint()
	if err != nil {
		fail(w, http.StatusServiceUnavailable, "what is in the live jobs is not known: "+scrub(err.Error()))
		return
	}
	answer(w, http.StatusOK, each(found, Finding.scrubbed))
}

func (h handler) livez(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]bool{"live": true})
}

func (h handler) readyz(w http.ResponseWriter, _ *http.Request) {
	ready, waiting := false, []string{"start"}
	if h.Ready != nil {
		ready, waiting = h.Ready()
	}
	code := http.StatusOK
	if !ready {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, Readiness{Ready: ready, Waiting: each(waiting, scrub)})
}

func (h handler) nothing(w http.ResponseWriter, _ *http.Request) {
	fail(w, http.StatusNotFound,
		"nothing here: see /v1/deployments, /v1/deployments/{id}, /v1/deployments/{id}/history, /v1/events, /v1/proxies, /v1/fences, /v1/parks, /v1/lint, /v1/leader, /livez, /readyz, /metrics")
}

func fail(w http.ResponseWriter, code int, message string) {
	answer(w, code, Problem{Error: message})
}

// answer encodes before it writes the status line, so that a value that cannot
// be encoded is an error and not half an answer.
func answer(w http.ResponseWriter, code int, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		code, body = http.StatusInternalServerError, []byte(`{"error": "encode the answer"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	// A client that went away is no news to anyone here.
	_, _ = w.Write(append(body, '\n'))
}
