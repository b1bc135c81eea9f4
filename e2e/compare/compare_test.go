package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

func TestOptions(t *testing.T) {
	tests := map[string]struct {
		args    []string
		want    options
		wantErr string
	}{
		"all ways, once": {want: options{rate: 80, count: 1, ways: wayNames()}},
		"everything set": {
			args: []string{"-caddy", "/c", "-draingate", "/d", "-rate", "200", "-count", "3", "-sleep", "2s", "-ways", "caddy-srv, kamal-proxy"},
			want: options{caddy: "/c", draingate: "/d", rate: 200, sleep: 2 * time.Second, count: 3, ways: []string{"caddy-srv", "kamal-proxy"}},
		},
		"a way that is none":     {args: []string{"-ways", "nginx"}, wantErr: `there is no "nginx"`},
		"no load":                {args: []string{"-rate", "1"}, wantErr: "-rate 1"},
		"time that runs back":    {args: []string{"-sleep", "-1s"}, wantErr: "-sleep -1s"},
		"no run":                 {args: []string{"-count", "0"}, wantErr: "-count 0"},
		"an argument":            {args: []string{"caddy"}, wantErr: `"caddy" is no flag`},
		"a flag that is unknown": {args: []string{"-nginx"}, wantErr: "nginx"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseOptions(tt.args, os.Stderr)
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
	for _, want := range []string{"caddy-fixed-checked", "make compare CADDY=", "Exit codes"} {
		require.Contains(t, out.String(), want)
	}
}

func TestCaddyfiles(t *testing.T) {
	const head = "{\n\tadmin 127.0.0.1:1\n\tauto_https off\n}\nhttp://:2 {\n\tbind 127.0.0.1\n"
	const tail = "\n\t\tlb_try_duration 30s\n\t\tlb_try_interval 250ms\n\t}\n}\n"
	for name, tt := range map[string]struct {
		file caddyfile
		want string
	}{
		"one address": {file: caddyfile{Server: "127.0.0.1:3"}, want: "\treverse_proxy 127.0.0.1:3 {"},
		"one that is checked": {
			file: caddyfile{Server: "127.0.0.1:3", Checked: true},
			want: "\treverse_proxy 127.0.0.1:3 {\n\t\thealth_uri /readyz\n\t\thealth_interval 250ms\n\t\thealth_timeout 1s",
		},
		"a name of Consul's": {
			file: caddyfile{Name: "web.service.consul", DNS: "127.0.0.1:4"},
			want: "\treverse_proxy {\n\t\tdynamic srv web.service.consul {\n\t\t\trefresh 1s\n\t\t\tresolvers 127.0.0.1:4\n\t\t}\n" +
				"\t\ttransport http {\n\t\t\tresolvers 127.0.0.1:4\n\t\t}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.file.Admin, tt.file.Web = 1, 2
			got, err := tt.file.text()
			require.NoError(t, err)
			if diff := cmp.Diff(head+tt.want+tail, got); diff != "" {
				t.Errorf("Caddyfile (-want +got):\n%s", diff)
			}
		})
	}
}

// Who has no Caddy is told how to get one, and how to do without.
func TestWithoutCaddy(t *testing.T) {
	_, err := findCaddy(t.Context(), filepath.Join(t.TempDir(), "caddy"))
	require.ErrorContains(t, err, "find caddy: ")
	require.ErrorContains(t, err, "CADDY=DIR/usr/bin/caddy")
	require.ErrorContains(t, err, "WAYS=traefik,draingate,kamal-proxy")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTable(t *testing.T) {
	got := table([]result{
		{
			way: "caddy-srv", twice: 2,
			get:  harness.LoadReport{Requests: 10, Slowest: 6349 * time.Millisecond},
			post: harness.LoadReport{Requests: 11, Lost: 3, LostBy: map[string]int{"503": 1, "502": 2}, Slowest: 147 * time.Millisecond},
		},
		{way: "traefik"},
	})
	want := `| way | requests | GET lost | POST lost | longest wait | sent twice |
|---|---|---|---|---|---|
| caddy-srv | 21 | 0 | 3 (502: 2, 503: 1) | 6.35s | 2 |
| traefik | 0 | 0 | 0 | 0s | 0 |
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
