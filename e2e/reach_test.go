//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// A Traefik that is in no catalog, given by its URL, whose API speaks https
// with a certificate of a private authority: held with what to set while the
// authority is not given, promoted once it is.
func TestTraefikByURLOverTLS(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	port, err := s.Port()
	require.NoError(t, err)
	cert, key := certificate(t)
	dynamic := filepath.Join(t.TempDir(), "dynamic.yml")
	require.NoError(t, os.WriteFile(dynamic, fmt.Appendf(nil, `
http:
  routers:
    api:
      rule: PathPrefix("/api")
      service: api@internal
      entryPoints: [secure]
      tls: {}
tls:
  stores:
    default:
      defaultCertificate: {certFile: %s, keyFile: %s}
`, cert, key), 0o600))
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second, Unregistered: true, Extra: map[string]string{
		"entryPoints.secure.address": fmt.Sprintf("127.0.0.1:%d", port),
		"providers.file.filename":    dynamic,
		"providers.file.watch":       "false",
	}})
	url := fmt.Sprintf("https://127.0.0.1:%d", port)
	blind := gateWith(t, s, "run", "--traefik-url", url, "--dry-run")
	d := begin(t, s, harness.Sample{Name: s.Name("tls"), Warmup: brief, ShutdownDelay: 6 * time.Second}, through, nil)
	blind.holds(d.job.Name, "ProxyUnknown", "--traefik-api-ca")
	g := gateWith(t, s, "run", "--traefik-url", url, "--traefik-api-ca", cert)
	d.losesNothing(g)
}

// A Traefik that is registered in Consul with the port of its entry point; its
// API is on another.
func TestTraefikWithAnotherAPIPort(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second, Unregistered: true})
	entry, err := url.Parse(through[0].Entry)
	require.NoError(t, err)
	port, err := strconv.Atoi(entry.Port())
	require.NoError(t, err)
	name := through[0].Options.Service
	require.NoError(t, s.Consul.Agent().ServiceRegister(&consul.AgentServiceRegistration{Name: name, Address: "127.0.0.1", Port: port}))
	t.Cleanup(func() { require.NoError(t, s.Consul.Agent().ServiceDeregister(name)) })
	_, api, err := net.SplitHostPort(through[0].Relay.Addr)
	require.NoError(t, err)
	g := gate(t, s, through, "--traefik-api-port", api)
	begin(t, s, harness.Sample{Name: s.Name("apiport"), Warmup: brief, ShutdownDelay: 6 * time.Second}, through, nil).losesNothing(g)
}

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "draingate test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	return pemFile(t, dir, "CERTIFICATE", der), pemFile(t, dir, "EC PRIVATE KEY", keyDER)
}

func pemFile(t *testing.T, dir, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(dir, kind[:2]+".pem")
	require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return name
}
