package traefik

import (
	"fmt"
	"hash/fnv"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/draingate/draingate/controller/model"
)

// Normalize makes a service's name fit for a default router's and service's
// name: runs of anything but letters and digits become one hyphen
// (pkg/provider/configuration.go, v3.6.12).
func Normalize(name string) string {
	special := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }
	return strings.Join(strings.FieldsFunc(name, special), "-")
}

// defaultName is the name of the router and service of an instance whose tags
// name none. An instance with the canary tag gets one of its own, made of a
// hash over all its tags (pkg/provider/consulcatalog/config.go, v3.6.12).
func defaultName(reg model.Registration, canary bool) string {
	if !canary {
		return Normalize(reg.ServiceName)
	}
	h := fnv.New64()
	for _, tag := range slices.Sorted(slices.Values(reg.Tags)) {
		h.Write([]byte(tag))
	}
	return Normalize(fmt.Sprintf("%s-%d", reg.ServiceName, h.Sum64()))
}

// Qualify completes a name to name@provider. A name that already has a
// provider is kept.
func Qualify(name, provider string) string {
	if strings.Contains(name, "@") {
		return name
	}
	return name + "@" + provider
}

// ProviderOf returns the provider of a qualified name, empty where there is
// none.
func ProviderOf(name string) string {
	_, provider, _ := strings.Cut(name, "@")
	return provider
}

// HostPort returns host:port of a server's URL, with the scheme's port where
// the URL has none. It is empty where that cannot be told.
func HostPort(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if u.Port() != "" {
		return net.JoinHostPort(u.Hostname(), u.Port())
	}
	switch u.Scheme {
	case "http", "h2c":
		return net.JoinHostPort(u.Hostname(), "80")
	case "https":
		return net.JoinHostPort(u.Hostname(), "443")
	default:
		return ""
	}
}
