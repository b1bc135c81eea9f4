package options_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func valid() options.Run {
	o := options.Default()
	o.Traefik.Services = []string{"traefik"}
	return o
}

func TestDefaultIsValidButForTraefik(t *testing.T) {
	require.NoError(t, valid().Validate())
	require.ErrorContains(t, options.Default().Validate(), "--traefik-service")
	require.Equal(t, status.DefaultListen, options.Default().Listen)
}

func TestValidateAccepts(t *testing.T) {
	dir := t.TempDir()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	ca := write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw})))
	tests := map[string]func(*options.Run){
		"a URL alone":            func(o *options.Run) { o.Traefik = options.Traefik{APIScheme: "http", URLs: []string{"https://t/base"}} },
		"a file":                 func(o *options.Run) { o.Traefik.Config = write(t, dir, "t.yml", "") },
		"a user with a password": func(o *options.Run) { o.Traefik.APIUser, o.Traefik.APIPasswordFile = "u", write(t, dir, "pw", "x\n") },
		"an authority for https": func(o *options.Run) { o.Traefik.APIScheme, o.Traefik.APICA = "https", ca },
		"an authority for a URL": func(o *options.Run) { o.Traefik.URLs, o.Traefik.APICA = []string{"https://t"}, ca },
		"no margin":              func(o *options.Run) { o.Margin = 0 },
		"parks on every address": func(o *options.Run) {
			o.Park = options.Park{Address: "10.0.0.7", Bind: "::", FirstPort: 21000, LastPort: 21000, PerService: 1, Requests: 1}
		},
		"every address, any free port": func(o *options.Run) { o.Listen = ":0" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			o := valid()
			change(&o)
			require.NoError(t, o.Validate())
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	dir := t.TempDir()
	missing, empty := filepath.Join(dir, "missing"), write(t, dir, "empty", " \n")
	tests := map[string]struct {
		change func(*options.Run)
		want   []string
	}{
		"a URL without a scheme":       {func(o *options.Run) { o.Traefik.URLs = []string{"10.0.0.5:8080"} }, []string{"--traefik-url", "http://"}},
		"a URL with credentials":       {func(o *options.Run) { o.Traefik.URLs = []string{"http://me:hunter2@h"} }, []string{"--traefik-url", "--traefik-api-password-file"}},
		"a bad URL with credentials":   {func(o *options.Run) { o.Traefik.URLs = []string{"http://me:hunter2@h:x"} }, []string{"--traefik-url"}},
		"credentials without a scheme": {func(o *options.Run) { o.Traefik.URLs = []string{"me:hunter2@h"} }, []string{"--traefik-url"}},
		"a URL with a query":           {func(o *options.Run) { o.Traefik.URLs = []string{"http://h/?x=hunter2"} }, []string{"--traefik-url"}},
		"an address for a service":     {func(o *options.Run) { o.Traefik.Services = []string{"http://h:1"} }, []string{"--traefik-service", "--traefik-url"}},
		"a service without a name":     {func(o *options.Run) { o.Traefik.Services = []string{""} }, []string{"--traefik-service"}},
		"a file that is not there":     {func(o *options.Run) { o.Traefik.Config = missing }, []string{"--traefik-config", missing}},
		"a directory for a file":       {func(o *options.Run) { o.Traefik.Config = dir }, []string{"--traefik-config", "regular file"}},
		"a negative port":              {func(o *options.Run) { o.Traefik.APIPort = -1 }, []string{"--traefik-api-port"}},
		"a port too high":              {func(o *options.Run) { o.Traefik.APIPort = 65536 }, []string{"--traefik-api-port"}},
		"another scheme":               {func(o *options.Run) { o.Traefik.APIScheme = "h2" }, []string{"--traefik-api-scheme", "https"}},
		"a relative base path":         {func(o *options.Run) { o.Traefik.APIBasePath = "x" }, []string{"--traefik-api-base-path"}},
		"a user without a password":    {func(o *options.Run) { o.Traefik.APIUser = "u" }, []string{"needs --traefik-api-password-file"}},
		"a password without a user":    {func(o *options.Run) { o.Traefik.APIPasswordFile = empty }, []string{"needs --traefik-api-user"}},
		"an empty password": {func(o *options.Run) { o.Traefik.APIUser, o.Traefik.APIPasswordFile = "u", empty },
			[]string{"--traefik-api-password-file", "empty"}},
		"a password file that is not there": {func(o *options.Run) { o.Traefik.APIUser, o.Traefik.APIPasswordFile = "u", missing },
			[]string{"--traefik-api-password-file", missing}},
		"an authority without https":  {func(o *options.Run) { o.Traefik.APICA = empty }, []string{"--traefik-api-ca", "https"}},
		"a name without https":        {func(o *options.Run) { o.Traefik.APIServerName = "x" }, []string{"--traefik-api-server-name", "https"}},
		"an authority that is none":   {func(o *options.Run) { o.Traefik.APIScheme, o.Traefik.APICA = "https", empty }, []string{"--traefik-api-ca", "PEM"}},
		"an authority not there":      {func(o *options.Run) { o.Traefik.APIScheme, o.Traefik.APICA = "https", missing }, []string{"--traefik-api-ca", missing}},
		"a certificate without https": {func(o *options.Run) { o.Traefik.APICert = empty }, []string{"--traefik-api-cert", "https"}},
		"a certificate without a key": {func(o *options.Run) { o.Traefik.APIScheme, o.Traefik.APICert = "https", empty }, []string{"--traefik-api-cert needs --traefik-api-key"}},
		"a key without a certificate": {func(o *options.Run) { o.Traefik.APIScheme, o.Traefik.APIKey = "https", empty }, []string{"--traefik-api-key needs --traefik-api-cert"}},
		"a certificate not there": {func(o *options.Run) {
			o.Traefik.APIScheme, o.Traefik.APICert, o.Traefik.APIKey = "https", missing, empty
		}, []string{"--traefik-api-cert", missing}},
		"a key not there": {func(o *options.Run) {
			o.Traefik.APIScheme, o.Traefik.APICert, o.Traefik.APIKey = "https", empty, missing
		}, []string{"--traefik-api-key", missing}},
		"a certificate that is none":      {func(o *options.Run) { o.Traefik.APIScheme, o.Traefik.APICert, o.Traefik.APIKey = "https", empty, empty }, []string{"--traefik-api-cert", "PEM"}},
		"a negative margin":               {func(o *options.Run) { o.Margin = -time.Second }, []string{"--margin -1s"}},
		"a mode that is none":             {func(o *options.Run) { o.DefaultMode = model.Mode("enforced") }, []string{"--default-mode", "enforce, observe or off"}},
		"a fence that is none":            {func(o *options.Run) { o.Fence = "yes" }, []string{"--fence \"yes\"", "auto, always, never or off"}},
		"a name to be reached at":         {func(o *options.Run) { o.Park.Address = "node1" }, []string{`--park-address "node1"`, "10.0.0.7"}},
		"an address with a port":          {func(o *options.Run) { o.Park.Bind = "10.0.0.7:80" }, []string{`--park-bind "10.0.0.7:80"`, "without a port"}},
		"every address, to be reached at": {func(o *options.Run) { o.Park.Address = "0.0.0.0" }, []string{"--park-address 0.0.0.0", "--park-bind"}},
		"an address for no parks":         {func(o *options.Run) { o.Park.Off, o.Park.Bind = true, "10.0.0.7" }, []string{"--no-park"}},
		"ports in the wrong order":        {func(o *options.Run) { o.Park.FirstPort, o.Park.LastPort = 22000, 21000 }, []string{"--park-ports 22000-21000"}},
		"ports of root":                   {func(o *options.Run) { o.Park.FirstPort, o.Park.LastPort = 80, 90 }, []string{"--park-ports 80-90", "1024"}},
		"ports without a first":           {func(o *options.Run) { o.Park.LastPort = 9000 }, []string{"--park-ports 0-9000"}},
		"nobody may wait":                 {func(o *options.Run) { o.Park.PerService = 0 }, []string{"--park-requests 0", "1 to"}},
		"too many may wait":               {func(o *options.Run) { o.Park.PerService, o.Park.Requests = 2_000_000, 2_000_000 }, []string{"--park-requests 2000000"}},
		"fewer in all than for one":       {func(o *options.Run) { o.Park.Requests = 5 }, []string{"--park-requests-total 5", "(10000)"}},
		"no time for a fence":             {func(o *options.Run) { o.FenceTimeout = 0 }, []string{"--fence-timeout 0s", "1s or more"}},
		"no word for the fence":           {func(o *options.Run) { o.Fence = "" }, []string{"--fence"}},
		"an address without a port":       {func(o *options.Run) { o.Listen = "localhost" }, []string{"--listen", "127.0.0.1:4689"}},
		"a port that is no number":        {func(o *options.Run) { o.Listen = "localhost:http" }, []string{"--listen"}},
		"a key with a leading slash":      {func(o *options.Run) { o.Leader.Key = "/x" }, []string{"--leader-key", "draingate/leader"}},
		"no key":                          {func(o *options.Run) { o.Leader.Key = "" }, []string{"--leader-key"}},
		"a TTL that Consul refuses":       {func(o *options.Run) { o.Leader.TTL = 9 * time.Second }, []string{"--leader-ttl 9s", "10s"}},
		"a TTL beyond the lock delay":     {func(o *options.Run) { o.Leader.TTL = 61 * time.Second }, []string{"--leader-ttl", "1m0s"}},
		"an address that is anywhere":     {func(o *options.Run) { o.Leader.Advertise = "0.0.0.0:4689" }, []string{"--advertise", "10.0.0.7:4689"}},
		"an address without a host":       {func(o *options.Run) { o.Leader.Advertise = ":4689" }, []string{"--advertise"}},
		"an address that is a URL":        {func(o *options.Run) { o.Leader.Advertise = "http://10.0.0.7:4689" }, []string{"--advertise"}},
		"an address with a user":          {func(o *options.Run) { o.Leader.Advertise = "u:p@10.0.0.7:4689" }, []string{"--advertise"}},
		"an address on port 0":            {func(o *options.Run) { o.Leader.Advertise = "10.0.0.7:0" }, []string{"--advertise"}},
		"a poll that never rests":         {func(o *options.Run) { o.PollInterval = 0 }, []string{"--poll-interval", "50ms"}},
		"a poll that comes too late":      {func(o *options.Run) { o.PollInterval = 2 * time.Second }, []string{"--poll-interval", "1s"}},
		"no workers":                      {func(o *options.Run) { o.Workers = 0 }, []string{"--workers"}},
		"too many workers":                {func(o *options.Run) { o.Workers = 65 }, []string{"--workers"}},
		"a log format that is unknown":    {func(o *options.Run) { o.LogFormat = "xml" }, []string{"--log-format"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := valid()
			tt.change(&o)
			err := o.Validate()
			require.Error(t, err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "hunter2")
			require.Len(t, strings.Split(err.Error(), "\n"), 1, "one line")
		})
	}
}

func write(t *testing.T, dir, name, body string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(name, []byte(body), 0o600))
	return name
}
