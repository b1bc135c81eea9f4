package parking

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"strings"
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

// headerServer is set by Traefik on each request that it routes, and on none of
// its own (v3.6.12, pkg/middlewares/forwardedheaders/forwarded_header.go).
const headerServer = "X-Forwarded-Server"

// is tells a check from a request of somebody that happens to ask for the same.
func (h *HealthCheck) is(r *http.Request) bool {
	_, routed := r.Header[headerServer]
	return h != nil && !routed && r.RequestURI == "/"+strings.TrimPrefix(h.Path, "/") &&
		r.Method == cmp.Or(h.Method, http.MethodGet) && (h.Hostname == "" || strings.EqualFold(host(r.Host), h.Hostname))
}

// host is the name without the port.
func host(address string) string {
	name, _, _ := strings.Cut(address, ":")
	return name
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
	if l.options.Health.is(r) {
		w.WriteHeader(cmp.Or(l.options.Health.Status, http.StatusOK))
		return true
	}
	return false
}
