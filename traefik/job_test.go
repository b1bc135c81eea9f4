package traefik_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

const webPath = model.Path(`group["web"].service[0]`)

func webJob(tags, canaryTags []string) model.Job {
	return model.Job{ID: "shop", Meta: map[string]string{"host": "shop.example", "deep": "${NOMAD_ALLOC_ID}"}, Groups: []model.Group{{
		Name: "web", Count: 2,
		Services: []model.Service{{Name: "${NOMAD_JOB_ID}-web", Tags: tags, CanaryTags: canaryTags}},
		Tasks:    []model.Task{{Name: "server", Meta: map[string]string{"host": "task.example"}, Services: []model.Service{{Name: "admin", Tags: tags}}}},
	}}}
}

func TestReadJobReadsEachServiceByItsPath(t *testing.T) {
	got := traefik.ReadJob(defaults(), "", webJob([]string{"traefik.http.routers.${NOMAD_TASK_NAME}.rule=Host(`${NOMAD_META_HOST}`)"}, nil))
	require.Len(t, got, 2)
	group, task := got[webPath], got[`group["web"].task["server"].service[0]`]
	if diff := cmp.Diff(group.Stable, group.Canary); diff != "" {
		t.Errorf("without canary_tags a canary is like the others (-stable +canary):\n%s", diff)
	}
	require.Equal(t, map[string]string{"${NOMAD_TASK_NAME}@consulcatalog": "shop-web@consulcatalog"}, group.Stable.RouterServices, "a group's service has no task")
	require.Equal(t, map[string]string{"server@consulcatalog": "admin@consulcatalog"}, task.Stable.RouterServices)
	require.Contains(t, group.Stable.Definitions[0].Content, "Host(`shop.example`)")
	require.Contains(t, task.Stable.Definitions[0].Content, "Host(`task.example`)", "a task's own meta comes first")
	require.NotEqual(t, group.Stable.Services[0].HostPort, task.Stable.Services[0].HostPort)
	require.Contains(t, group.Stable.Services[0].HostPort, ".invalid:")
}

func TestCanariesAreReadBesideTheOthers(t *testing.T) {
	read := func(tags, canaryTags []string) model.ServiceTags {
		return traefik.ReadJob(defaults(), "", webJob(tags, canaryTags))[webPath]
	}
	got := read([]string{"traefik.enable=true"}, []string{"traefik.enable=false"})
	require.True(t, got.Stable.Exposed, "without canaries nothing contradicts")
	require.Contains(t, got.Canary.Unknown, "disagree")
	require.Equal(t, &model.TagSwitch{Index: 0, Tag: "traefik.enable=false"}, got.Canary.Enable)

	got = read([]string{"v1"}, []string{"traefik.http.routers.next.rule=Host(`next`)"})
	require.Equal(t, []string{"shop-web@consulcatalog"}, got.Stable.Routers)
	require.Equal(t, []string{"next@consulcatalog"}, got.Canary.Routers, "canary_tags come instead of the tags")
}

func TestExpressionsThatOnlyNomadCanFillIn(t *testing.T) {
	tests := map[string]struct {
		tag     string
		unknown string
		routers string
	}{
		"in a name":                     {"traefik.http.routers.web-${NOMAD_JOB_NAME}.rule=x", "", "web-${NOMAD_JOB_NAME}"},
		"with dots in a name":           {"traefik.http.routers.web-${attr.unique.hostname}.rule=x", "", "web-${attr_unique_hostname}"},
		"in a number":                   {"traefik.http.routers.web.priority=${NOMAD_ALLOC_INDEX}", "priority", ""},
		"in place of an option":         {"traefik.http.routers.web.${NOMAD_META_option}=x", "option", ""},
		"in place of a tag":             {"${NOMAD_META_deep}", "deep", ""},
		"in place of a tag's beginning": {"${NOMAD_META_prefix}.enable=false", "prefix", ""},
		"that no tag can be":            {"${NOMAD_ALLOC_ID}", "", "shop-web"},
		"in another's tag":              {"urlprefix-${NOMAD_META_host2}/", "", "shop-web"},
		"that is not closed":            {"traefik.http.routers.web.rule=Host(`${NOMAD`)", "", "web"},
		"where a value may be missing":  {"traefik.enable${NOMAD_META_x}", "enable", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := traefik.ReadJob(defaults(), "", webJob([]string{tt.tag}, nil))[webPath].Stable
			require.Empty(t, got.Err)
			require.Equal(t, tt.unknown != "", got.Unknown != "", "%+v", got)
			require.Contains(t, got.Unknown, tt.unknown)
			if tt.routers != "" {
				require.Equal(t, []string{tt.routers + "@consulcatalog"}, got.Routers)
			}
		})
	}
}

