// Package options holds what a person sets for a run of the controller, its
// defaults and what makes it invalid.
//
// It must not parse flags or start anything: package cli fills it in and
// package app obeys it.
package options

import (
	"log/slog"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// The two formats of the log.
const (
	LogJSON = "json"
	LogText = "text"
)

// Run is everything that `draingate run` can be told. Nomad and Consul are
// found by their own environment variables, which are not repeated here.
type Run struct {
	Traefik Traefik
	Leader  Leader
	// Margin is what S must have in hand over T + L.
	Margin time.Duration
	// DefaultMode is the mode of a job that does not set draingate_mode.
	DefaultMode model.Mode
	// HoldDeadline is how long a deployment may wait for its promotion where its
	// job does not say, 0 for any time; OnDeadline, hold or fail, is what happens
	// then.
	HoldDeadline time.Duration
	OnDeadline   string
	// Fence is whether old instances are taken out of rotation before the
	// promotion where a job does not set draingate_fence: auto, always or never; or
	// off, where this process takes part in no fence whatever jobs say.
	Fence string
	// FenceTimeout is how long old instances may take, besides the longest
	// request, until no proxy routes to them.
	FenceTimeout time.Duration
	Park         Park
	// DryRun decides and reports, and never writes to any system.
	DryRun bool
	// Listen is the host:port of the status endpoint; port 0 takes a free one.
	Listen string
	// PollInterval is how often a deployment that waits is looked at.
	PollInterval time.Duration
	// Workers is how many deployments are looked at at the same time.
	Workers   int
	LogLevel  slog.Level
	LogFormat string
	// Pprof adds /debug/pprof/ to the status endpoint.
	Pprof   bool
	Webhook Webhook
	// Version is draingate's own, as the status endpoint and metrics show it.
	Version string
}

// Leader says how one of several instances is elected to write.
type Leader struct {
	// Off leaves the election out: no other instance may run then.
	Off bool
	// Key is the key of the lock in Consul's KV store, and TTL that of its session.
	Key string
	TTL time.Duration
	// Advertise is the host:port at which the others reach the status endpoint;
	// empty for the one that it listens on, if that is of use elsewhere.
	Advertise string
}

// Park says how this process parks for services that ask for it.
type Park struct {
	// Off leaves it out: no listener is opened, and no service is parked for by this
	// process.
	Off bool
	// Address is the IP address at which every Traefik reaches this node; empty for
	// the one that the Consul agent advertises. Bind is the address to listen on, empty
	// for Address.
	Address, Bind string
	// FirstPort to LastPort are the ports of the listeners; both 0 for any.
	FirstPort, LastPort uint16
	// Requests is how many may wait in this process, PerService for one service.
	Requests, PerService int
}

// Webhook says where changes of decisions are posted; the zero Webhook is none.
type Webhook struct {
	// URL may hold a secret, in its path as well, and is never shown.
	URL string
	// SecretFile is a file with the key that requests are signed with; empty for
	// no signature.
	SecretFile string
}

// Traefik says where the Traefik instances are and how to ask them.
type Traefik struct {
	// Services are names of services in Consul, every instance of which is a
	// Traefik process. The Port, Scheme and BasePath below apply to these.
	Services []string
	// URLs are base URLs of the API of one Traefik instance each.
	URLs []string
	// Config is a static configuration file, YAML or TOML, for instances that
	// cannot be asked; empty for none.
	Config string
	// APIPort is the port of the API; 0 takes the port that Consul has.
	APIPort     int
	APIScheme   string
	APIBasePath string
	// APIUser and the file with its password are for HTTP basic authentication.
	APIUser         string
	APIPasswordFile string
	// APICA is a PEM file with the authorities that are trusted for HTTPS, and
	// APIServerName the name to expect in the certificate; empty for defaults.
	APICA string
	// APICert and APIKey are PEM files with the certificate to show to an API
	// that asks for one, and its key. Both or none.
	APICert, APIKey string
	APIServerName   string
}

// The limits of what can be set.
const (
	MinPollInterval = 50 * time.Millisecond
	// MaxPollInterval leaves room below the age at which an answer no longer
	// counts as known.
	MaxPollInterval = time.Second
	MaxWorkers      = 64
	// MinLeaderTTL is the least that Consul takes for a session unless told
	// otherwise, and MaxLeaderTTL the longest lock delay that it keeps
	// (SessionTTLMin and MaxLockDelay, v1.22.3).
	MinLeaderTTL = 10 * time.Second
	MaxLeaderTTL = time.Minute
	// MinParkPort leaves out the ports that only root may listen on.
	MinParkPort = 1024
	// MaxParkRequests is what has some 20 GB of memory to itself, and more ports than
	// one address of a proxy has.
	MaxParkRequests = 1_000_000
)

// FenceOff is the value of --fence for a process that takes part in no fence, and
// so needs none of the rights for it.
const FenceOff = "off"

// Default returns the settings of a run that was told nothing. It lacks a
// Traefik, without which Validate refuses it.
func Default() Run {
	return Run{
		Traefik:      Traefik{APIScheme: "http"},
		Margin:       time.Second,
		DefaultMode:  model.ModeObserve,
		HoldDeadline: 30 * time.Minute,
		OnDeadline:   "hold",
		Fence:        model.FenceAuto,
		FenceTimeout: 2 * time.Minute,
		Park:         Park{Requests: 20_000, PerService: 10_000},
		Listen:       "127.0.0.1:4689",
		Leader:       Leader{Key: model.DefaultLeaderKey, TTL: MinLeaderTTL},
		PollInterval: 500 * time.Millisecond,
		Workers:      4,
		LogLevel:     slog.LevelInfo,
		LogFormat:    LogText,
	}
}
