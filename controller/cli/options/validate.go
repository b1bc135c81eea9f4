package options

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/secret"
)

// Validate returns the first thing that is wrong, as one line that names the
// flag and says what would be right. It opens the files that are named.
func (r Run) Validate() error {
	checks := []func(Run) error{
		hasProxies, urlsAreBases, servicesAreNames, configIsReadable, apiIsSound, credentialsArePaired, tlsIsUsed, certificateIsPaired,
		marginIsSound, modeIsKnown, deadlineIsSound, fenceIsKnown, parkIsSound, parkFits, listenIsAddress, leaderIsSound, advertiseIsAddress, pollIsSound, workersAreSound, formatIsKnown, webhookIsSound,
	}
	for _, check := range checks {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func hasProxies(r Run) error {
	if len(r.Traefik.Services)+len(r.Traefik.URLs) > 0 {
		return nil
	}
	return errors.New("no Traefik is named: give --traefik-service NAME (a service in Consul) or --traefik-url URL, or both, as often as needed")
}

func urlsAreBases(r Run) error {
	for _, text := range r.Traefik.URLs {
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
			return fmt.Errorf("--traefik-url %q is no URL: give one such as http://10.0.0.5:8080", secret.WithoutUser(text))
		case u.User != nil:
			return fmt.Errorf("--traefik-url %s holds credentials: give --traefik-api-user and --traefik-api-password-file instead", secret.WithoutUser(text))
		case u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("--traefik-url %s must end with the path: leave out what follows ? or #", secret.WithoutUser(text))
		}
	}
	return nil
}

func servicesAreNames(r Run) error {
	for _, name := range r.Traefik.Services {
		if name == "" || strings.ContainsAny(name, " /:?#%\t\n") {
			return fmt.Errorf("--traefik-service %q is no name of a service in Consul: for an address, use --traefik-url", name)
		}
	}
	return nil
}

func configIsReadable(r Run) error {
	if r.Traefik.Config == "" {
		return nil
	}
	if _, err := readFile(r.Traefik.Config); err != nil {
		return fmt.Errorf("--traefik-config: %w: give Traefik's static configuration, YAML or TOML", err)
	}
	return nil
}

func apiIsSound(r Run) error {
	t := r.Traefik
	switch {
	case t.APIPort < 0 || t.APIPort > 65535:
		return fmt.Errorf("--traefik-api-port %d is no port: give 1 to 65535, or 0 for the port that Consul has", t.APIPort)
	case t.APIScheme != "http" && t.APIScheme != "https":
		return fmt.Errorf("--traefik-api-scheme %q: give http or https", t.APIScheme)
	case t.APIBasePath != "" && !strings.HasPrefix(t.APIBasePath, "/"):
		return fmt.Errorf("--traefik-api-base-path %q must begin with /", t.APIBasePath)
	}
	return nil
}

func credentialsArePaired(r Run) error {
	t := r.Traefik
	switch {
	case t.APIUser != "" && t.APIPasswordFile == "":
		return errors.New("--traefik-api-user needs --traefik-api-password-file")
	case t.APIUser == "" && t.APIPasswordFile != "":
		return errors.New("--traefik-api-password-file needs --traefik-api-user")
	case t.APIPasswordFile == "":
		return nil
	}
	body, err := readFile(t.APIPasswordFile)
	if err != nil {
		return fmt.Errorf("--traefik-api-password-file: %w", err)
	}
	if strings.TrimSpace(string(body)) == "" {
		return fmt.Errorf("--traefik-api-password-file: %s is empty", t.APIPasswordFile)
	}
	return nil
}

func tlsIsUsed(r Run) error {
	t := r.Traefik
	if t.APICA+t.APICert+t.APIKey+t.APIServerName == "" {
		return nil
	}
	https := func(u string) bool { return strings.HasPrefix(u, "https://") }
	if t.APIScheme != "https" && !slices.ContainsFunc(t.URLs, https) {
		return errors.New("--traefik-api-ca, --traefik-api-cert and --traefik-api-server-name need --traefik-api-scheme https or an https --traefik-url")
	}
	if t.APICA == "" {
		return nil
	}
	body, err := readFile(t.APICA)
	if err != nil {
		return fmt.Errorf("--traefik-api-ca: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(body) {
		return fmt.Errorf("--traefik-api-ca: %s holds no certificate in PEM form", t.APICA)
	}
	return nil
}

func certificateIsPaired(r Run) error {
	t := r.Traefik
	switch {
	case t.APICert == "" && t.APIKey == "":
		return nil
	case t.APIKey == "":
		return errors.New("--traefik-api-cert needs --traefik-api-key")
	case t.APICert == "":
		return errors.New("--traefik-api-key needs --traefik-api-cert")
	}
	cert, err := readFile(t.APICert)
	if err != nil {
		return fmt.Errorf("--traefik-api-cert: %w", err)
	}
	key, err := readFile(t.APIKey)
	if err != nil {
		return fmt.Errorf("--traefik-api-key: %w", err)
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return fmt.Errorf("--traefik-api-cert, --traefik-api-key: %w", err)
	}
	return nil
}

func marginIsSound(r Run) error {
	if r.Margin < 0 {
		return fmt.Errorf("--margin %s is negative: give 0s or more", r.Margin)
	}
	return nil
}

func modeIsKnown(r Run) error {
	switch r.DefaultMode {
	case model.ModeEnforce, model.ModeObserve, model.ModeOff:
		return nil
	default:
		return fmt.Errorf("--default-mode %q: give enforce, observe or off", r.DefaultMode)
	}
}

func deadlineIsSound(r Run) error {
	switch {
	case r.HoldDeadline < 0:
		return fmt.Errorf("--hold-deadline %s: give a duration above 0, or 0 for none", r.HoldDeadline)
	case r.OnDeadline != "hold" && r.OnDeadline != "fail":
		return fmt.Errorf("--on-deadline %q: give hold or fail", r.OnDeadline)
	default:
		return nil
	}
}

func fenceIsKnown(r Run) error {
	switch r.Fence {
	case model.FenceAuto, model.FenceAlways, model.FenceNever, FenceOff:
	default:
		return fmt.Errorf("--fence %q: give auto, always, never or off", r.Fence)
	}
	if r.FenceTimeout < time.Second {
		return fmt.Errorf("--fence-timeout %s: give 1s or more", r.FenceTimeout)
	}
	return nil
}

func parkIsSound(r Run) error {
	address, err := addressOf("--park-address", r.Park.Address)
	if err != nil {
		return err
	}
	if address.IsUnspecified() || address.IsMulticast() {
		return fmt.Errorf("--park-address %s is no address at which a Traefik reaches this node: give one such as 10.0.0.7; --park-bind may be 0.0.0.0", address)
	}
	if _, err := addressOf("--park-bind", r.Park.Bind); err != nil {
		return err
	}
	if r.Park.Off && r.Park.Address+r.Park.Bind != "" {
		return errors.New("--park-address and --park-bind are for parks, and --no-park leaves them out: give one or the other")
	}
	return nil
}

// addressOf is the zero address for none.
func addressOf(flag, text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return address, fmt.Errorf("%s %q is no IP address: give one such as 10.0.0.7, without a port", flag, text)
	}
	return address, nil
}

// parkFits checks the bounds of parks.
func parkFits(r Run) error {
	p := r.Park
	switch {
	case p.FirstPort > p.LastPort || p.FirstPort == 0 && p.LastPort != 0:
		return fmt.Errorf("--park-ports %d-%d: give two ports, such as 21000-21099", p.FirstPort, p.LastPort)
	case p.FirstPort != 0 && p.FirstPort < MinParkPort:
		return fmt.Errorf("--park-ports %d-%d: give ports from %d on", p.FirstPort, p.LastPort, MinParkPort)
	case p.PerService < 1 || p.PerService > MaxParkRequests:
		return fmt.Errorf("--park-requests %d: give 1 to %d", p.PerService, MaxParkRequests)
	case p.Requests < p.PerService || p.Requests > MaxParkRequests:
		return fmt.Errorf("--park-requests-total %d: give --park-requests (%d) to %d", p.Requests, p.PerService, MaxParkRequests)
	default:
		return nil
	}
}

func listenIsAddress(r Run) error {
	_, port, err := net.SplitHostPort(r.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--listen %q is no address: give one such as 127.0.0.1:4689", r.Listen)
	}
	return nil
}

func leaderIsSound(r Run) error {
	l := r.Leader
	switch {
	case l.Key == "" || strings.HasPrefix(l.Key, "/") || strings.ContainsAny(l.Key, " ?#%\t\n"):
		return fmt.Errorf("--leader-key %q is no key of Consul's KV store: give one such as draingate/leader", l.Key)
	case l.TTL < MinLeaderTTL || l.TTL > MaxLeaderTTL:
		return fmt.Errorf("--leader-ttl %s: give %s, the least that Consul takes, to %s, the longest lock delay that it keeps", l.TTL, MinLeaderTTL, MaxLeaderTTL)
	default:
		return nil
	}
}

func advertiseIsAddress(r Run) error {
	if r.Leader.Advertise == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(r.Leader.Advertise)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	ip := net.ParseIP(host)
	if err != nil || host == "" || port == "0" || strings.ContainsAny(host, "/@?# ") || (ip != nil && ip.IsUnspecified()) {
		return fmt.Errorf("--advertise %q is no address that others can reach: give one such as 10.0.0.7:4689", secret.WithoutUser(r.Leader.Advertise))
	}
	return nil
}

func pollIsSound(r Run) error {
	if r.PollInterval < MinPollInterval || r.PollInterval > MaxPollInterval {
		return fmt.Errorf("--poll-interval %s: give %s to %s, since an answer of more than 2s ago counts as unknown",
			r.PollInterval, MinPollInterval, MaxPollInterval)
	}
	return nil
}

func workersAreSound(r Run) error {
	if r.Workers < 1 || r.Workers > MaxWorkers {
		return fmt.Errorf("--workers %d: give 1 to %d", r.Workers, MaxWorkers)
	}
	return nil
}

func formatIsKnown(r Run) error {
	if r.LogFormat != LogJSON && r.LogFormat != LogText {
		return fmt.Errorf("--log-format %q: give json or text", r.LogFormat)
	}
	return nil
}

// webhookIsSound does not show the URL, which may be a secret.
func webhookIsSound(r Run) error {
	w := r.Webhook
	if w.URL == "" {
		if w.SecretFile != "" {
			return errors.New("--webhook-secret-file needs --webhook-url")
		}
		return nil
	}
	if u, err := url.Parse(w.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("--webhook-url is no URL: give one such as https://hooks.example.com/draingate")
	}
	if w.SecretFile == "" {
		return nil
	}
	body, err := readFile(w.SecretFile)
	if err != nil {
		return fmt.Errorf("--webhook-secret-file: %w", err)
	}
	if strings.TrimSpace(string(body)) == "" {
		return fmt.Errorf("--webhook-secret-file: %s is empty", w.SecretFile)
	}
	return nil
}

// readFile refuses what would block or never end, such as a pipe.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	return os.ReadFile(name)
}
