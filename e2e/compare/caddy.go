package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// caddy is a way to set Caddy up. Its zero value has one address, fixed.
type caddy struct {
	// checked has Caddy ask /readyz itself.
	checked bool
	// reload changes the address by a reload, as soon as the new instance passes.
	reload bool
	// srv finds the address in Consul's DNS.
	srv bool
}

// caddyfile is what a Caddyfile is made from.
type caddyfile struct {
	Admin, Web int
	// Server is host:port, or empty where Name is looked up at DNS.
	Server, Name, DNS string
	Checked           bool
}

// caddyTemplate holds requests as facts of the field have it: tried again every
// 250 ms for 30 s. A name from Consul's DNS must be looked up there too, which
// is a setting of the transport.
const caddyTemplate = `{
	admin 127.0.0.1:{{.Admin}}
	auto_https off
}
http://:{{.Web}} {
	bind 127.0.0.1
	reverse_proxy {{with .Server}}{{.}} {{end}}{
{{- if .Name}}
		dynamic srv {{.Name}} {
			refresh 1s
			resolvers {{.DNS}}
		}
		transport http {
			resolvers {{.DNS}}
		}
{{- end}}
{{- if .Checked}}
		health_uri /readyz
		health_interval 250ms
		health_timeout 1s
{{- end}}
		lb_try_duration 30s
		lb_try_interval 250ms
	}
}
`

// text renders the Caddyfile.
func (c caddyfile) text() (string, error) {
	t, err := template.New("Caddyfile").Parse(caddyTemplate)
	if err != nil {
		return "", fmt.Errorf("read the template of a Caddyfile: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, c); err != nil {
		return "", fmt.Errorf("render a Caddyfile: %w", err)
	}
	return b.String(), nil
}

// runningCaddy is a Caddy and its configuration.
type runningCaddy struct {
	way     caddy
	scene   *scene
	config  caddyfile
	file    string
	env     []string
	process *harness.Process
}

func (w caddy) open(ctx context.Context, sc *scene) (front, error) {
	c := &runningCaddy{way: w, scene: sc, config: caddyfile{Checked: w.checked, Server: sc.old.Addr}}
	var err error
	if c.config.Admin, c.config.Web, err = sc.ports(); err != nil {
		return nil, err
	}
	if w.srv {
		c.config.Server, c.config.Name, c.config.DNS = "", sc.job.Name+".service.consul", sc.stack.DNSAddr
	}
	dir := filepath.Join(sc.stack.Dir, "data", sc.stack.Name("caddy"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for Caddy: %w", err)
	}
	c.file, c.env = filepath.Join(dir, "Caddyfile"), []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_DATA_HOME=" + dir}
	if err := c.write(); err != nil {
		return nil, err
	}
	if c.process, err = sc.stack.Run(filepath.Base(dir), sc.programs.caddy, c.env, "run", "--config", c.file, "--adapter", "caddyfile"); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *runningCaddy) write() error {
	text, err := c.config.text()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write a Caddyfile: %w", err)
	}
	return nil
}

func (c *runningCaddy) entry() string { return fmt.Sprintf("http://127.0.0.1:%d", c.config.Web) }

func (c *runningCaddy) deploy(ctx context.Context, submit func(context.Context) error) error {
	if err := submit(ctx); err != nil || !c.way.reload {
		return err
	}
	next, err := c.scene.passing(ctx)
	if err != nil {
		return err
	}
	c.config.Server = next.Addr
	if err := c.write(); err != nil {
		return err
	}
	return command(ctx, c.scene.programs.caddy, c.env, "reload", "--config", c.file, "--adapter", "caddyfile")
}

func (c *runningCaddy) close() error { return c.process.Stop(10 * time.Second) }

// command runs a program to its end.
func command(ctx context.Context, program string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return nil
}

// findCaddy returns the path of the binary, and prints which it is.
func findCaddy(ctx context.Context, path string) (string, error) {
	found, err := lookPath("caddy", path)
	if err != nil {
		return "", fmt.Errorf("%w; install it (apt-get install caddy), or unpack Debian's package (apt-get download caddy && dpkg -x caddy_*.deb DIR) "+
			"and say CADDY=DIR/usr/bin/caddy, or name the ways without it: WAYS=traefik,draingate,kamal-proxy", err)
	}
	out, err := exec.CommandContext(ctx, found, "version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", found, err)
	}
	fmt.Fprintf(os.Stderr, "using %s: %s\n", found, strings.TrimSpace(string(out)))
	return found, nil
}
