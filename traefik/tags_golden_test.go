package traefik_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// instance is one service instance; its port tells it from all others.
type instance struct {
	id, service string
	port        int
	tags        []string
}

func (i instance) registration() model.Registration {
	return model.Registration{ServiceID: i.id, ServiceName: i.service, Address: "127.0.0.1", Port: i.port, Tags: i.tags}
}

// tagCase is one or more instances of one service and what a proxy shows.
type tagCase struct {
	instances []instance
	// listed is service=host:port for every place an instance is listed at.
	listed []string
	// routers is router>service.
	routers []string
	// err is part of the reading's Err, excluded of its Excluded.
	err, excluded string
}

// tagSet is a list of cases for one configuration of Traefik.
type tagSet struct {
	args     []string
	settings model.ProxySettings
	cases    map[string]tagCase
}

func one(service string, port int, tags ...string) []instance {
	return []instance{{id: service + "-1", service: service, port: port, tags: tags}}
}

func two(service string, port int, first, second []string) []instance {
	return []instance{
		{id: service + "-1", service: service, port: port, tags: first},
		{id: service + "-2", service: service, port: port + 1, tags: second},
	}
}

var tagCases = map[string]tagSet{
	"default": {
		settings: defaults(),
		cases: map[string]tagCase{
			"no tags at all get the service's name": {
				instances: one("plain", 31001),
				listed:    []string{"plain=127.0.0.1:31001"}, routers: []string{"plain>plain"},
			},
			"special characters of the service's name become hyphens": {
				instances: one("my_app.v2", 31002),
				listed:    []string{"my-app-v2=127.0.0.1:31002"}, routers: []string{"my-app-v2>my-app-v2"},
			},
			"a port override lists the instance there": {
				instances: one("port", 31003, "traefik.http.routers.r3.rule=Host(`r3`)", "traefik.http.services.s3.loadbalancer.server.port=31903"),
				listed:    []string{"s3=127.0.0.1:31903"}, routers: []string{"r3>s3"},
			},
			"a URL override lists the instance there": {
				instances: one("url", 31004, "traefik.http.services.s4.loadbalancer.server.url=https://127.0.0.9:31904"),
				listed:    []string{"s4=127.0.0.9:31904"}, routers: []string{"url>s4"},
			},
			"a URL without a port has its scheme's": {
				instances: one("urlport", 31005, "traefik.http.services.s5.loadbalancer.server.url=http://127.0.0.10"),
				listed:    []string{"s5=127.0.0.10:80"}, routers: []string{"urlport>s5"},
			},
			"a URL and a port remove the instance": {
				instances: one("both", 31006, "traefik.http.services.s6.loadbalancer.server.url=http://127.0.0.9:1", "traefik.http.services.s6.loadbalancer.server.port=2"),
				err:       "server.url excludes",
			},
			"of two services a router must say which": {
				instances: one("several", 31007,
					"traefik.http.services.s7a.loadbalancer.server.port=31907", "traefik.http.services.s7b.loadbalancer.server.scheme=https",
					"traefik.http.routers.r7a.rule=Host(`r7a`)", "traefik.http.routers.r7a.service=s7a", "traefik.http.routers.r7b.rule=Host(`r7b`)"),
				listed: []string{"s7a=127.0.0.1:31907", "s7b=127.0.0.1:31007"}, routers: []string{"r7a>s7a"},
			},
			"two services and no router get no router": {
				instances: one("norouter", 31008, "traefik.http.services.s8a.loadbalancer.passhostheader=true", "traefik.http.services.s8b.loadbalancer.passhostheader=true"),
				listed:    []string{"s8a=127.0.0.1:31008", "s8b=127.0.0.1:31008"},
			},
			"an unknown tag removes the instance": {
				instances: one("unknown", 31009, "traefik.http.routers.r9.rule=Host(`r9`)", "traefik.http.routers.r9.rulee=x"),
				err:       `tag "traefik.http.routers.r9.rulee=x": field not found`,
			},
			"a bad value removes the instance": {
				instances: one("badvalue", 31010, "traefik.http.services.s10.loadbalancer.healthcheck.interval=often"),
				err:       `tag "traefik.http.services.s10.loadbalancer.healthcheck.interval=often"`,
			},
			"the canary tag makes a router and a service of its own": {
				instances: one("canary", 31011, "traefik.consulcatalog.canary=true", "v2"),
				listed:    []string{"canary-8687280574039790457=127.0.0.1:31011"}, routers: []string{"canary-8687280574039790457>canary-8687280574039790457"},
			},
			"the canary tag does nothing to explicit names": {
				instances: one("named", 31012, "traefik.consulcatalog.canary=true", "traefik.http.routers.r12.rule=Host(`r12`)", "traefik.http.services.s12.loadbalancer.passhostheader=true"),
				listed:    []string{"s12=127.0.0.1:31012"}, routers: []string{"r12>s12"},
			},
			"enable=false excludes": {
				instances: one("off", 31013, "traefik.enable=false"),
				excluded:  "not enabled",
			},
			"TCP tags alone make nothing of HTTP": {
				instances: one("stream", 31014, "traefik.tcp.routers.t14.rule=HostSNI(`*`)", "traefik.tcp.routers.t14.entrypoints=stream", "traefik.tcp.services.t14.loadbalancer.server.tls=false"),
			},
			"TCP and HTTP tags make both": {
				instances: one("mixed", 31015, "traefik.tcp.routers.t15.rule=HostSNI(`t15`)", "traefik.tcp.routers.t15.entrypoints=stream", "traefik.http.routers.r15.rule=Host(`r15`)"),
				listed:    []string{"mixed=127.0.0.1:31015"}, routers: []string{"r15>mixed"},
			},
			"an unknown TCP tag removes the instance": {
				instances: one("badtcp", 31016, "traefik.tcp.routers.t16.rules=x", "traefik.http.routers.r16.rule=Host(`r16`)"),
				err:       `tag "traefik.tcp.routers.t16.rules=x"`,
			},
			"a weighted service is no load balancer and removes the instance": {
				instances: one("weighted", 31017, "traefik.http.services.s17.weighted.services[0].name=plain"),
				err:       "service s17: has no loadBalancer tag",
			},
			"middlewares, sticky cookies, weights and health checks are read": {
				instances: one("full", 31018,
					"traefik.http.routers.r18.rule=Host(`r18`)", "traefik.http.routers.r18.middlewares=c18, h18@consulcatalog",
					"traefik.http.middlewares.c18.chain.middlewares=r18", "traefik.http.middlewares.r18.retry.attempts=4",
					"traefik.http.middlewares.h18.headers.customrequestheaders.X-A=b", "traefik.http.middlewares.h18.headers.stsseconds=1",
					"traefik.http.services.s18.loadbalancer.sticky.cookie=true", "traefik.http.services.s18.loadbalancer.server.weight=3",
					"traefik.http.services.s18.loadbalancer.healthcheck.path=/readyz", "traefik.http.services.s18.loadbalancer.healthcheck.interval=10s"),
				listed: []string{"s18=127.0.0.1:31018"}, routers: []string{"r18>s18"},
			},
			"tags without an equals sign or with another prefix do not count": {
				instances: one("noise", 31019, "traefik.http", "urlprefix-/", "traefikish.http.bogus=1", "traefik.enable=TRUE", "Traefik.http.bogus=1", "traefik.tls.options.bogus=1"),
				listed:    []string{"noise=127.0.0.1:31019"}, routers: []string{"noise>noise"},
			},
			"one instance that says no excludes all of its service": {
				instances: two("family", 31020, nil, []string{"traefik.enable=false"}),
				excluded:  "not enabled",
			},
			"keys are read without case and names keep theirs": {
				instances: one("case", 31022, "traefik.HTTP.Routers.R22.Rule=Host(`r22`)"),
				listed:    []string{"case=127.0.0.1:31022"}, routers: []string{"R22>case"},
			},
			"a router may use a service of another provider": {
				instances: one("elsewhere", 31023, "traefik.http.routers.r23.rule=PathPrefix(`/r23`)", "traefik.http.routers.r23.service=noop@internal"),
				listed:    []string{"elsewhere=127.0.0.1:31023"}, routers: []string{"r23>noop@internal"},
			},
			"an instance of a service mesh is left out without connectAware": {
				instances: one("mesh", 31024, "traefik.consulcatalog.connect=true"),
				excluded:  "connectAware is false",
			},
			"an unknown key of the provider's own removes the instance": {
				instances: one("badown", 31025, "traefik.consulcatalog.canari=true"),
				err:       `tag "traefik.consulcatalog.canari=true"`,
			},
			"two instances with equal tags share a service": {
				instances: two("pair", 31026, []string{"traefik.http.routers.r26.rule=Host(`r26`)"}, []string{"traefik.http.routers.r26.rule=Host(`r26`)"}),
				listed:    []string{"pair=127.0.0.1:31026", "pair=127.0.0.1:31027"}, routers: []string{"r26>pair"},
			},
			"the last of two values for one key counts": {
				instances: one("twice", 31028, "traefik.http.services.s28.loadbalancer.server.port=31928", "traefik.http.services.s28.loadbalancer.server.port=31929"),
				listed:    []string{"s28=127.0.0.1:31929"}, routers: []string{"twice>s28"},
			},
		},
	},
	"gate": {
		args: []string{
			"--providers.consulcatalog.prefix=gate", "--providers.consulcatalog.exposedbydefault=false",
			"--providers.consulcatalog.constraints=Tag(`prod`) && !(TagRegex(`^old-`) || Tag(\"off\"))",
		},
		settings: change(func(s *model.ProxySettings) {
			s.Prefix, s.ExposedByDefault = "gate", false
			s.Constraints = "Tag(`prod`) && !(TagRegex(`^old-`) || Tag(\"off\"))"
		}),
		cases: map[string]tagCase{
			"enabled and matching": {
				instances: one("g1", 31101, "gate.enable=true", "prod"),
				listed:    []string{"g1=127.0.0.1:31101"}, routers: []string{"g1>g1"},
			},
			"not enabled": {
				instances: one("g2", 31102, "prod"), excluded: "not enabled",
			},
			"enable=1 enables and is not found by the filter on the tag": {
				instances: one("g3", 31103, "gate.enable=1", "prod"), excluded: "no tag is gate.enable=true",
			},
			"enable=TRUE is found by the filter": {
				instances: one("g4", 31104, "gate.enable=TRUE", "prod"),
				listed:    []string{"g4=127.0.0.1:31104"}, routers: []string{"g4>g4"},
			},
			"a missing tag fails the constraints": {
				instances: one("g5", 31105, "gate.enable=true"), excluded: "constraints",
			},
			"an excluded pattern fails the constraints": {
				instances: one("g6", 31106, "gate.enable=true", "prod", "old-1"), excluded: "constraints",
			},
			"a tag of one instance fails the constraints for all": {
				instances: two("g7", 31107, []string{"gate.enable=true", "prod"}, []string{"gate.enable=true", "prod", "off"}),
				excluded:  "constraints",
			},
			"the default prefix does not count": {
				instances: one("g9", 31109, "traefik.enable=true", "prod"), excluded: "not enabled",
			},
			"routers and services are read under the prefix": {
				instances: one("g10", 31110, "gate.enable=true", "prod", "gate.http.routers.g10r.rule=Host(`g10`)", "traefik.http.routers.no.bogus=1"),
				listed:    []string{"g10=127.0.0.1:31110"}, routers: []string{"g10r>g10"},
			},
			"an instance without the tag is left out while its sibling is in": {
				instances: two("g11", 31111, []string{"gate.enable=true", "prod"}, []string{"prod"}),
				listed:    []string{"g11=127.0.0.1:31111"}, routers: []string{"g11>g11"},
			},
		},
	},
}

