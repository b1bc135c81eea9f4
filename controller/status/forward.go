package status

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// The headers of an election. LeaderHeader is in every answer that depends on
// who leads, and names who that is as far as the one who answered knows;
// ForwardedHeader is in a request that a follower passes on, and names it.
const (
	LeaderHeader    = "X-Draingate-Leader"
	ForwardedHeader = "X-Draingate-Forwarded-By"
	// NoLeader is what LeaderHeader says where nobody is known to lead.
	NoLeader = "none"
)

// The limits on a request that is passed on.
const (
	forwardDialTimeout   = 2 * time.Second
	forwardHeaderTimeout = 5 * time.Second
)

// errStranger means that something else than draingate answers at the address.
var errStranger = errors.New("something else answers there")

// led answers where this instance looks for itself, and else passes the request
// on to the leader, once.
func (h handler) led(local http.HandlerFunc) http.HandlerFunc {
	if h.Leadership == nil {
		return local
	}
	return func(w http.ResponseWriter, r *http.Request) {
		l := h.Leadership()
		w.Header().Set(LeaderHeader, leaderName(l))
		from := r.Header.Get(ForwardedHeader)
		switch {
		case !l.Decided || l.Role != model.RoleFollower:
			local(w, r)
		case l.Leader == (model.Instance{}):
			fail(w, http.StatusServiceUnavailable, "nobody is known to lead, so nothing is promoted until an instance does: "+scrub(l.Problem))
		case from != "":
			fail(w, http.StatusServiceUnavailable, fmt.Sprintf("%s asks here, but %s leads: the leader is changing, ask again", scrub(from), leaderName(l)))
		case l.Leader.Address == "":
			fail(w, http.StatusServiceUnavailable, leaderName(l)+" leads, and told no address for its status: start it with --advertise HOST:PORT, or ask on its machine")
		default:
			forward(w, r, l)
		}
	}
}

// leaderName is the leader's name as a header can have it.
func leaderName(l model.Leadership) string {
	if l.Leader.Name == "" {
		return NoLeader
	}
	return scrub(l.Leader.Name)
}

// forward passes a request on without any header of the client's, and the
// answer back without any of the leader's but its type.
func forward(w http.ResponseWriter, r *http.Request, l model.Leadership) {
	transport := &http.Transport{
		// One connection for each request: nobody would close idle ones.
		DisableKeepAlives:     true,
		DialContext:           (&net.Dialer{Timeout: forwardDialTimeout}).DialContext,
		ResponseHeaderTimeout: forwardHeaderTimeout,
	}
	proxy := httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: l.Leader.Address})
			p.Out.Header = http.Header{ForwardedHeader: {l.Self.Name}}
		},
		ModifyResponse: func(resp *http.Response) error {
			if resp.Header.Get(LeaderHeader) == "" {
				return errStranger
			}
			w.Header().Del(LeaderHeader)
			resp.Header = http.Header{"Content-Type": resp.Header["Content-Type"], LeaderHeader: resp.Header[LeaderHeader]}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			fail(w, http.StatusBadGateway, fmt.Sprintf("%s leads, and its status at %s cannot be asked: %s", leaderName(l), scrub(l.Leader.Address), scrub(err.Error())))
		},
	}
	proxy.ServeHTTP(w, r)
}
