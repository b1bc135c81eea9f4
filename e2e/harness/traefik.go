package harness

import (
	"context"
	"crypto/sha1" //nolint:gosec // The format of htpasswd, for a password of a test.
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	consul "github.com/hashicorp/consul/api"
)

// Traefik is one instance. Its API stands behind a Relay, whose address is the
// one that is registered in Consul, so that a test can cut the API off while
// the instance goes on routing.
type Traefik struct {
	// Name is the name of the instance and of its log file.
	Name string
	// Options are what it was started with, defaults applied.
	Options TraefikOptions
	// Entry is the base URL of the entry point for traffic.
	Entry string
	// API is the base URL of the API through the relay.
	API string
	// Relay stands in front of the API.
	Relay *Relay
	// File is the static configuration file, or what it would say where the
	// settings are passed as arguments.
	File string

	stack    *Stack
	settings settings
	direct   string
	process  *Process
}

// StartTraefik starts an instance, waits until it answers, and registers it.
func (s *Stack) StartTraefik(ctx context.Context, opts TraefikOptions) (*Traefik, error) {
	if opts.Node < 0 || opts.Node >= len(s.Nodes) {
		return nil, fmt.Errorf("start a Traefik on node %d: the stack has %d, counted from 0", opts.Node, len(s.Nodes))
	}
	t := &Traefik{stack: s, Options: opts.withDefaults()}
	t.Name = s.Name(t.Options.Service)
	err := s.retry(ctx, t.start, t.Name)
	if err == nil && !t.Options.Unregistered {
		err = t.Register()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traefiks = append(s.traefiks, t)
	if err != nil {
		return nil, fmt.Errorf("start Traefik %s: %w", t.Name, err)
	}
	return t, nil
}

// start takes new ports each time it is called.
func (t *Traefik) start(ctx context.Context, name string) error {
	var web, api, relay int
	if err := t.stack.ports.takeAll(&web, &api, &relay); err != nil {
		return err
	}
	dynamic, err := t.writeDynamic(name)
	if err != nil {
		return err
	}
	t.settings = t.Options.settings(t.node().ConsulAddr, web, api, dynamic)
	if token := t.stack.root(); token != "" {
		t.settings["providers.consulCatalog.endpoint.token"] = token
	}
	t.File = filepath.Join(t.stack.logs(), name+".yml")
	if err := os.WriteFile(t.File, []byte(t.settings.yaml()), 0o600); err != nil {
		return fmt.Errorf("write the configuration of %s: %w", name, err)
	}
	t.direct, t.Entry = "http://"+address(api), "http://"+address(web)
	if t.Relay != nil {
		_ = t.Relay.Close()
	}
	if t.Relay, err = NewRelay(relay, address(api)); err != nil {
		// A child between fork and exec has a copy of every socket, for a moment
		// also of the one that found this port free. Other ports are tried.
		return fmt.Errorf("%w: %w", errEnded, err)
	}
	t.API = "http://" + t.Relay.Addr
	return t.launch(ctx, name)
}

// launch starts the process with the settings that were chosen.
func (t *Traefik) launch(ctx context.Context, name string) error {
	args := []string{"--configFile=" + t.File}
	if t.Options.Args {
		args = t.settings.args()
	}
	p, err := t.stack.launch(name, t.stack.opts.Bins.Traefik, nil, args...)
	if err != nil {
		return err
	}
	t.process = p
	return errors.Join(
		p.await(ctx, t.Name+" answers /ping", func(ctx context.Context) error { return t.ask(ctx, "/ping", nil) }),
		p.await(ctx, t.Name+"'s API answers", func(ctx context.Context) error {
			if t.Options.DisableAPI {
				return nil
			}
			return t.ask(ctx, t.Options.BasePath+"/api/version", nil)
		}),
	)
}

// writeDynamic writes the file that puts a password before the API, if one is
// asked for.
func (t *Traefik) writeDynamic(name string) (string, error) {
	o := t.Options
	if o.User == "" || o.DisableAPI {
		return "", nil
	}
	sum := sha1.Sum([]byte(o.Password)) //nolint:gosec // See the import.
	user := o.User + ":{SHA}" + base64.StdEncoding.EncodeToString(sum[:])
	file := filepath.Join(t.stack.logs(), name+"-dynamic.yml")
	text := settings{
		"http.routers.api.entryPoints":          "traefik",
		"http.routers.api.rule":                 "PathPrefix(`" + o.BasePath + "/api`)",
		"http.routers.api.service":              "api@internal",
		"http.routers.api.middlewares":          "auth",
		"http.middlewares.auth.basicAuth.users": user,
	}.yaml()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write the configuration of %s: %w", name, err)
	}
	return file, nil
}

