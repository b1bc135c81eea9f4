package jobspecs_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/jobspecs"
)

// large is a source of about that many bytes: many groups of an ordinary kind.
func large(t testing.TB, size int) jobspecs.Source {
	t.Helper()
	src, err := jobspecs.Read("testdata/ok/canary.nomad.hcl", nil)
	require.NoError(t, err)
	text := string(src.Content)
	begin, end := strings.Index(text, "  group \"web\""), strings.LastIndex(text, "}")
	var out strings.Builder
	out.WriteString(text[:begin])
	for i := 0; out.Len() < size; i++ {
		out.WriteString(strings.Replace(text[begin:end], `"web"`, fmt.Sprintf(`"web-%d"`, i), 1))
	}
	out.WriteString("}\n")
	return jobspecs.Source{Name: "large.nomad.hcl", Content: []byte(out.String())}
}

// BenchmarkParse reads one source of each kind; a specification a pass.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"minimal.nomad.hcl", "canary.nomad.hcl", "dynamic.nomad.hcl", "locals.nomad.hcl", "bare.nomad.json"} {
		path := filepath.Join("testdata", "ok", name)
		src, err := jobspecs.Read(path, nil)
		require.NoError(b, err)
		benchmark(b, name, src, optionsOf(b, path))
	}
	for _, size := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20} {
		benchmark(b, fmt.Sprintf("%dKiB", size>>10), large(b, size), jobspecs.Options{})
	}
}

func benchmark(b *testing.B, name string, src jobspecs.Source, o jobspecs.Options) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(src.Content)))
		for b.Loop() {
			if _, err := jobspecs.Parse(src, o); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "specs/s")
	})
}
