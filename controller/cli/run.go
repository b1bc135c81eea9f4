package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/model"
)

func (p Program) runCommand() *cobra.Command {
	o := options.Default()
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Watch deployments and promote where that is safe",
		Long: `run watches the deployments of all namespaces until it is told to stop.

Nomad and Consul are found by their own variables: NOMAD_ADDR, NOMAD_TOKEN,
NOMAD_CACERT, CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN and so on. Every flag can be
given as a variable instead: --poll-interval is DRAINGATE_POLL_INTERVAL. Lists
are separated by commas there. An HCL file that --config names can hold all of
them, as poll_interval = "1s" and traefik_service = ["traefik"]. A flag wins over
its variable, and that over the file.

With --dry-run it also applies the rules of lint to every live service job, with the
settings that each Traefik reports: see draingate status and /v1/lint. Nomad's token
needs read-job, for that list-jobs too.

Where the drain of a job is not proven to be long enough, its old instances are taken
out of rotation first, by Consul's maintenance, and the promotion follows once every
Traefik has dropped them: the fence. It needs an instance of draingate on each node of
an old instance, with the Consul agent of that node. --fence, and draingate_fence in a
job's meta, say where: auto, always or never. There is none with --no-leader or --fence off.

Where a job has draingate_park in its meta, requests to it wait between the end of its
only instance and the start of the next one: draingate registers placeholders in Consul
that every Traefik must reach, at --park-address and --park-ports. --park-requests bounds
how many wait; each has two open files while it is passed on. Nomad's token needs
list-jobs, and list on the variables draingate/jobs/*. There is none with --no-leader or
--no-park.

Of several instances one leads and promotes: the one that holds the lock of
--leader-key by a Consul session. The others pass questions for the status on to
it, and one of them takes over when it stops. Where Consul has ACLs on, the token
needs session_prefix "" { policy = "write" } and key_prefix "draingate/"
{ policy = "write" } besides what it reads; for the fence and for parks also agent_prefix ""
{ policy = "read" } and service_prefix "" { policy = "write" }. A dry run takes no part
in this.`,
		Example: `  # Every instance of the Consul service "traefik"; jobs are observed, none is promoted
  # unless its meta says draingate_mode = "enforce".
  draingate run --traefik-service traefik

  # Two instances by address, and what would be done, without doing it.
  draingate run --traefik-url http://10.0.0.5:8080 --traefik-url http://10.0.0.6:8080 --dry-run

  # One of several instances, whose status the others can reach.
  draingate run --traefik-service traefik --listen 10.0.0.7:4689

  # What it would use, and whether it can reach and may read all that it needs.
  draingate run --traefik-service traefik --check

  # Everything from a file.
  draingate run --config /etc/draingate.hcl

  # No instance is ever taken out of rotation: only a proven drain promotes. No
  # service is parked for.
  draingate run --traefik-service traefik --fence never --no-park

  # Services that are parked for, behind a firewall that lets these ports in.
  draingate run --traefik-service traefik --park-ports 21000-21099

  # An API that asks for credentials, on another port.
  draingate run --traefik-service traefik --traefik-api-port 9000 \
    --traefik-api-user gate --traefik-api-password-file /secrets/traefik

  # Each change of a decision posted to a chat; the URL is a secret, so not a flag.
  DRAINGATE_WEBHOOK_URL=https://hooks.example.com/T0/B0 draingate run --traefik-service traefik`,
		Args: cobra.NoArgs,
	}
	addRunFlags(cmd, &o)
	check := false
	cmd.Flags().BoolVar(&check, checkFlag, false, "say what would be used, and whether all that is needed can be reached, read and written; run nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from := sources{}
		from.note(cmd, func(flag string) string { return "--" + flag })
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		from.note(cmd, envName)
		if err := fromFile(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		from.note(cmd, func(string) string { return cmd.Flag(configFlag).Value.String() })
		if err := o.Validate(); err != nil {
			return exit.With(exit.Usage, err)
		}
		if p.Run == nil {
			return exit.With(exit.Usage, errors.New("this build has no controller in it"))
		}
		o.Version = p.version().Version
		if check {
			return p.check(cmd, o, from)
		}
		return p.Run(cmd.Context(), o, cmd.ErrOrStderr())
	}
	return cmd
}

// checkFlag names the flag that runs nothing.
const checkFlag = "check"

