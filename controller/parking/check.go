package parking

import (
	"crypto/subtle"
	"net/http"
)

// HeaderCheck is that of a check by which the lot's owner sees that it listens.
// No request that has it is passed on, whatever its value.
const HeaderCheck = "X-Draingate-Check"

// checked answers checks: the owner's and those of proxies.
func (l *Lot) checked(w http.ResponseWriter, r *http.Request) bool {
	if values, is := r.Header[HeaderCheck]; is {
		if len(values) == 1 && l.options.Secret != "" && subtle.ConstantTimeCompare([]byte(values[0]), []byte(l.options.Secret)) == 1 {
			w.WriteHeader(http.StatusOK)
		} else {
			http.Error(w, "draingate: "+HeaderCheck+" has not the value of this listener", http.StatusForbidden)
		}
		return true
	}
	for _, p := range l.options.Probes {
		if p.Asks(r.Method, r.RequestURI, r.Host, r.Header) {
			w.WriteHeader(p.Status)
			return true
		}
	}
	return false
}
