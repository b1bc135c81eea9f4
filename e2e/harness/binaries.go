package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Bins holds the paths of the server binaries.
type Bins struct {
	Nomad   string
	Consul  string
	Traefik string
}

// tool is a server that hack/ pins in a module of its own.
type tool struct {
	name string
	env  string
	// folder is the one below hack/ that pins it, name if empty.
	folder string
	module string
	// pkg is the main package below the module, with its leading slash.
	pkg string
	// version is the linker variable for the version, where the source has none.
	version string
	set     func(*Bins, string)
}

func tools() []tool {
	return []tool{
		{
			name: "nomad", env: "DRAINGATE_NOMAD", module: "github.com/hashicorp/nomad",
			set: func(b *Bins, p string) { b.Nomad = p },
		},
		{
			name: "consul", env: "DRAINGATE_CONSUL", module: "github.com/hashicorp/consul",
			set: func(b *Bins, p string) { b.Consul = p },
		},
		{
			name: "traefik", env: "DRAINGATE_TRAEFIK", module: "github.com/traefik/traefik/v3", pkg: "/cmd/traefik",
			version: "github.com/traefik/traefik/v3/pkg/version.Version",
			set:     func(b *Bins, p string) { b.Traefik = p },
		},
	}
}

// NomadPack returns the nomad-pack binary, from DRAINGATE_NOMAD_PACK, PATH or
// the cache, as Binaries does for the servers. It is apart from these because
// only the test of the pack needs it: about three minutes to build on two cores.
func NomadPack(ctx context.Context, progress io.Writer) (string, error) {
	pack := tool{
		name: "nomad-pack", env: "DRAINGATE_NOMAD_PACK", folder: "nomadpack", module: "github.com/hashicorp/nomad-pack",
	}
	return resolve(ctx, pack, "1 of 1", progress)
}

// KamalProxy returns the kamal-proxy binary, from DRAINGATE_KAMAL_PROXY or the
// cache, into which it is built in about a minute: only the comparison of ways
// to hold requests needs it.
func KamalProxy(ctx context.Context, progress io.Writer) (string, error) {
	kamal := tool{
		name: "kamal-proxy", env: "DRAINGATE_KAMAL_PROXY", folder: "kamalproxy",
		module: "github.com/basecamp/kamal-proxy", pkg: "/cmd/kamal-proxy",
	}
	if path := os.Getenv(kamal.env); path != "" {
		// It cannot be asked for its version, as resolve would.
		return filepath.Abs(path)
	}
	return installer{tool: kamal, place: "1 of 1", progress: progress}.path(ctx)
}

// Binaries returns the server binaries, each from its environment variable
// (DRAINGATE_NOMAD, DRAINGATE_CONSUL, DRAINGATE_TRAEFIK), else from PATH, else
// from the user's cache folder, into which it is built from the version that
// hack/ pins if it is not there yet: about ten minutes for all three on two
// cores. What is used, and how far a build is, goes to progress.
func Binaries(ctx context.Context, progress io.Writer) (Bins, error) {
	var bins Bins
	all := tools()
	for i, t := range all {
		path, err := resolve(ctx, t, fmt.Sprintf("%d of %d", i+1, len(all)), progress)
		if err != nil {
			return Bins{}, err
		}
		t.set(&bins, path)
	}
	return bins, nil
}

// resolve finds a tool or builds it.
func resolve(ctx context.Context, t tool, place string, progress io.Writer) (string, error) {
	path, err := find(t, os.LookupEnv, exec.LookPath)
	switch {
	case err != nil:
		return "", err
	case path != "":
		return path, announce(ctx, path, progress)
	default:
		return installer{tool: t, place: place, progress: progress}.path(ctx)
	}
}

// find looks at the environment variable and then at PATH; an empty path means
// that neither has the binary. A variable that names no executable is an
// error: falling through to another binary would hide the mistake.
func find(t tool, env func(string) (string, bool), look func(string) (string, error)) (string, error) {
	if v, ok := env(t.env); ok && v != "" {
		path, err := look(v)
		if err != nil {
			return "", fmt.Errorf("find %s: %s: %w", t.name, t.env, err)
		}
		return filepath.Abs(path)
	}
	path, err := look(t.name)
	if errors.Is(err, exec.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find %s in PATH: %w", t.name, err)
	}
	return filepath.Abs(path)
}

// announce prints the version of a binary that someone else chose.
func announce(ctx context.Context, path string, progress io.Writer) error {
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", path, err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	_, err = fmt.Fprintf(progress, "using %s: %s\n", path, strings.Join(strings.Fields(first), " "))
	return err
}

// Root returns the root of draingate's source, found by walking up from the
// working directory to the go.mod of the module.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/draingate/draingate\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find the repository: no go.mod of github.com/draingate/draingate here or above")
		}
		dir = up
	}
}
