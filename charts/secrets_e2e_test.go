//go:build e2e

package charts_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// secrets are the marked secrets of a test and all that draingate said.
type secrets struct {
	*cluster
	nomadToken, consulToken string
	user, password          string
	hookURL                 string
	passwordFile, hookFile  string
	marks                   []string
	nomad, consul, traefik  *echoing
	hook                    *receiver
	said                    map[string]string
}

// The marks that are chosen; tokens are the servers' own.
const (
	markUser  = "M4RKED-traefik-user"
	markPass  = "M4RKED-traefik-password"
	markWrong = "M4RKED-wrong"
)

func newSecrets(t *testing.T) *secrets {
	t.Helper()
	c := newCluster(t)
	setUp(t, c)
	var err error
	c.proxy, err = c.StartTraefik(t.Context(), harness.TraefikOptions{RefreshInterval: time.Second, User: markUser, Password: markPass})
	require.NoError(t, err)
	s := &secrets{cluster: c, user: markUser, password: markPass, said: map[string]string{}}
	s.nomadToken = c.nomadToken(policy(t, "nomad.hcl") + policy(t, "nomad-outside.hcl"))
	s.consulToken = c.consulToken(policy(t, "consul.hcl"))
	s.nomad, s.consul, s.traefik = newEchoing(t, "http://"+c.NomadAddr), newEchoing(t, "http://"+c.ConsulAddr), newEchoing(t, c.proxy.API)
	s.hook = newReceiver(t)
	s.hookURL = strings.Replace(s.hook.URL, "://", "://hook:M4RKED-hook-password@", 1) + "/M4RKED-hook-path?key=M4RKED-hook-query"
	s.passwordFile, s.hookFile = s.file("password", markPass+"\n"), s.file("key", "M4RKED-hook-key")
	s.marks = []string{s.nomadToken, s.consulToken, "M4RKED"}
	for _, secret := range []string{
		s.nomadToken, s.consulToken, markUser, markPass, markUser + ":" + markPass, markWrong, markUser + ":" + markWrong, s.hookURL, "M4RKED-hook-password",
		"hook:M4RKED-hook-password", "M4RKED-hook-path", "M4RKED-hook-query", "M4RKED-hook-key",
	} {
		s.marks = append(s.marks, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)))
	}
	return s
}

func (s *secrets) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// env is how the servers are reached, with other tokens if given.
func (s *secrets) env(nomadToken, consulToken string) []string {
	return []string{"NOMAD_ADDR=" + s.nomad.URL, "NOMAD_TOKEN=" + nomadToken, "CONSUL_HTTP_ADDR=" + s.consul.URL, "CONSUL_HTTP_TOKEN=" + consulToken}
}

// settings are the secrets of draingate's own, each way of giving them.
func (s *secrets) settings(way, passwordFile string) (env, flags []string) {
	switch way {
	case "flags":
		return nil, []string{"--traefik-url", s.traefik.URL, "--traefik-api-user", s.user, "--traefik-api-password-file", passwordFile,
			"--webhook-url", s.hookURL, "--webhook-secret-file", s.hookFile}
	case "environment":
		return []string{"DRAINGATE_TRAEFIK_URL=" + s.traefik.URL, "DRAINGATE_TRAEFIK_API_USER=" + s.user, "DRAINGATE_TRAEFIK_API_PASSWORD_FILE=" + passwordFile,
			"DRAINGATE_WEBHOOK_URL=" + s.hookURL, "DRAINGATE_WEBHOOK_SECRET_FILE=" + s.hookFile}, nil
	default:
		return nil, []string{"--config", s.file("run.hcl", fmt.Sprintf("traefik_url = [%q]\ntraefik_api_user = %q\ntraefik_api_password_file = %q\nwebhook_url = %q\nwebhook_secret_file = %q\n",
			s.traefik.URL, s.user, passwordFile, s.hookURL, s.hookFile))}
	}
}

// start runs a draingate at the most verbose level and with every surface on.
func (s *secrets) start(env, flags []string) run {
	s.t.Helper()
	port, err := s.Port()
	require.NoError(s.t, err)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	p, err := s.Run(s.Name("draingate"), s.binary, env, append([]string{"run", "--pprof", "--log-level", "debug", "--listen", addr}, flags...)...)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, p.Stop(10*time.Second)) })
	return run{p, addr}
}