func TestAProblemNamesItsTag(t *testing.T) {
	tags := []string{"v1", "traefik.http.routers.web.rulee=${NOMAD_META_host}", "traefik.http.middlewares.r.retry.status=502", "traefik.http.routers.a].rule=x"}
	want := []model.TagProblem{
		{Index: 1, Tag: tags[1], Message: "field not found, node: rulee", Near: "http.routers.web.rule", OneNear: true},
		{Index: 2, Tag: tags[2], Message: "Traefik takes it from 3.7.0 on, and this is 3.6.12", Since: "3.7.0"},
		{Index: 3, Tag: tags[3], Freezes: true},
	}
	got := traefik.ReadJob(defaults(), "", webJob(tags, nil))[webPath].Stable.Problems
	require.Len(t, got, len(want))
	require.Contains(t, got[2].Message, "panics")
	got[2].Message = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestVersionsOfKeys(t *testing.T) {
	err := func(version, tag string) string {
		return traefik.ReadJob(defaults(), version, webJob([]string{tag}, nil))[webPath].Stable.Err
	}
	tests := map[string]struct {
		tag, before, since string
	}{
		"a URL":                   {"traefik.http.services.s.loadbalancer.server.url=http://a", "3.3.9", "3.4.0"},
		"another case":            {"traefik.HTTP.Services.s.LoadBalancer.Server.URL=http://a", "3.3.9", "3.4.0"},
		"a block":                 {"traefik.http.middlewares.m.ratelimit.redis.db=1", "3.3.9", "3.4.0"},
		"at any depth":            {"traefik.http.middlewares.m.inflightreq.sourcecriterion.ipstrategy.ipv6subnet=64", "3.1.7", "3.2.0"},
		"the more special counts": {"traefik.http.routers.r.observability.traceverbosity=detailed", "3.4.5", "3.5.0"},
		"after a patch":           {"traefik.http.middlewares.m.forwardauth.maxresponsebodysize=1", "3.6.8", "3.6.9"},
		"newer than the schema":   {"traefik.http.services.s.middlewares=a", "3.6.18", "v3.7.0-rc.1"},
		"a TCP health check":      {"traefik.tcp.services.s.loadbalancer.healthcheck.port=1", "3.5.6", "3.6.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, err(tt.before, tt.tag), "and this is "+tt.before)
			got := err(tt.since, tt.tag)
			if !strings.Contains(got, "loadBalancer") { // a service of nothing but middlewares
				require.Empty(t, got)
			}
		})
	}
}

// FuzzReadJob proves that no tags make the reading of a job panic, differ from
// one time to the next, or say nothing.
func FuzzReadJob(f *testing.F) {
	f.Add("traefik.http.routers.${NOMAD_JOB_NAME}.rule=x\nv1", "traefik.enable=false", "3.7.0")
	f.Add("traefik.http.routers.a].rule=x\n${", "${NOMAD_META_host}=", "2")
	f.Add("traefik.http.middlewares.m.retry.status=5\ntraefik.http.zzz=1", "", "x.y")
	f.Fuzz(func(t *testing.T, tags, canaryTags, version string) {
		job := webJob(strings.Split(tags, "\n"), strings.Split(canaryTags, "\n"))
		first := traefik.ReadJob(defaults(), version, job)
		if diff := cmp.Diff(first, traefik.ReadJob(defaults(), version, job)); diff != "" {
			t.Errorf("read twice (-first +second):\n%s", diff)
		}
		for path, r := range first {
			for _, reading := range []model.TagReading{r.Stable, r.Canary} {
				if reading.Exposed != (reading.Err == "" && reading.Unknown == "" && reading.Excluded == "") {
					t.Errorf("%s: %+v", path, reading)
				}
			}
		}
	})
}
