package traefik

import (
	"slices"
	"strconv"
	"strings"
)

// Versions of Traefik that this package knows of. Tags are read as
// TagsVersion reads them; NewestVersion is the newest one whose keys are known.
const (
	TagsVersion   = "3.6.12"
	NewestVersion = "3.7.9"
)

// keyVersion says which version of Traefik was the first to take a key. A star
// stands for any one step of the key, two for any number of them; what is below
// the key came with it.
type keyVersion struct{ key, since string }

// keyVersions lists the keys that tags can say and that 3.0.0 did not know,
// found by comparing the structs of pkg/config/dynamic in all tags of Traefik
// from v3.0.0 to v3.7.9. The longest that fits counts. Nothing was taken out.
func keyVersions() []keyVersion {
	return []keyVersion{
		{"http.middlewares.*.compress.defaultencoding", "3.0.2"},
		{"http.middlewares.*.headers.contentsecuritypolicyreportonly", "3.1.0"},
		{"http.middlewares.*.compress.encodings", "3.2.0"},
		{"http.middlewares.*.forwardauth.headerfield", "3.2.0"},
		{"http.middlewares.**.ipstrategy.ipv6subnet", "3.2.0"},
		{"http.middlewares.*.forwardauth.forwardbody", "3.3.0"},
		{"http.middlewares.*.forwardauth.maxbodysize", "3.3.0"},
		{"http.middlewares.*.forwardauth.preservelocationheader", "3.3.0"},
		{"http.routers.*.observability", "3.3.0"},
		{"http.services.*.loadbalancer.sticky.cookie.path", "3.3.0"},
		{"http.middlewares.*.errors.statusrewrites", "3.4.0"},
		{"http.middlewares.*.forwardauth.preserverequestmethod", "3.4.0"},
		{"http.middlewares.*.ratelimit.redis", "3.4.0"},
		{"http.services.*.loadbalancer.server.preservepath", "3.4.0"},
		{"http.services.*.loadbalancer.server.url", "3.4.0"},
		{"http.services.*.loadbalancer.sticky.cookie.domain", "3.4.0"},
		{"http.services.*.loadbalancer.strategy", "3.4.0"},
		{"http.routers.*.observability.traceverbosity", "3.5.0"},
		{"http.services.*.loadbalancer.healthcheck.unhealthyinterval", "3.5.0"},
		{"http.services.*.loadbalancer.passivehealthcheck", "3.6.0"},
		{"tcp.services.*.loadbalancer.healthcheck", "3.6.0"},
		{"http.middlewares.*.forwardauth.maxresponsebodysize", "3.6.9"},
		{"http.middlewares.*.errors.errorrequestheaders", "3.6.15"},
		{"http.middlewares.*.encodedcharacters", "3.7.0"},
		{"http.middlewares.*.forwardauth.authsigninurl", "3.7.0"},
		{"http.middlewares.*.retry.disableretryonnetworkerror", "3.7.0"},
		{"http.middlewares.*.retry.maxrequestbodybytes", "3.7.0"},
		{"http.middlewares.*.retry.retrynonidempotentmethod", "3.7.0"},
		{"http.middlewares.*.retry.status", "3.7.0"},
		{"http.middlewares.*.retry.timeout", "3.7.0"},
		{"http.services.*.middlewares", "3.7.0"},
	}
}

// since is the first version that takes a label's key, empty for one that all
// versions take or none is known to.
func since(key string) string {
	_, key, _ = strings.Cut(strings.ToLower(key), ".")
	var best keyVersion
	for _, k := range keyVersions() {
		if len(k.key) > len(best.key) && stepsFit(k.key, key) {
			best = k
		}
	}
	return best.since
}

// stepsFit reports whether the pattern is the key or a part of its front.
func stepsFit(pattern, key string) bool {
	for {
		want, rest, more := strings.Cut(pattern, ".")
		step, below, deeper := strings.Cut(key, ".")
		switch {
		case want == "**":
			return more && (stepsFit(rest, key) || deeper && stepsFit(pattern, below))
		case want != "*" && want != step:
			return false
		case !more:
			return true
		case !deeper:
			return false
		}
		pattern, key = rest, below
	}
}

// olderThan compares two versions by their three numbers. What follows them, as
// in v3.7.0-rc.1, is left out: a release candidate has what its release has.
func olderThan(a, b string) bool { return slices.Compare(numbers(a), numbers(b)) < 0 }

// numbers of something that is no version are none, which is older than all.
func numbers(version string) []int {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
	var out []int
	for n := range strings.SplitSeq(version, ".") {
		i, err := strconv.Atoi(n)
		if err != nil {
			break
		}
		out = append(out, i)
	}
	return out
}

// major is the first number of a version, 0 for something that is none.
func major(version string) int {
	if n := numbers(version); len(n) > 0 {
		return n[0]
	}
	return 0
}

// minorAfter reports whether a version is of a later minor version than another.
func minorAfter(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return slices.Compare(x[:min(2, len(x))], y[:min(2, len(y))]) > 0
}
