package parking

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// HeaderCheck is that of a check by which the lot's owner sees that it listens.
// No request that has it is passed on, whatever its value.
const HeaderCheck = "X-Draingate-Check"

// HealthCheck is the proxy's own check of its servers, as its settings have it.
type HealthCheck struct {
	// Path is that of the settings, with the query where it has one.
	Path string
	// Method is GET where it is empty.
	Method string
	// Hostname is the host that the check asks for; empty for any.
	Hostname string
	// Status is the one that is wanted; 200 where it is 0.
	Status int
}

// The mistakes in a HealthCheck.
var (
	errHealthPath   = errors.New("the path of the proxy's health check cannot be read")
	errHealthStatus = errors.New("the status that the proxy's health check wants is none of a whole answer (200 to 599)")
)

// headerServer is set by Traefik on each request that it routes, and on none of
// its own (v3.6.12, pkg/middlewares/forwardedheaders/forwarded_header.go).
const headerServer = "X-Forwarded-Server"

// health is a HealthCheck as its requests look; its zero value is none.
type health struct {
	target, method, hostname string
	status                   int
}

// read resolves the path as Traefik does (v3.6.12, pkg/healthcheck/healthcheck.go:
// newRequest).
func (h *HealthCheck) read() (health, error) {
	if h == nil {
		return health{}, nil
	}
	server := &url.URL{Scheme: "http", Host: "server"}
	u, err := server.Parse(h.Path)
	if err != nil {
		return health{}, fmt.Errorf("%w: %w", errHealthPath, err)
	}
	out := health{target: u.RequestURI(), method: cmp.Or(h.Method, http.MethodGet), hostname: h.Hostname, status: cmp.Or(h.Status, http.StatusOK)}
	if out.status < http.StatusOK || out.status > 599 {
		return health{}, fmt.Errorf("%w: %d", errHealthStatus, h.Status)
	}
	return out, nil
}

// is tells a check from a request of somebody that happens to ask for the same.
func (h health) is(r *http.Request) bool {
	_, routed := r.Header[headerServer]
	return !routed && h.target != "" && r.RequestURI == h.target && r.Method == h.method && (h.hostname == "" || r.Host == h.hostname)
}

// checked answers checks: the owner's and the proxy's.
func (l *Lot) checked(w http.ResponseWriter, r *http.Request) bool {
	if values, is := r.Header[HeaderCheck]; is {
		if len(values) == 1 && l.options.Secret != "" && subtle.ConstantTimeCompare([]byte(values[0]), []byte(l.options.Secret)) == 1 {
			w.WriteHeader(http.StatusOK)
		} else {
			http.Error(w, "draingate: "+HeaderCheck+" has not the value of this listener", http.StatusForbidden)
		}
		return true
	}
	if l.health.is(r) {
		w.WriteHeader(l.health.status)
		return true
	}
	return false
}
