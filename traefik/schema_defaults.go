package traefik

import "time"

// What Traefik v3.6.12 fills in where tags say nothing (the SetDefaults methods
// in pkg/config/dynamic). The decoder calls these before it fills a struct in.
// They matter to the comparison of two versions' tags: a tag that says the
// default and no tag are the same.

// newLoadBalancer is the load balancer of an instance whose tags name none.
func newLoadBalancer() *loadBalancer {
	out := &loadBalancer{}
	out.SetDefaults()
	return out
}

// SetDefaults is called by the decoder.
func (l *loadBalancer) SetDefaults() {
	l.PassHostHeader = new(true)
	l.Strategy = "wrr"
	l.ResponseForwarding = &responseForwarding{}
	l.ResponseForwarding.SetDefaults()
}

// SetDefaults is called by the decoder.
func (r *responseForwarding) SetDefaults() { r.FlushInterval = duration(100 * time.Millisecond) }

// SetDefaults is called by the decoder.
func (h *serverHealthCheck) SetDefaults() {
	h.FollowRedirects = new(true)
	h.Mode = "http"
	h.Interval = duration(healthInterval)
	h.Timeout = duration(healthTimeout)
}

// SetDefaults is called by the decoder.
func (p *passiveHealthCheck) SetDefaults() {
	p.FailureWindow = duration(10 * time.Second)
	p.MaxFailedAttempts = 1
}

// SetDefaults is called by the decoder.
func (c *cookie) SetDefaults() { c.Path = new("/") }

// SetDefaults is called by the decoder.
func (r *routerObservability) SetDefaults() { r.TraceVerbosity = "minimal" }

// SetDefaults is called by the decoder.
func (c *circuitBreaker) SetDefaults() {
	c.CheckPeriod = duration(100 * time.Millisecond)
	c.FallbackDuration = duration(10 * time.Second)
	c.RecoveryDuration = duration(10 * time.Second)
	c.ResponseCode = 503
}

// SetDefaults is called by the decoder.
func (c *compress) SetDefaults() { c.Encodings = []string{"gzip", "br", "zstd"} }

// SetDefaults is called by the decoder.
func (f *forwardAuth) SetDefaults() { f.MaxBodySize = new(int64(-1)) }

// SetDefaults is called by the decoder.
func (r *rateLimit) SetDefaults() {
	r.Burst = 1
	r.Period = duration(time.Second)
}

// SetDefaults is called by the decoder.
func (r *redis) SetDefaults() {
	r.Endpoints = []string{"localhost:6379"}
	r.ReadTimeout = new(duration(3 * time.Second))
	r.WriteTimeout = new(duration(3 * time.Second))
	r.DialTimeout = new(duration(5 * time.Second))
}

// SetDefaults is called by the decoder.
func (p *proxyProtocol) SetDefaults() { p.Version = 2 }

// SetDefaults is called by the decoder.
func (h *tcpHealthCheck) SetDefaults() {
	h.Interval = duration(healthInterval)
	h.Timeout = duration(healthTimeout)
}
