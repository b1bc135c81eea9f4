package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/jobspecs"
)

func (p Program) lintOptions(ctx context.Context, o options.Lint, s lint.Settings) (lint.Options, error) {
	out := lint.Options{Paths: o.Paths, Against: o.Against, Stdin: p.Stdin, Settings: s, Margin: o.Margin}
	out.Specs.Vars, out.Specs.VarFiles, out.Specs.Env = o.Vars, o.VarFiles, p.Environ
	if len(o.Jobs) == 0 && !o.AgainstLive {
		return out, nil
	}
	nomad, err := p.liveJobs()
	if err != nil {
		return out, err
	}
	out.Namespace = o.Namespace
	if o.AgainstLive {
		out.Running = func(namespace, id string) (*jobspecs.File, error) {
			return ask(ctx, nomad, namespace, id)
		}
	}
	out.Jobs, err = readJobs(ctx, nomad, o)
	return out, err
}

func (p Program) lintTraefik(l options.Lint) lint.Traefik {
	o := l.Traefik
	t := lint.Traefik{Config: o.Config, PasswordFile: o.APIPasswordFile, Version: strings.TrimPrefix(l.TraefikVersion, "v")}
	t.Specs.Vars, t.Specs.VarFiles, t.Specs.Env = l.Vars, l.VarFiles, p.Environ
	if len(o.URLs) > 0 {
		t.API.URL = o.URLs[0]
	}
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