// command keeps what a command prints, whatever its exit code.
func (s *secrets) command(what string, env []string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	out, _ := cmd.CombinedOutput()
	require.NoError(s.t, ctx.Err(), what)
	s.said[what] += string(out)
	return string(out)
}

// listen keeps everything that a running draingate says now.
func (s *secrets) listen(when string, r run) {
	s.t.Helper()
	paths := []string{"/", "/livez", "/readyz", "/metrics", "/v1/deployments", "/v1/proxies", "/v1/leader", "/v1/lint", "/v1/receipts", "/v1/events?after=bad",
		"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/debug/pprof/symbol"}
	var all []struct{ ID string }
	_ = json.Unmarshal([]byte(ask(s.t, r.addr, "/v1/deployments")), &all)
	for _, d := range all {
		paths = append(paths, "/v1/deployments/"+d.ID, "/v1/deployments/"+d.ID+"/history")
	}
	for _, path := range append(paths, "/v1/events", "/v1/events?after=0") {
		s.said[when+": "+path] = ask(s.t, r.addr, path)
	}
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"status", s.job.Name}, {"explain", s.job.Name}, {"explain", "--format", "json", s.job.Name},
		{"status", "--wait", "terminal", "--timeout", "1s", s.job.Name}} {
		what := when + ": draingate " + strings.Join(args, " ")
		require.NotEmpty(s.t, s.command(what, nil, append(args, "--addr", r.addr)...), what)
	}
}

// ask returns the headers and the body of an answer, of a stream what comes
// within a second.
func ask(t *testing.T, addr, path string) string {
	t.Helper()
	limit := 20 * time.Second
	if strings.HasPrefix(path, "/v1/events") {
		limit = time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err, path)
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if path == "/v1/deployments" {
		return string(body)
	}
	return fmt.Sprintln(resp.Status, resp.Header) + string(body)
}

// requireQuiet requires that nothing that was said holds a secret in any form.
func (s *secrets) requireQuiet() {
	s.t.Helper()
	require.NotEmpty(s.t, s.said)
	size := 0
	for what, text := range s.said {
		size += len(text)
		for line := range strings.SplitSeq(text, "\n") {
			for _, mark := range s.marks {
				if strings.Contains(line, mark) {
					s.t.Errorf("%s shows a secret (%s): %s", what, mark, line)
				}
			}
		}
	}
	s.t.Logf("%d bytes from %d places hold none of %d marks", size, len(s.said), len(s.marks))
}

// keep keeps the log, which has standard output and standard error.
func (s *secrets) keep(what string, p *harness.Process) string {
	s.t.Helper()
	log, err := os.ReadFile(p.Log)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, log, what)
	s.said[what+": log"] = string(log)
	return string(log)
}

// No secret is said, whatever it was given by and whatever goes wrong.
func TestNoSecretIsSaid(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	s.job = harness.Sample{Name: s.Name("web"), Version: "0", ShutdownDelay: 6 * time.Second, Meta: map[string]string{"draingate_mode": "enforce"}}
	s.job.Tags = s.job.Route(s.proxy.Options.Prefix)
	require.NoError(t, s.Deployed(t.Context(), s.job))
	instances, err := s.Instances(t.Context(), s.job.Name)
	require.NoError(t, err)
	require.NoError(t, harness.AwaitRouted(t.Context(), instances, s.proxy))
	defer s.requireQuiet()

	for _, way := range []string{"flags", "environment", "file"} {
		t.Run("a deploy under way with servers that echo, by "+way, func(t *testing.T) { s.underWay(t, way) })
	}
	t.Run("wrong credentials", s.wrong)
}

