package main

import (
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestParseOptions(t *testing.T) {
	tests := map[string]struct {
		args    string
		want    options
		wantErr string
	}{
		"nothing":          {want: options{rate: 200, acts: []int{1, 2, 3}}},
		"everything":       {args: "-rate 500 -act 3,1,3 -keep", want: options{rate: 500, acts: []int{1, 3}, keep: true}},
		"no such act":      {args: "-act 4", wantErr: `-act "4"`},
		"no act":           {args: "-act=", wantErr: `-act ""`},
		"no rate":          {args: "-rate 0", wantErr: "-rate 0"},
		"too much":         {args: "-rate 2001", wantErr: "1 to 2000"},
		"an argument":      {args: "2", wantErr: `"2"`},
		"an unknown flag":  {args: "-acts 2", wantErr: "-acts"},
		"a rate of nobody": {args: "-rate many", wantErr: "many"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := parseOptions(strings.Fields(tt.args), &out)
			require.Empty(t, out.String(), "help is printed only where it is asked for")
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Errorf("options of %q (-want +got):\n%s", tt.args, diff)
			}
		})
	}
}

func TestHelpHasExamples(t *testing.T) {
	var out bytes.Buffer
	_, err := parseOptions([]string{"-h"}, &out)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, want := range []string{"-rate", "-act NUMBERS", "-keep", "go run ./e2e/demo -act 2", "130"} {
		require.Contains(t, out.String(), want)
	}
}

func TestNamedCure(t *testing.T) {
	got, err := namedCure(`S must be at least 18.524s. Cure: submit the running version with group shutdown_delay = "19s" and nothing else changed`)
	require.NoError(t, err)
	require.Equal(t, 19*time.Second, got)
	for _, text := range []string{"", "wait", `shutdown_delay = "soon"`} {
		_, err := namedCure(text)
		require.Error(t, err, "%q", text)
	}
}

func TestNamedServices(t *testing.T) {
	got := namedServices("first take them out (on their node: consul maint -enable -service=_nomad-task-1-a, -service=_nomad-task-2-b) and wait 17.5s; then submit")
	require.Equal(t, []string{"_nomad-task-1-a", "_nomad-task-2-b"}, got)
	require.Empty(t, namedServices("submit the running version"))
}

// The two sides may differ in their name, in what follows from it, and in who
// promotes.
func TestSidesDifferOnlyInWhoPromotes(t *testing.T) {
	for _, a := range allActs() {
		left, right := a.job(false), a.job(true)
		require.True(t, left.AutoPromote)
		require.False(t, right.AutoPromote)
		require.Equal(t, "off", left.Meta["draingate_mode"])
		require.Equal(t, "enforce", right.Meta["draingate_mode"])
		left.Name, left.AutoPromote = right.Name, right.AutoPromote
		left.Meta["draingate_mode"] = "enforce"
		left.Tags = left.Route("traefik")
		if diff := cmp.Diff(right, left); diff != "" {
			t.Errorf("act %d: the sides differ (-right +left):\n%s", a.number, diff)
		}
	}
}

func TestVersionIn(t *testing.T) {
	for text, want := range map[string]string{
		"Nomad v1.11.3\nBuildDate 2026": "1.11.3", "Consul v1.22.3\nRevision": "1.22.3",
		"Version:      3.6.12\nCodename:     cheddar": "3.6.12", "": "of unknown version",
	} {
		if got := versionIn(text); got != want {
			t.Errorf("version in %q: got %q, want %q", text, got, want)
		}
	}
}

func TestParentDirIsShortEnoughForSockets(t *testing.T) {
	for temporary, want := range map[string]string{"/tmp": "/tmp", "/var/tmp": "/var/tmp", "/var/folders/ab/cdefghijkl/T": "/tmp"} {
		if got := parentDir(temporary); got != want {
			t.Errorf("parent for %q: got %q, want %q", temporary, got, want)
		}
	}
}
