package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// healthTagRules are about what people put into tags so that a deploy loses
// nothing, where it does less than it seems to.
func healthTagRules() []Rule {
	return []Rule{
		{
			ID: "DG405", Name: "weight-zero", Severity: Error,
			Summary: "Instances have weight 0 in Traefik's pool.",
			Why: "A server of weight 0 gets no requests, and a service with no other answers 503. With a health check it is worse: the check calls the server UP, and when all others are DOWN " +
				"the choice of a server never ends, with the lock held (Traefik v3.6.12, pkg/server/service/loadbalancer/wrr/wrr.go, nextServer; seen on a real one: every request to the service hung).",
			Find: eachSide(weightZero),
		},
		{
			ID: "DG406", Name: "health-check-useless", Severity: Warning,
			Summary: "Traefik's health check comes less often than its reloads may.",
			Why: "Every reload, of whatever service, sets all servers UP and starts the interval anew, and the first check comes a whole interval later (Traefik v3.6.12, " +
				"pkg/healthcheck/healthcheck.go and pkg/server/routerfactory.go). While things are being deployed there may be a reload with each refresh, and then no check ever runs: dead servers get requests.",
			Find: eachTagged(uselessHealthCheck),
		},
		{
			ID: "DG407", Name: "retry-ineffective", Severity: Warning,
			Summary: "A retry middleware does not retry.",
			Why: "Attempts counts all tries. With none Traefik refuses the middleware and disables its routers (seen with v3.6.12: \"incorrect (or empty) value for attempt (0)\"), with one there is no retry; " +
				"and a sticky client is given the same server at each try for as long as it counts as UP (Traefik v3.6.12, pkg/middlewares/retry/retry.go and pkg/server/service/loadbalancer/wrr/wrr.go).",
			Find: eachTagged(ineffectiveRetry),
		},
		{
			ID: "DG408", Name: "passive-single", Severity: Warning,
			Summary: "A passive health check can take out the only server.",
			Why: "After so many failed requests, and any answer of 500 and above is one, the server gets none for the whole window; where there is no other, all requests get 503 " +
				"(Traefik v3.6.12, pkg/healthcheck/healthcheck.go; defaults: 1 failure, 10s).",
			Traefik: ">= 3.6.0",
			Find:    eachTagged(passiveSingle),
		},
		{
			ID: "DG409", Name: "health-check-elsewhere", Severity: Notice,
			Summary: "Traefik's health check asks something else than Nomad's check does.",
			Why: "Consul's check is what the gate waits for and what takes an instance out of the catalog. If Traefik asks another path or port it can find a ready instance DOWN, which is then in the pool " +
				"and gets nothing, or a draining one UP, which gets requests to its end (Traefik v3.6.12, pkg/healthcheck/healthcheck.go).",
			Find: eachTagged(healthCheckElsewhere),
		},
	}
}

func weightZero(s side) []Finding {
	var out []Finding
	for _, svc := range s.reading.Services {
		if svc.Weight > 0 {
			continue
		}
		name := bare(svc.Name)
		f := Finding{Path: s.key("http.services." + name + ".loadbalancer.server.weight"), Severity: Warning}
		f.Message = fmt.Sprintf("weight %d in the %s of service %q: its instances are listed under Traefik's service %q and get no request", svc.Weight, s.attribute(), s.service.Name, name)
		if svc.HealthCheck != nil {
			f.Severity = Error
			f.Message += "; with its health check, requests hang for good once all other servers are DOWN"
		}
		f.Remedy = strconv.Quote(s.in.Settings.Prefix + ".http.services." + name + ".loadbalancer.server.weight=1")
		out = append(out, f)
	}
	return out
}

func uselessHealthCheck(in Input, p place) []Finding {
	s, every := in.sides(p)[0], in.Settings.RefreshInterval
	if in.Settings.Watch || every <= 0 {
		return nil
	}
	var out []Finding
	for _, svc := range s.reading.Services {
		h := svc.HealthCheck
		if h == nil || h.Interval < every {
			continue
		}
		key := "http.services." + bare(svc.Name) + ".loadbalancer.healthcheck."
		f := Finding{Path: s.key(key+"interval", key+"path"), Remedy: strconv.Quote(in.Settings.Prefix + "." + key + "interval=2s")}
		f.Message = fmt.Sprintf("Traefik checks %q every %s and may reload every %s (refreshInterval), which sets all servers UP and puts the next check off by another %s", bare(svc.Name), figure(h.Interval), figure(every), figure(h.Interval))
		if in.Assumed {
			f.Severity = Notice
		}
		out = append(out, f)
	}
	return out
}

func ineffectiveRetry(in Input, p place) []Finding {
	s := in.sides(p)[0]
	var out []Finding
	for _, r := range s.reading.Retries {
		routers := s.routersWith(r.Name)
		if len(routers) == 0 {
			continue
		}
		path := s.key("http.middlewares."+bare(r.Name)+".retry.attempts", "http.middlewares."+bare(r.Name)+".retry.initialinterval")
		remedy := strconv.Quote(in.Settings.Prefix + ".http.middlewares." + bare(r.Name) + ".retry.attempts=4")
		switch {
		case r.Attempts <= 0:
			out = append(out, Finding{Path: path, Severity: Error, Remedy: remedy,
				Message: fmt.Sprintf("retry %q has %d attempts, which Traefik refuses, and with it router %s: 404 for all its requests", bare(r.Name), r.Attempts, strings.Join(routers, ", "))})
		case r.Attempts == 1:
			out = append(out, Finding{Path: path, Remedy: remedy, Message: fmt.Sprintf("retry %q has 1 attempt, which is the request itself: nothing is tried again", bare(r.Name))})
		case s.stickyBlind(routers):
			out = append(out, Finding{Path: path, Message: fmt.Sprintf("retry %q tries the same server %d times for clients with a sticky cookie, since no health check takes a dead one out", bare(r.Name), r.Attempts)})
		}
	}
	return out
}

