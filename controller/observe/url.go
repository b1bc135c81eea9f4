package observe

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// NormalizeURL returns the base URL of a Traefik API in the form in which two
// of them can be compared: lower-case host, explicit port, no slash at the end.
// Credentials are refused, since the URL is shown to everybody who may read the
// status.
func NormalizeURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("Traefik URL %q: %w", raw, err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "", fmt.Errorf("Traefik URL %q: want http://HOST:PORT or https://HOST:PORT", u.Redacted())
	case u.User != nil:
		return "", fmt.Errorf("Traefik URL %q: leave credentials out of it", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("Traefik URL %q: leave query and fragment out of it", raw)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return baseURL(u.Scheme, u.Hostname(), port, u.Path), nil
}

// instanceURL is where the API of an instance is.
func (a API) instanceURL(r model.Registration) string {
	port := r.Port
	if a.Port != 0 {
		port = a.Port
	}
	return baseURL(a.Scheme, r.Address, strconv.Itoa(port), a.BasePath)
}

func baseURL(scheme, host, port, path string) string {
	base := scheme + "://" + net.JoinHostPort(strings.ToLower(host), port)
	if path = strings.Trim(path, "/"); path != "" {
		base += "/" + path
	}
	return base
}

// hostPort is the part of a normalised URL that people know a proxy by.
func hostPort(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Host
}
