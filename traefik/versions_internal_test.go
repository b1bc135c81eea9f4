package traefik

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of versions and the schema must say the same of each key.
func TestTheSchemaHasTheKeysOfItsVersion(t *testing.T) {
	for _, k := range keyVersions() {
		key := strings.ReplaceAll(strings.ReplaceAll(k.key, "**", "m.ipallowlist"), "*", "x")
		require.Equal(t, olderThan(TagsVersion, k.since), !inSchema[rootLabels](key), key)
		require.Equal(t, olderThan(TagsVersion, k.since), inSchema[newerConfig](key), key)
		require.Equal(t, k.since, since("traefik."+key), key)
		require.False(t, olderThan(NewestVersion, k.since), key)
	}
	require.Empty(t, since("traefik.http.routers.web.rule"))
	require.Empty(t, since("traefik"))
}

func inSchema[Root any](key string) bool {
	t := reflect.TypeFor[Root]()
	for step := range strings.SplitSeq(key, ".") {
		if t = elem(t); t.Kind() == reflect.Map {
			t = t.Elem()
			continue
		}
		if t.Kind() != reflect.Struct {
			return false
		}
		known, ok := labelFields(t)[step]
		if !ok {
			return false
		}
		t = known
	}
	return true
}

func TestOlderThan(t *testing.T) {
	order := []string{"", "2.11.3", "v3", "3.0.0", "3.4.9", "3.4.10", "v3.6.12", "3.7.0-rc.1", "3.10.0"}
	for i, a := range order {
		for j, b := range order {
			require.Equal(t, i < j, olderThan(a, b), "%s before %s", a, b)
		}
	}
	require.Zero(t, major("latest"))
	require.True(t, minorAfter("3.8.0", NewestVersion))
	require.False(t, minorAfter("3.7.99", NewestVersion))
	require.Equal(t, 2, major("v2.11"))
}
