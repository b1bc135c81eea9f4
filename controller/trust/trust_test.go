package trust_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/trust"
)

func names() trust.Names {
	return trust.Names{CA: "X_CA", Cert: "X_CERT", Key: "X_KEY", ServerName: "X_NAME", Address: "X_ADDR"}
}

func TestWrapNamesWhatToSet(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	tests := map[string]struct {
		url  string
		tls  *tls.Config
		says string
	}{
		"an authority that is not known":   {secure.URL, &tls.Config{}, "X_CA"},
		"another name in the certificate":  {secure.URL, &tls.Config{RootCAs: pool, ServerName: "other.test"}, "X_NAME"},
		"no certificate of the client":     {secure.URL, &tls.Config{RootCAs: pool}, "X_CERT and X_KEY"},
		"a server that does not speak TLS": {"https" + plain.URL[len("http"):], &tls.Config{}, "X_ADDR to an address that starts with http://"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := http.Client{Transport: &http.Transport{TLSClientConfig: test.tls, DisableKeepAlives: true}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
			require.NoError(t, err)
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			err = names().Wrap(err)
			require.ErrorIs(t, err, trust.ErrHandshake)
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestWrapLeavesOtherErrorsAlone(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, io.EOF, errors.New("tls is a word")} {
		require.Equal(t, err, names().Wrap(err))
	}
}

func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, names().PlainHTTP("Client sent an HTTP request to an HTTPS server."), "set X_ADDR")
	require.NoError(t, names().PlainHTTP("Bad Request"))
}
