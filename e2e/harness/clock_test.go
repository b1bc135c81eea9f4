package harness

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestTheClockIsReplacedInSource(t *testing.T) {
	const imported = `; import jump_clock "github.com/draingate/draingate/e2e/jump"`
	tests := map[string]struct {
		source  string
		want    string // empty for a file that is left alone
		wantErr string
	}{
		"calls and values": {
			source: "package p // p\n\nimport \"time\"\n\nvar a, b = time.Now(), time.Now // time.Now\nvar c = time.Since(time.Time{}) + time.Until(time.Now())\n",
			want: "package p" + imported + " // p\n\nimport \"time\"\n\nvar a, b = jump_clock.Now(), jump_clock.Now // time.Now\n" +
				"var c = jump_clock.Since(time.Time{}) + jump_clock.Until(jump_clock.Now())\n\nvar _ time.Time\n",
		},
		"another name of the package": {
			source: "package p\nimport clock \"time\"\nvar a = clock.Now()\n",
			want:   "package p" + imported + "\nimport clock \"time\"\nvar a = jump_clock.Now()\n\nvar _ clock.Time\n",
		},
		"a variable of that name": {source: "package p\nimport \"time\"\nfunc f(time interface{ Now() int }) int { return time.Now() }\nvar d time.Duration\n"},
		"something else's Now":    {source: "package p\nimport time \"example.org/time\"\nvar a = time.Now()\n"},
		"no clock":                {source: "package p\nimport \"time\"\nvar d time.Duration\n"},
		"imported for nothing":    {source: "package p\nimport _ \"time\"\n"},
		"without a name":          {source: "package p\nimport . \"time\"\nvar a = Now()\n", wantErr: "p.go"},
		"no Go":                   {source: "package", wantErr: "p.go"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := withClock("p.go", []byte(tt.source))
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