// underWay deploys while each server in turn echoes what it is asked with.
func (s *secrets) underWay(t *testing.T, way string) {
	ownEnv, flags := s.settings(way, s.passwordFile)
	env := append(s.env(s.nomadToken, s.consulToken), ownEnv...)
	check := s.command(way+": run --check", env, append([]string{"run", "--check"}, flags...)...)
	require.Contains(t, check, "ok    Traefik ")
	require.NotContains(t, check, "FAIL")
	r := s.start(env, flags)
	s.traefik.broken.Store(true)
	s.next()
	s.says(r, "500 Internal Server Error")
	s.listen(way+", Traefik echoes", r)
	s.consul.broken.Store(true)
	s.says(r, "this is an echo of user")
	s.listen(way+", Consul echoes", r)
	s.nomad.broken.Store(true)
	s.says(r, "answered 500: this is an echo")
	s.listen(way+", Nomad echoes", r)
	require.Contains(t, s.command(way+": run --check of servers that echo", env, append([]string{"run", "--check"}, flags...)...), "FAIL")
	for _, e := range []*echoing{s.nomad, s.consul, s.traefik} {
		e.broken.Store(false)
	}
	s.promoted()
	s.listen(way+", promoted", r)
	require.Eventually(t, func() bool { _, _, n := s.hook.got(); return n >= 2 }, time.Minute, 100*time.Millisecond)
	require.NoError(t, r.Stop(10*time.Second))
	log := s.keep(way, r.Process)
	require.Contains(t, log, "webhook")

	bodies, auth, _ := s.hook.got()
	s.said["the webhook"] = bodies
	require.Equal(t, "M4RKED-hook-password", auth, "the webhook's credentials are used")
	require.Contains(t, s.nomad.last(), s.nomadToken)
	require.Contains(t, s.consul.last(), s.consulToken)
	require.Contains(t, s.traefik.last(), s.user+" "+s.password)
}

// wrong runs draingate with credentials that nobody accepts.
func (s *secrets) wrong(t *testing.T) {
	wrongPassword := s.file("password", markWrong)
	const unknown = "5ec2e700-0000-4000-8000-000000000bad"
	s.marks = append(s.marks, unknown, base64.StdEncoding.EncodeToString([]byte(unknown)))
	tests := map[string]struct {
		env      []string
		password string
		more     []string
		says     string
	}{
		"a Nomad token that is unknown":  {s.env(unknown, s.consulToken), s.passwordFile, nil, "is one that Nomad does not know"},
		"a Nomad token that is none":     {s.env(markWrong, s.consulToken), s.passwordFile, nil, "omad"},
		"a Consul token that is unknown": {s.env(s.nomadToken, unknown), s.passwordFile, nil, "it does not know the token"},
		"a Consul token that is none":    {s.env(s.nomadToken, markWrong), s.passwordFile, nil, "it does not know the token"},
		"a Traefik password":             {s.env(s.nomadToken, s.consulToken), wrongPassword, nil, "the credentials are not accepted"},
		"a Traefik URL with credentials": {s.env(s.nomadToken, s.consulToken), s.passwordFile,
			[]string{"--traefik-url", strings.Replace(s.traefik.URL, "://", "://"+markUser+":"+markPass+"@", 1)}, "holds credentials"},
		"a Nomad address with credentials": {append(s.env(s.nomadToken, s.consulToken), "NOMAD_ADDR="+strings.Replace(s.nomad.URL, "://", "://"+markUser+":"+markPass+"@", 1)), s.passwordFile, nil, "starting"},
		"a Consul address with credentials": {append(s.env(s.nomadToken, s.consulToken), "CONSUL_HTTP_ADDR="+strings.Replace(s.consul.URL, "://", "://"+markUser+":"+markPass+"@", 1)),
			s.passwordFile, nil, "CONSUL_HTTP_AUTH"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			_, flags := s.settings("flags", tt.password)
			flags = append(flags, tt.more...)
			s.command(what+": run --check", tt.env, append([]string{"run", "--check"}, flags...)...)
			r := s.start(tt.env, flags)
			s.saysAnywhere(r, tt.says)
			select {
			case <-r.Done():
			default:
				s.listen(what, r)
			}
			require.NoError(t, r.Stop(10*time.Second))
			s.keep(what, r.Process)
		})
	}
}

// saysAnywhere waits until the log or what is known of proxies has the text.
func (s *secrets) saysAnywhere(r run, text string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		log, err := os.ReadFile(r.Log)
		require.NoError(s.t, err)
		if strings.Contains(string(log), text) {
			return true
		}
		select {
		case <-r.Done():
			return false
		default:
			return strings.Contains(quietly(r.addr, "/v1/proxies"), text)
		}
	}, time.Minute, 200*time.Millisecond, "draingate says %q", text)
}

// quietly is an answer, empty where there is none.
func quietly(addr, path string) string {
	client := http.Client{Timeout: 3 * time.Second}
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}
