//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// Nomad, Consul and Traefik's API all want a certificate: with it a deploy is
// gated; without it, or with another authority, nothing is promoted, and what to
// set is named. Certificates are the test's own.
func TestMutualTLS(t *testing.T) {
	cert, key := certificate(t)
	other, otherKey := certificate(t)
	s, consulAddr := stackWithTLS(t, cert, key)
	nomadAddr := agentWithTLS(t, s, cert, key)
	through, api := traefikWithTLS(t, s, cert, key)

	env := []string{
		"NOMAD_ADDR=" + nomadAddr, "NOMAD_CACERT=" + cert, "NOMAD_CLIENT_CERT=" + cert, "NOMAD_CLIENT_KEY=" + key,
		"CONSUL_HTTP_ADDR=" + consulAddr, "CONSUL_CACERT=" + cert, "CONSUL_CLIENT_CERT=" + cert, "CONSUL_CLIENT_KEY=" + key,
	}
	args := []string{"run", "--traefik-url", api, "--traefik-api-ca", cert, "--traefik-api-cert", cert, "--traefik-api-key", key}
	for name, test := range map[string]struct {
		drop []string
		set  []string
		says string
	}{
		"Nomad of another authority":              {nil, []string{"NOMAD_CACERT=" + other}, "set NOMAD_CACERT to a file"},
		"no certificate for Nomad":                {[]string{"NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY"}, nil, "set NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY"},
		"a certificate that Nomad does not trust": {nil, []string{"NOMAD_CLIENT_CERT=" + other, "NOMAD_CLIENT_KEY=" + otherKey}, "set NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY"},
		"another name in Nomad's certificate":     {nil, []string{"NOMAD_TLS_SERVER_NAME=server.global.nomad"}, "set NOMAD_TLS_SERVER_NAME"},
		"Nomad without https":                     {nil, []string{"NOMAD_ADDR=" + strings.Replace(nomadAddr, "https", "http", 1)}, "set NOMAD_ADDR to an address that starts with https://"},
		"Consul of another authority":             {nil, []string{"CONSUL_CACERT=" + other}, "set CONSUL_CACERT to a file"},
		"no certificate for Consul":               {[]string{"CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY"}, nil, "set CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY"},
		"another name in Consul's certificate":    {nil, []string{"CONSUL_TLS_SERVER_NAME=server.dc1.consul"}, "set CONSUL_TLS_SERVER_NAME"},
		"Consul without https":                    {nil, []string{"CONSUL_HTTP_ADDR=" + strings.Replace(consulAddr, "https", "http", 1)}, "set CONSUL_HTTP_ADDR to an address that starts with https://"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := s.Run(s.Name("draingate"), binary(t), append(withoutVariable(env, test.drop), test.set...), append(args, "--listen", "127.0.0.1:0")...)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, p.Stop(10*time.Second)) })
			select {
			case <-p.Done():
			case <-time.After(time.Minute):
			}
			require.NoError(t, p.Stop(10*time.Second))
			log, err := os.ReadFile(p.Log)
			require.NoError(t, err)
			require.Contains(t, string(log), test.says)
			var exit *exec.ExitError
			require.ErrorAs(t, p.Err(), &exit)
			require.Equal(t, 5, exit.ExitCode(), string(log))
		})
	}
	d := begin(t, s, harness.Sample{Name: s.Name("mtls"), Warmup: brief, ShutdownDelay: 6 * time.Second}, through, nil)
	blind := gateWithin(t, s, env, slices.Clone(args[:5])...)
	blind.holds(d.job.Name, "ProxyUnknown", "set --traefik-api-cert and --traefik-api-key")
	strange := gateWithin(t, s, env, append(slices.Clone(args), "--traefik-api-ca", other)...)
	strange.holds(d.job.Name, "ProxyUnknown", "set --traefik-api-ca to a file")
	d.losesNothing(gateWithin(t, s, env, args...))
}

// withoutVariable leaves out the variables of these names.
func withoutVariable(env, names []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(names, name)
	})
}

// stackWithTLS is a stack whose Consul also listens for https, where it wants a
// certificate of the client.
func stackWithTLS(t *testing.T, cert, key string) (*harness.Stack, string) {
	t.Helper()
	bins, err := harness.Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	s, err := harness.Start(t.Context(), harness.Options{Bins: bins, Consul: map[string]any{
		"ports": map[string]any{"https": port},
		"tls":   map[string]any{"https": map[string]any{"ca_file": cert, "cert_file": cert, "key_file": key, "verify_incoming": true}},
	}})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("logs are kept in", s.KeepLogs())
		}
		require.NoError(t, s.Close())
	})
	return s, fmt.Sprintf("https://127.0.0.1:%d", port)
}

// agentWithTLS starts one more agent of the same Nomad, which runs no tasks and
// whose API wants a certificate of the client.
func agentWithTLS(t *testing.T, s *harness.Stack, cert, key string) string {
	t.Helper()
	server, err := s.Nomad.Status().Leader()
	require.NoError(t, err)
	var ports [3]int
	for i := range ports {
		ports[i], err = s.Port()
		require.NoError(t, err)
	}
	bins, err := harness.Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	config, err := json.Marshal(map[string]any{
		"name": "tls", "region": "global", "datacenter": "dc1", "data_dir": t.TempDir(), "bind_addr": "127.0.0.1",
		"advertise": map[string]any{"http": "127.0.0.1", "rpc": "127.0.0.1", "serf": "127.0.0.1"},
		"ports":     map[string]any{"http": ports[0], "rpc": ports[1], "serf": ports[2]},
		"client": map[string]any{"enabled": true, "servers": []string{server}, "options": map[string]any{
			"driver.allowlist": "none", "fingerprint.denylist": "env_aws,env_gce,env_azure,env_digitalocean,bridge,cni",
		}},
		"tls": map[string]any{"http": true, "ca_file": cert, "cert_file": cert, "key_file": key, "verify_https_client": true},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "nomad.json")
	require.NoError(t, os.WriteFile(file, config, 0o600))
	_, err = s.Run("nomad-tls", bins.Nomad, nil, "agent", "-config="+file)
	require.NoError(t, err)
	address := fmt.Sprintf("https://127.0.0.1:%d", ports[0])
	client, err := nomad.NewClient(&nomad.Config{Address: address, TLSConfig: &nomad.TLSConfig{CACert: cert, ClientCert: cert, ClientKey: key}})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		leader, err := client.Status().Leader()
		return err == nil && leader != ""
	}, time.Minute, 100*time.Millisecond, "the agent with TLS answers")
	return address
}

// traefikWithTLS starts a Traefik whose API is on an entry point that wants a
// certificate of the client.
func traefikWithTLS(t *testing.T, s *harness.Stack, cert, key string) ([]*harness.Traefik, string) {
	t.Helper()
	port, err := s.Port()
	require.NoError(t, err)
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
      defaultCertificate: {certFile: %[1]s, keyFile: %[2]s}
  options:
    default:
      clientAuth: {caFiles: [%[1]s], clientAuthType: RequireAndVerifyClientCert}
`, cert, key), 0o600))
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second, Unregistered: true, Extra: map[string]string{
		"entryPoints.secure.address": fmt.Sprintf("127.0.0.1:%d", port),
		"providers.file.filename":    dynamic,
		"providers.file.watch":       "false",
	}})
	_, err = (&http.Client{Timeout: 10 * time.Second}).Get(fmt.Sprintf("https://127.0.0.1:%d/api/version", port)) //nolint:bodyclose // It must fail.
	require.Error(t, err)
	return through, fmt.Sprintf("https://127.0.0.1:%d", port)
}