// routersWith are the routers with the middleware, quoted and sorted.
func (s side) routersWith(middleware string) []string {
	var out []string
	for _, r := range s.reading.Routers {
		if slices.Contains(s.reading.RouterMiddlewares[r], middleware) {
			out = append(out, strconv.Quote(bare(r)))
		}
	}
	return out
}

// stickyBlind reports whether all these routers go to sticky services without
// any health check of Traefik's.
func (s side) stickyBlind(routers []string) bool {
	for _, r := range s.reading.Routers {
		if !slices.Contains(routers, strconv.Quote(bare(r))) {
			continue
		}
		i := slices.IndexFunc(s.reading.Services, func(t model.TagService) bool { return t.Name == s.reading.RouterServices[r] })
		if i < 0 || !s.reading.Services[i].Sticky || s.reading.Services[i].HealthCheck != nil || s.reading.Services[i].Passive != nil {
			return false
		}
	}
	return true
}

func passiveSingle(in Input, p place) []Finding {
	s := in.sides(p)[0]
	var out []Finding
	for _, svc := range s.reading.Services {
		h := svc.Passive
		if h == nil || in.instancesOf(svc.Name) != 1 {
			continue
		}
		key := "http.services." + bare(svc.Name) + ".loadbalancer.passivehealthcheck."
		out = append(out, Finding{Path: s.key(key+"maxfailedattempts", key+"failurewindow"),
			Message: fmt.Sprintf("Traefik's service %q has one server, and %s within %s takes it out for %s: 503 for everybody", bare(svc.Name), failures(h.MaxFailedAttempts), figure(h.FailureWindow), figure(h.FailureWindow))})
	}
	return out
}

func failures(n int) string {
	if n == 1 {
		return "a single failed request"
	}
	return fmt.Sprintf("a run of %d failed requests", n)
}

// instancesOf counts the instances that the job lists under a service of Traefik.
func (in Input) instancesOf(name string) int {
	n := 0
	for _, p := range in.tagged() {
		if slices.ContainsFunc(p.tags.Stable.Services, func(s model.TagService) bool { return s.Name == name }) {
			n += p.group.Count
		}
	}
	return n
}

func healthCheckElsewhere(in Input, p place) []Finding {
	s := in.sides(p)[0]
	var checks []model.Check
	for _, c := range p.service.Checks {
		if strings.EqualFold(c.Type, "http") {
			checks = append(checks, c)
		}
	}
	var out []Finding
	for _, svc := range s.reading.Services {
		if svc.HealthCheck == nil || svc.HealthCheck.GRPC || len(checks) == 0 {
			continue
		}
		key := "http.services." + bare(svc.Name) + ".loadbalancer.healthcheck."
		out = append(out, found(s.key(key+"path"), otherPath(svc, checks), strconv.Quote(in.Settings.Prefix+"."+key+"path="+checks[0].Path))...)
		out = append(out, found(s.key(key+"port"), p.otherPort(svc, checks), "")...)
	}
	return out
}

func otherPath(svc model.TagService, checks []model.Check) string {
	path := "/" + strings.TrimPrefix(svc.HealthCheck.Path, "/")
	if slices.ContainsFunc(checks, func(c model.Check) bool { return "/"+strings.TrimPrefix(c.Path, "/") == path }) {
		return ""
	}
	return fmt.Sprintf("Traefik's health check of %q asks %s and Nomad's check %q asks %s: they can disagree about the same instance", bare(svc.Name), inline(path), checks[0].Name, inline(checks[0].Path))
}

// otherPort compares with the ports that the job itself fixes, as seen from
// the node and from inside of the network namespace, if there are any.
func (p place) otherPort(svc model.TagService, checks []model.Check) string {
	port := svc.HealthCheck.Port
	fixed := p.fixedPorts(p.service.PortLabel)
	for _, c := range checks {
		fixed = append(fixed, p.fixedPorts(c.PortLabel)...)
	}
	if port == 0 || len(fixed) == 0 || slices.Contains(fixed, port) {
		return ""
	}
	return fmt.Sprintf("Traefik's health check of %q asks port %d, and the ports of service %q and its checks are %s", bare(svc.Name), port, p.service.Name, portList(fixed))
}

func (p place) fixedPorts(label string) []int {
	if n, err := strconv.Atoi(label); err == nil && n > 0 {
		return []int{n}
	}
	networks := slices.Clone(p.group.Networks)
	if p.task != nil {
		networks = append(networks, p.task.Networks...)
	}
	var out []int
	for _, n := range networks {
		for _, port := range n.Ports {
			if port.Label == label && port.Static > 0 {
				out = append(out, port.Static)
			}
			if port.Label == label && port.To > 0 {
				out = append(out, port.To)
			}
		}
	}
	return out
}

func portList(ports []int) string {
	slices.Sort(ports)
	var out []string
	for _, n := range slices.Compact(ports) {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ", ")
}
