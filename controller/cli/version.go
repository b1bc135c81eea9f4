package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/lint"
)

// build says what this binary was made from. Nomad is the version of Nomad whose
// parser of job specifications is in it.
type build struct{ Version, Commit, Nomad string }

// version returns the stamped version, else what the Go tool recorded.
func (p Program) version() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return versionFrom(p.Version, info)
}

func versionFrom(stamped string, info *debug.BuildInfo) build {
	b := build{Version: stamped}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, m := range info.Deps {
		if m.Path == lint.NomadModule {
			b.Nomad = strings.TrimPrefix(m.Version, "v")
		}
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value + b.Commit
		case s.Key == "vcs.modified" && s.Value == "true":
			b.Commit += ", modified"
		}
	}
	return b
}

// String has a line for the binary and one for each server that it knows.
func (b build) String() string {
	tags, tested := lint.KnownTags(), lint.Tested()
	return fmt.Sprintf(`draingate %s (commit %s, %s, %s/%s)
Nomad:   job specifications are read as Nomad %s reads them
Traefik: tags are read as Traefik %s reads them; which version took which key is known from %s to %s
Tested with Nomad %s, Consul %s and Traefik %s
`, b.Version, cmp.Or(b.Commit, "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		cmp.Or(b.Nomad, "(unknown)"), tags.ReadAs, tags.Oldest, tags.Newest, tested.Nomad, tested.Consul, tested.Traefik)
}

func (p Program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the versions of Nomad and Traefik that it knows",
		Long: `version prints what this binary was made from, as --version does, and what it
knows of other programs: whose job specifications it reads, from which to which
version it knows Traefik's tags, and with which versions it was tested.`,
		Example: "  draingate version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), p.version())
			return err
		},
	}
}
