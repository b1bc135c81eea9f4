package cli

import (
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/lint"
)

func (p Program) lintOptions(o options.Lint, s lint.Settings) lint.Options {
	out := lint.Options{Paths: o.Paths, Against: o.Against, Stdin: p.Stdin, Settings: s, Margin: o.Margin}
	out.Specs.Vars, out.Specs.VarFiles, out.Specs.Env = o.Vars, o.VarFiles, p.Environ
	return out
}

func lintTraefik(l options.Lint) lint.Traefik {
	o := l.Traefik
	t := lint.Traefik{Config: o.Config, PasswordFile: o.APIPasswordFile, Version: strings.TrimPrefix(l.TraefikVersion, "v")}
	if len(o.URLs) > 0 {
		t.API.URL = o.URLs[0]
	}
	t.API.CertFile, t.API.KeyFile = o.APICert, o.APIKey
	t.API.BasePath, t.API.Username, t.API.CAFile, t.API.ServerName = o.APIBasePath, o.APIUser, o.APICA, o.APIServerName
	return t
}

// asNomadSpells lets lint take -var and -var-file with one dash, as Nomad's own
// command does; the flag library would take them for letters.
func asNomadSpells(args []string) []string {
	if len(args) == 0 || args[0] != "lint" {
		return args
	}
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(arg, "=")
		if name == "-var" || name == "-var-file" {
			out[i] = "-" + arg
		}
	}
	return out
}
