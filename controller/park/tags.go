package park

import (
	"cmp"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// Tags returns the tags of a placeholder that listens at the host:port, from those of
// an instance, already interpolated. The prefix is what tags for Traefik begin with.
//
// Only what a proxy builds the server's URL from is another: the tags
//
//	PREFIX.http.services.NAME.loadbalancer.server.port, .url and .scheme
//
// with their values put to the listener's, where they are there at all. Everything else, the order
// included, stays, since Traefik drops what two instances of a service define
// differently; servers alone may differ (Traefik v3.6.12, pkg/provider/configuration.go,
// Merge). Where there is none of the three the proxy takes the address and port
// of the registration, which are to be the listener's.
func Tags(prefix string, tags []string, hostPort string) []string {
	out := slices.Clone(tags)
	for i, tag := range tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok {
			continue
		}
		switch serverKey(prefix, key) {
		case "port":
			out[i] = key + "=" + portOf(hostPort)
		case "scheme":
			out[i] = key + "=http"
		case "url":
			out[i] = key + "=" + pointed(value, hostPort)
		}
	}
	return out
}

// serverKey is the option of an HTTP server that a key sets, in lower case; empty
// for any other key. The prefix counts with its case and what follows it without
// (github.com/traefik/paerser v0.2.2, parser/nodes_metadata.go).
func serverKey(prefix, key string) string {
	rest, ours := strings.CutPrefix(key, prefix+".")
	steps := strings.Split(strings.ToLower(rest), ".")
	if !ours || len(steps) != 6 || steps[0] != "http" || steps[1] != "services" || steps[3] != "loadbalancer" || steps[4] != "server" {
		return ""
	}
	return steps[5]
}

// portOf is what follows the last colon: unlike net.SplitHostPort it has no error
// for an address that was listened at already.
func portOf(hostPort string) string { return hostPort[strings.LastIndexByte(hostPort, ':')+1:] }

// pointed is the URL with the listener's address in the place of its own. Its path
// stays, since with server.preservePath a proxy puts it before that of each
// request, and the instance expects it there.
func pointed(text, hostPort string) string {
	u, err := url.Parse(text)
	if err != nil {
		u = &url.URL{}
	}
	return (&url.URL{Scheme: "http", Host: hostPort, Path: u.Path, RawPath: u.RawPath}).String()
}

// Merges says why a proxy would not have a placeholder with the second reading in the
// place of an instance with the first one, or is empty. Both readings are the same
// proxy's, of the tags of both registrations.
func Merges(instance, placeholder model.TagReading) string {
	names := func(r model.TagReading) []string {
		out := slices.Clone(r.Routers)
		for _, s := range r.Services {
			out = append(out, "service "+s.Name)
		}
		return slices.Sorted(slices.Values(out))
	}
	switch {
	case placeholder.Err != "":
		return placeholder.Err
	case placeholder.Unknown != "":
		return placeholder.Unknown
	case !placeholder.Exposed:
		return cmp.Or(placeholder.Excluded, "the proxy leaves it out")
	case !slices.Equal(names(instance), names(placeholder)):
		return "the routers and services of the instance are " + strings.Join(names(instance), ", ") + " and those of the placeholder " + strings.Join(names(placeholder), ", ")
	default:
		return ""
	}
}

// Probe is Traefik's own health check, as a placeholder has to answer it: an
// instance that fails it is given no request. Its zero value is none.
type Probe struct {
	// Path is what is asked for, from the request line, and Method how.
	Path, Method string
	// Host is the Host header; empty where it is the placeholder's own address.
	Host string
	// Headers are those that come with it, by their names as written.
	Headers map[string]string
	// Status is what answers it.
	Status int
}

// okay is what answers a probe that leaves open what it wants.
const okay = 200

// Probes are the health checks of the services that the tags define, as each proxy
// reads them, in their order, each once. Those that a placeholder cannot answer are no
// probes: Fit refuses them.
func Probes(readings ...model.TagReading) []Probe {
	var out []Probe
	for _, s := range services(readings) {
		if s.HealthCheck == nil || unanswered(*s.HealthCheck) != "" {
			continue
		}
		h := s.HealthCheck
		u, err := (&url.URL{Scheme: "http", Host: "placeholder"}).Parse(h.Path)
		if err != nil {
			continue // Traefik refuses such a path at every check.
		}
		p := Probe{Path: u.RequestURI(), Method: cmp.Or(h.Method, "GET"), Host: h.Hostname, Headers: h.Headers, Status: cmp.Or(h.Status, okay)}
		if !slices.ContainsFunc(out, func(o Probe) bool { return reflect.DeepEqual(o, p) }) {
			out = append(out, p)
		}
	}
	return out
}

func services(readings []model.TagReading) (out []model.TagService) {
	for _, r := range readings {
		out = append(out, r.Services...)
	}
	return out
}

// Asks reports whether a request is the probe and not one that a client sent. The
// target is that of the request line.
//
// A request that passed through Traefik has X-Forwarded headers, of which its own
// checks have none but what the tags give them (Traefik v3.6.12,
// pkg/middlewares/forwardedheaders/forwarded_header.go and pkg/healthcheck/healthcheck.go).
// So a client that asks for the path of the check waits like any other.
func (p Probe) Asks(method, target, host string, header map[string][]string) bool {
	for name := range header {
		if strings.HasPrefix(strings.ToLower(name), "x-forwarded-") && !p.sends(name) {
			return false
		}
	}
	return p.Method == method && p.Path == target && (p.Host == "" || p.Host == host)
}

func (p Probe) sends(header string) bool {
	for name := range p.Headers {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return false
}
