package metrics

import (
	"net/http"
	"time"
)

// Transport counts and times the requests to one of the systems that go
// through next. A request that asks to wait for a change is only counted.
func (m *Metrics) Transport(system string, next http.RoundTripper) http.RoundTripper {
	return transport{m, system, next}
}

type transport struct {
	metrics *Metrics
	system  string
	next    http.RoundTripper
}

// RoundTrip sends the request as it is.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := t.next.RoundTrip(r)
	code := 0
	if err == nil {
		code = resp.StatusCode
	}
	if r.URL.Query().Get("index") != "" {
		t.metrics.Waited(t.system, code)
	} else {
		t.metrics.Requested(t.system, code, time.Since(began))
	}
	return resp, err
}
