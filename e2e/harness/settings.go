package harness

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are Traefik's static options by their dotted names, from which
// both forms are made: command-line arguments and a YAML file.
type settings map[string]string

// args returns the settings as arguments, in order.
func (s settings) args() []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		out = append(out, "--"+k+"="+s[k])
	}
	return out
}

// yaml returns the settings as a YAML document. Traefik reads every scalar
// from text, so all are written as text, but for the empty block that an
// option without a value is (ping: {}).
func (s settings) yaml() string {
	var b strings.Builder
	var open []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		path := strings.Split(k, ".")
		same := 0
		for same < len(open) && same < len(path)-1 && open[same] == path[same] {
			same++
		}
		for i := same; i < len(path)-1; i++ {
			fmt.Fprintf(&b, "%s%s:\n", strings.Repeat("  ", i), path[i])
		}
		open = path[:len(path)-1]
		value := strconv.Quote(s[k])
		if s[k] == "" {
			value = "{}"
		}
		fmt.Fprintf(&b, "%s%s: %s\n", strings.Repeat("  ", len(open)), path[len(path)-1], value)
	}
	return b.String()
}

// TraefikOptions describe one Traefik instance. Zero values mean what each
// field says.
type TraefikOptions struct {
	// Service is the Consul service under which the instance is registered,
	// "traefik" if empty. Instances of one service are one proxy set.
	Service string
	// Node is the index in Stack.Nodes of the node whose Consul agent the
	// instance reads and is registered with.
	Node int
	// Unregistered leaves the instance out of Consul.
	Unregistered bool
	// Prefix is that of the tags which this instance reads, "traefik" if
	// empty. Instances with different prefixes route different jobs.
	Prefix string
	// RefreshInterval is Traefik's own default, 15 s, if zero; it is then not
	// written into its configuration.
	RefreshInterval time.Duration
	// Throttle is providersThrottleDuration; not written if empty (2 s).
	Throttle string
	// Watch makes the Consul catalog provider watch instead of poll.
	Watch bool
	// Args passes the settings as arguments, not as a file.
	Args bool
	// User and Password protect the API with basic authentication.
	User, Password string
	// DisableAPI leaves the API out altogether.
	DisableAPI bool
	// BasePath is api.basePath, such as "/traefik".
	BasePath string
	// Extra settings by dotted name; they win over the others.
	Extra map[string]string
}

func (o TraefikOptions) withDefaults() TraefikOptions {
	if o.Service == "" {
		o.Service = "traefik"
	}
	if o.Prefix == "" {
		o.Prefix = "traefik"
	}
	return o
}

// settings for an instance that listens on the two ports.
func (o TraefikOptions) settings(consul string, web, api int, dynamic string) settings {
	s := settings{
		"global.checkNewVersion":                   "false",
		"global.sendAnonymousUsage":                "false",
		"log.level":                                "INFO",
		"entryPoints.web.address":                  address(web),
		"entryPoints.traefik.address":              address(api),
		"ping.entryPoint":                          "traefik",
		"providers.consulCatalog.prefix":           o.Prefix,
		"providers.consulCatalog.exposedByDefault": "false",
		"providers.consulCatalog.endpoint.address": consul,
	}
	set := func(when bool, key, value string) {
		if when {
			s[key] = value
		}
	}
	set(o.RefreshInterval != 0, "providers.consulCatalog.refreshInterval", o.RefreshInterval.String())
	set(o.Throttle != "", "providers.providersThrottleDuration", o.Throttle)
	set(o.Watch, "providers.consulCatalog.watch", "true")
	set(!o.DisableAPI, "api.dashboard", "false")
	set(!o.DisableAPI, "api.insecure", strconv.FormatBool(o.User == ""))
	set(o.BasePath != "" && !o.DisableAPI, "api.basePath", o.BasePath)
	set(dynamic != "", "providers.file.filename", dynamic)
	set(dynamic != "", "providers.file.watch", "false")
	maps.Copy(s, o.Extra)
	return s
}