func addRunFlags(cmd *cobra.Command, o *options.Run) {
	f := cmd.Flags()
	f.SortFlags = false
	f.String(configFlag, "", "an HCL `FILE` with what neither a flag nor a variable says")
	f.StringSliceVar(&o.Traefik.Services, "traefik-service", nil, "a `NAME` of a Consul service whose instances are Traefik (repeatable)")
	f.StringSliceVar(&o.Traefik.URLs, "traefik-url", nil, "the base `URL` of one Traefik's API (repeatable)")
	f.StringVar(&o.Traefik.Config, "traefik-config", "", "a `FILE` with Traefik's static configuration, for a Traefik that cannot be asked")
	f.IntVar(&o.Traefik.APIPort, "traefik-api-port", o.Traefik.APIPort, "the `PORT` of the API of --traefik-service; 0 is the port that Consul has")
	f.StringVar(&o.Traefik.APIScheme, "traefik-api-scheme", o.Traefik.APIScheme, "http or https, for --traefik-service")
	f.StringVar(&o.Traefik.APIBasePath, "traefik-api-base-path", o.Traefik.APIBasePath, "the `PATH` before /api, for --traefik-service")
	f.StringVar(&o.Traefik.APIUser, "traefik-api-user", "", "the `USER` for basic authentication at the API")
	f.StringVar(&o.Traefik.APIPasswordFile, "traefik-api-password-file", "", "a `FILE` that holds the password of that user")
	f.StringVar(&o.Traefik.APICA, "traefik-api-ca", "", "a PEM `FILE` with the authorities to trust for an https API")
	f.StringVar(&o.Traefik.APICert, "traefik-api-cert", "", "a PEM `FILE` with the certificate to show to an https API that asks for one")
	f.StringVar(&o.Traefik.APIKey, "traefik-api-key", "", "a PEM `FILE` with the key of that certificate")
	f.StringVar(&o.Traefik.APIServerName, "traefik-api-server-name", "", "the `NAME` to expect in the API's certificate")
	f.DurationVar(&o.Margin, "margin", o.Margin, "what the old instances must serve longer than needed")
	f.Var(modeValue{&o.DefaultMode}, "default-mode", "what to do with a job without draingate_mode: enforce, observe or off")
	f.BoolVar(&o.DryRun, "dry-run", false, "decide and report, and never write; lint every live job")
	f.DurationVar(&o.HoldDeadline, "hold-deadline", o.HoldDeadline, "how long a deployment may wait for its promotion where its job does not say; 0 for any time")
	f.StringVar(&o.OnDeadline, "on-deadline", o.OnDeadline, "what happens then where the job does not say: hold, or fail if that loses nothing")
	f.StringVar(&o.Fence, "fence", o.Fence, "take old instances out of rotation before the promotion, where the job does not say: auto (where the drain is not proven), always or never; off: take part in no fence, whatever jobs say")
	f.DurationVar(&o.FenceTimeout, "fence-timeout", o.FenceTimeout, "how long old instances may take, besides the longest request, until no proxy routes to them; then they are put back")
	f.BoolVar(&o.Park.Off, "no-park", false, "park for no service, whatever jobs say")
	f.StringVar(&o.Park.Address, "park-address", "", "the `IP` at which every Traefik reaches this node, for services that are parked for (default what the Consul agent advertises)")
	f.StringVar(&o.Park.Bind, "park-bind", "", "the `IP` to listen on for them (default --park-address)")
	f.Var(portsValue{&o.Park.FirstPort, &o.Park.LastPort}, "park-ports", "the `FIRST-LAST` ports to listen on for them, one for each service (default any that is free)")
	f.IntVar(&o.Park.PerService, "park-requests", o.Park.PerService, "how many requests may wait for one service on this node")
	f.IntVar(&o.Park.Requests, "park-requests-total", o.Park.Requests, "how many may wait for all of them together")
	f.StringVar(&o.Listen, "listen", o.Listen, "the `HOST:PORT` of the status endpoint")
	f.StringVar(&o.Leader.Advertise, "advertise", "", "the `HOST:PORT` at which other instances reach the status endpoint (default --listen, unless that is loopback or no host)")
	f.StringVar(&o.Leader.Key, "leader-key", o.Leader.Key, "the `KEY` in Consul whose lock elects the one instance that writes; the same for all of one cluster")
	f.DurationVar(&o.Leader.TTL, "leader-ttl", o.Leader.TTL, "how long a leader that goes silent may still be one; another leads after three times as much")
	f.BoolVar(&o.Leader.Off, "no-leader", false, "elect nobody: this is the only instance, and must stay so; there is no fence then")
	f.BoolVar(&o.Pprof, "pprof", false, "serve /debug/pprof/ on the status endpoint")
	f.Var(levelValue{&o.LogLevel}, "log-level", "debug, info, warn or error")
	f.StringVar(&o.LogFormat, "log-format", o.LogFormat, "json or text")
	f.DurationVar(&o.PollInterval, "poll-interval", o.PollInterval, "how often a deployment that waits is looked at")
	f.StringVar(&o.Webhook.URL, "webhook-url", "", "a `URL` to post each change of a decision to")
	f.StringVar(&o.Webhook.SecretFile, "webhook-secret-file", "", "a `FILE` with the key that those are signed with")
	f.IntVar(&o.Workers, "workers", o.Workers, "how many deployments are looked at at the same time")
}

// modeValue is a flag for a mode. Validate says which ones there are.
type modeValue struct{ mode *model.Mode }

func (v modeValue) String() string {
	if v.mode == nil {
		return ""
	}
	return string(*v.mode)
}

func (v modeValue) Set(s string) error {
	*v.mode = model.Mode(s)
	return nil
}

func (v modeValue) Type() string { return "mode" }

// portsValue is a flag for a range of ports.
type portsValue struct{ first, last *uint16 }

func (v portsValue) String() string {
	if v.first == nil || *v.first == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%d", *v.first, *v.last)
}

func (v portsValue) Set(s string) error {
	if s == "" {
		*v.first, *v.last = 0, 0
		return nil
	}
	first, last, _ := strings.Cut(s, "-")
	low, err := strconv.ParseUint(first, 10, 16)
	high, err2 := strconv.ParseUint(cmp.Or(last, first), 10, 16)
	if err != nil || err2 != nil || low == 0 || high < low {
		return fmt.Errorf("give two ports, such as 21000-21099")
	}
	*v.first, *v.last = uint16(low), uint16(high)
	return nil
}

func (v portsValue) Type() string { return "ports" }

// levelValue is a flag for a level of the log: the four words, and not the
// sums such as INFO+2 that slog would also read.
type levelValue struct{ level *slog.Level }

func (v levelValue) String() string {
	if v.level == nil {
		return ""
	}
	return strings.ToLower(v.level.String())
}

func (v levelValue) Set(s string) error {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(l.String(), s) {
			*v.level = l
			return nil
		}
	}
	return fmt.Errorf("give debug, info, warn or error")
}

func (v levelValue) Type() string { return "level" }