func TestReadCatalogAgreesWithWhatTraefikShows(t *testing.T) {
	for setName, set := range tagCases {
		observed := readObserved(t, setName)
		var allRouters []string
		for name, c := range set.cases {
			allRouters = append(allRouters, c.routers...)
			t.Run(setName+": "+name, func(t *testing.T) {
				listed, routers := predict(t, set.settings, c)
				if diff := cmp.Diff(sorted(c.listed), listed); diff != "" {
					t.Errorf("predicted listings (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(sorted(c.routers), routers); diff != "" {
					t.Errorf("predicted routers (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(sorted(c.listed), observed.listings(c)); diff != "" {
					t.Errorf("what the real Traefik listed (-want +got):\n%s", diff)
				}
			})
		}
		allRouters = append(allRouters, "sentinel>sentinel")
		if setName == "default" {
			allRouters = append(allRouters, "consul>consul")
		}
		if diff := cmp.Diff(sorted(allRouters), observed.routers()); diff != "" {
			t.Errorf("%s: the routers of the real Traefik (-want +got):\n%s", setName, diff)
		}
	}
}

// predict reads all instances of a case and collects what they say.
func predict(t *testing.T, s model.ProxySettings, c tagCase) (listed, routers []string) {
	var regs []model.Registration
	for _, i := range c.instances {
		regs = append(regs, i.registration())
	}
	readings := traefik.ReadCatalog(s, regs)
	require.Len(t, readings, len(regs))
	excluded, refused := "", ""
	for _, r := range readings {
		excluded, refused = excluded+r.Excluded, refused+r.Err
		require.Empty(t, r.Unknown)
		require.Equal(t, r.Exposed, r.Excluded == "" && r.Err == "")
		for _, s := range r.Services {
			listed = append(listed, bare(s.Name)+"="+s.HostPort)
		}
		for router, service := range r.RouterServices {
			routers = append(routers, bare(router)+">"+bare(service))
		}
	}
	require.Contains(t, excluded, c.excluded)
	require.Contains(t, refused, c.err)
	return sorted(listed), sorted(routers)
}

// observed is /api/rawdata as the real Traefik answered.
type observed struct {
	Routers  map[string]struct{ Service string }
	Services map[string]struct {
		LoadBalancer struct{ Servers []struct{ URL string } }
	}
}

func readObserved(t *testing.T, name string) observed {
	content, err := os.ReadFile(filepath.Join("testdata", "tags", name+".json"))
	require.NoError(t, err)
	var out observed
	require.NoError(t, json.Unmarshal(content, &out))
	return out
}

// listings finds a case's instances by their ports, so that one that is
// listed where it should not be is found too.
func (o observed) listings(c tagCase) []string {
	own := make(map[string]bool)
	for _, i := range c.instances {
		own[net.JoinHostPort("127.0.0.1", strconv.Itoa(i.port))] = true
	}
	expected := make(map[string]bool)
	for _, l := range c.listed {
		expected[l] = true
	}
	var out []string
	for name, s := range o.Services {
		for _, server := range s.LoadBalancer.Servers {
			hostPort := traefik.HostPort(server.URL)
			if l := fmt.Sprintf("%s=%s", bare(name), hostPort); own[hostPort] || expected[l] {
				out = append(out, l)
			}
		}
	}
	return sorted(out)
}

func (o observed) routers() []string {
	var out []string
	for name, r := range o.Routers {
		if traefik.ProviderOf(name) == model.ProviderConsulCatalog {
			out = append(out, bare(name)+">"+bare(r.Service))
		}
	}
	return sorted(out)
}

// bare strips the Consul catalog's suffix, and no other.
func bare(name string) string {
	suffix := "@" + model.ProviderConsulCatalog
	if len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
		return name[:len(name)-len(suffix)]
	}
	return name
}

func sorted(in []string) []string {
	set := make(map[string]bool)
	for _, s := range in {
		set[s] = true
	}
	return slices.Sorted(maps.Keys(set))
}
