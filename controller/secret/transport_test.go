package secret

import (
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const mark = "M4RKED-3f1c"

// answer is a transport that gives always the same answer.
type answer struct {
	code   int
	header http.Header
	body   io.Reader
	err    error
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	header := a.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: a.code, Header: header, Body: io.NopCloser(a.body)}, nil
}

func asked(t *testing.T, a answer, authorize func(*http.Request)) (http.Header, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h/", nil)
	require.NoError(t, err)
	authorize(req)
	resp, err := Transport(a).RoundTrip(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp.Header, string(body), err
}

func TestARefusalShowsNoCredentials(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	encoded := base64.StdEncoding.EncodeToString
	tests := map[string]struct {
		authorize func(*http.Request)
		echo      []string
	}{
		"Nomad's token":    {header("X-Nomad-Token", mark), []string{mark, encoded([]byte(mark))}},
		"Consul's token":   {header("X-Consul-Token", mark), []string{mark, base64.RawURLEncoding.EncodeToString([]byte(mark))}},
		"a bearer":         {header("Authorization", "Bearer "+mark), []string{mark, "Bearer " + mark}},
		"a basic":          {func(r *http.Request) { r.SetBasicAuth("me", mark) }, []string{mark, "me:" + mark, encoded([]byte("me:" + mark))}},
		"one with a quote": {header("X-Nomad-Token", mark+`"x`), []string{mark + `"x`, mark + `\"x`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, echo := range tt.echo {
				for _, code := range []int{http.StatusFound, http.StatusForbidden, http.StatusBadGateway} {
					header, body, err := asked(t, answer{code: code, header: http.Header{"Location": {"/" + echo}}, body: strings.NewReader("denied: " + echo + ", sorry")}, tt.authorize)
					require.NoError(t, err)
					require.Contains(t, body, "denied: ")
					require.Contains(t, body, "…, sorry")
					for _, shown := range []string{body, header.Get("Location")} {
						require.NotContains(t, shown, mark)
						require.NotContains(t, shown, echo)
					}
				}
			}
		})
	}
}

func TestACompressedRefusalShowsNoCredentials(t *testing.T) {
	var zipped strings.Builder
	w := gzip.NewWriter(&zipped)
	_, err := io.WriteString(w, "denied: "+mark)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	header, body, err := asked(t, answer{code: 403, header: http.Header{"Content-Encoding": {"gzip"}}, body: strings.NewReader(zipped.String())},
		func(r *http.Request) { r.Header.Set("X-Nomad-Token", mark) })
	require.NoError(t, err)
	require.Equal(t, "denied: …", body)
	require.Empty(t, header.Get("Content-Encoding"))
}

func TestARefusalThatIsCutShowsNoBeginning(t *testing.T) {
	withToken := func(r *http.Request) { r.Header.Set("X-Nomad-Token", mark) }
	_, body, err := asked(t, answer{code: 500, body: strings.NewReader(strings.Repeat("x", maxRefusal-8) + mark)}, withToken)
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("x", maxRefusal-8), body)
	_, body, err = asked(t, answer{code: 500, body: io.MultiReader(strings.NewReader("denied: "+mark[:8]), failing{io.ErrUnexpectedEOF})}, withToken)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "denied: ", body)
}

func TestWhatIsNoRefusalIsLeftAlone(t *testing.T) {
	withToken := func(r *http.Request) { r.Header.Set("X-Nomad-Token", mark) }
	_, body, err := asked(t, answer{code: 200, body: strings.NewReader(mark)}, withToken)
	require.NoError(t, err)
	require.Equal(t, mark, body)
	_, body, err = asked(t, answer{code: 403, body: strings.NewReader("denied")}, func(*http.Request) {})
	require.NoError(t, err)
	require.Equal(t, "denied", body)
	broken := errors.New("refused")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h/", nil)
	require.NoError(t, err)
	_, err = Transport(answer{err: broken}).RoundTrip(req) //nolint:bodyclose // There is none.
	require.ErrorIs(t, err, broken)
}