// Direct is the base URL of the API past the relay.
func (t *Traefik) Direct() string { return t.direct }

// Process is the running process; after Restart it is another one.
func (t *Traefik) Process() *Process { return t.process }

// Restart ends the process and starts it again on the same ports. It is a
// process with another start date then, and starts without any route.
func (t *Traefik) Restart(ctx context.Context) error {
	if err := t.process.Stop(10 * time.Second); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return t.launch(ctx, t.Name)
}

// Stop takes the instance out of Consul and ends it.
func (t *Traefik) Stop() error { return errors.Join(t.Deregister(), t.close()) }

func (t *Traefik) close() error {
	var errs []error
	if t.process != nil {
		errs = append(errs, t.process.Stop(10*time.Second))
	}
	if t.Relay != nil {
		errs = append(errs, t.Relay.Close())
	}
	return errors.Join(errs...)
}

// node is the one whose Consul agent the instance uses.
func (t *Traefik) node() *Node { return t.stack.Nodes[t.Options.Node] }

// Register puts the instance into Consul, or gives up where the agent does not
// answer: the API's port is the service's, the
// entry point's is in the meta key "entrypoint".
func (t *Traefik) Register() error {
	host, port, err := splitAddress(t.Relay.Addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	err = t.node().consul.consul.Agent().ServiceRegisterOpts(&consul.AgentServiceRegistration{
		ID: t.Name, Name: t.Options.Service, Address: host, Port: port,
		Meta: map[string]string{"entrypoint": t.Entry},
	}, consul.ServiceRegisterOpts{}.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("register %s in Consul: %w", t.Name, err)
	}
	return nil
}

// Deregister takes the instance out of Consul.
func (t *Traefik) Deregister() error {
	if t.Options.Unregistered {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	if err := t.node().consul.consul.Agent().ServiceDeregisterOpts(t.Name, (&consul.QueryOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("deregister %s from Consul: %w", t.Name, err)
	}
	return nil
}

// Servers returns the host:port of every server of the HTTP services that this
// instance made from Consul's catalog, sorted. It asks past the relay.
func (t *Traefik) Servers(ctx context.Context) ([]string, error) {
	var services []struct {
		Provider     string
		LoadBalancer struct{ Servers []struct{ URL string } }
	}
	if err := t.ask(ctx, t.Options.BasePath+"/api/http/services?per_page=10000", &services); err != nil {
		return nil, err
	}
	var out []string
	for _, s := range services {
		for _, server := range s.LoadBalancer.Servers {
			if s.Provider == "consulcatalog" {
				out = append(out, hostPort(server.URL))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// ask gets a path of the API and decodes the answer into out, unless it is nil.
func (t *Traefik) ask(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.direct+path, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", t.Name, err)
	}
	if t.Options.User != "" {
		req.SetBasicAuth(t.Options.User, t.Options.Password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", t.Name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s for %s: %s", t.Name, path, resp.Status)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	} else {
		err = json.NewDecoder(resp.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", path, t.Name, err)
	}
	return nil
}

// Load starts a load through this instance on the host of a job.
func (t *Traefik) Load(host string, rate int) (*Load, error) {
	return t.LoadOf(LoadOptions{Host: host, Rate: rate})
}

// LoadOf starts a load through this instance, of which 200 is the only expected
// status; URL is set here.
func (t *Traefik) LoadOf(opts LoadOptions) (*Load, error) {
	opts.URL, opts.Status = t.Entry+"/", http.StatusOK
	return StartLoad(opts)
}

// String names the instance and the settings that decide how it routes.
func (t *Traefik) String() string {
	return t.Name + " (refreshInterval " + strconv.Quote(t.settings["providers.consulCatalog.refreshInterval"]) + ")"
}
