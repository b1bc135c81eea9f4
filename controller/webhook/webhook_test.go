package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// results counts what became of events.
type results struct {
	mu    sync.Mutex
	count map[string]int
}

func (r *results) done(result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == nil {
		r.count = map[string]int{}
	}
	r.count[result]++
}

func (r *results) get(result string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[result]
}

// stubTransport answers in place of a server, so that time can be a bubble's.
type stubTransport func(*http.Request) (int, error)

func (f stubTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	code, err := f(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: code, Body: http.NoBody, Header: http.Header{"Location": {"http://elsewhere.test/"}}, Request: r}, nil
}

func sender(t *testing.T, o Options, answer stubTransport) *Sender {
	t.Helper()
	if o.URL == "" {
		o.URL = "https://hooks.test/services/T0P5ECRET"
	}
	s, err := New(o)
	require.NoError(t, err)
	if answer != nil {
		s.client.Transport = answer
	}
	return s
}

// running runs the sender until the function that it returns is called.
func running(ctx context.Context, s *Sender) func() {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { _ = s.Run(ctx) })
	return func() { cancel(); work.Wait() }
}

func TestEventsArriveSignedAndInOrder(t *testing.T) {
	for name, secret := range map[string]string{"as it is": "hunter2", "of Standard Webhooks": "whsec_" + base64.StdEncoding.EncodeToString([]byte("hunter2"))} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var got []string
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mac := hmac.New(sha256.New, []byte("hunter2"))
				mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + string(body)))
				if r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				got = append(got, r.Header.Get("webhook-id")+string(body)+r.Header.Get("Content-Type")+r.UserAgent())
			}))
			defer receiver.Close()
			var r results
			s := sender(t, Options{URL: receiver.URL, Secret: secret, UserAgent: "draingate/x", Done: r.done}, nil)
			stop := running(t.Context(), s)
			var want []string
			for i := range 20 {
				id := fmt.Sprint("e-", i)
				s.Send(Event{ID: id, Body: []byte("{}")})
				want = append(want, id+"{}application/jsondraingate/x")
			}
			require.Eventually(t, func() bool { return r.get(Sent) == 20 }, 10*time.Second, time.Millisecond)
			stop()
			require.Equal(t, want, got)
		})
	}
}

func TestWhatIsTriedAgain(t *testing.T) {
	tests := map[string]struct {
		answers []int
		tries   int
		result  string
	}{
		"taken at once":               {[]int{204}, 1, Sent},
		"an error of the receiver's":  {[]int{500, 503, 200}, 3, Sent},
		"too many requests":           {[]int{429, 200}, 2, Sent},
		"no answer":                   {[]int{0, 0, 200}, 3, Sent},
		"a refusal is final":          {[]int{400, 200}, 1, Failed},
		"a redirect is not followed":  {[]int{307, 200}, 1, Failed},
		"a receiver that never takes": {nil, -1, Failed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r results
				tries := 0
				s := sender(t, Options{Done: r.done}, func(*http.Request) (int, error) {
					tries++
					if tries > len(tt.answers) {
						return 500, nil
					}
					if code := tt.answers[tries-1]; code != 0 {
						return code, nil
					}
					return 0, errors.New("connection refused")
				})
				stop := running(t.Context(), s)
				s.Send(Event{ID: "e"})
				time.Sleep(RetryFor + requestTimeout)
				synctest.Wait()
				require.Equal(t, 1, r.get(tt.result), "%v", r.count)
				if tt.tries >= 0 {
					require.Equal(t, tt.tries, tries)
				} else {
					require.Greater(t, tries, 5)
					require.Less(t, tries, 40)
				}
				stop()
			})
		})
	}
}

func TestAFullQueueDropsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r results
		var got []string
		s := sender(t, Options{Done: r.done}, func(req *http.Request) (int, error) {
			got = append(got, req.Header.Get(HeaderID))
			return 200, nil
		})
		for i := range QueueSize + 3 {
			s.Send(Event{ID: fmt.Sprint(i)})
		}
		require.Equal(t, QueueSize, s.Depth())
		require.Equal(t, 3, r.get(Dropped))
		stop := running(t.Context(), s)
		synctest.Wait()
		stop()
		require.Equal(t, "3", got[0])
		require.Len(t, got, QueueSize)
	})
}

// At the end what waits is sent, but not for longer than DrainTimeout.
func TestTheEndIsBounded(t *testing.T) {
	for name, hangs := range map[string]bool{"a receiver that answers gets all": false, "one that hangs does not hold up": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r results
				s := sender(t, Options{Done: r.done}, func(req *http.Request) (int, error) {
					if hangs {
						<-req.Context().Done()
						return 0, req.Context().Err()
					}
					time.Sleep(10 * time.Millisecond)
					return 200, nil
				})
				for i := range 20 {
					s.Send(Event{ID: fmt.Sprint(i)})
				}
				stop := running(t.Context(), s)
				began := time.Now()
				stop()
				require.LessOrEqual(t, time.Since(began), DrainTimeout)
				if hangs {
					require.Equal(t, 20, r.get(Dropped), "%v", r.count)
				} else {
					require.Equal(t, 20, r.get(Sent), "%v", r.count)
				}
			})
		})
	}
}

// Neither the URL, whose path may be a secret, nor the key is in the log.
func TestTheLogShowsNoSecret(t *testing.T) {
	var log strings.Builder
	ctx := logr.NewContext(t.Context(), funcr.New(func(prefix, args string) { log.WriteString(prefix + args + "\n") }, funcr.Options{Verbosity: 9}))
	var r results
	s := sender(t, Options{URL: "http://user:PASSW0RD@127.0.0.1:1/T0P5ECRET?key=T0P5ECRET", Secret: "HMACK3Y", Done: r.done}, nil)
	stop := running(ctx, s)
	s.Send(Event{ID: "e"})
	require.Eventually(t, func() bool { return s.Depth() == 0 }, 5*time.Second, time.Millisecond)
	stop()
	require.Contains(t, log.String(), "http://127.0.0.1:1")
	for _, secret := range []string{"PASSW0RD", "T0P5ECRET", "HMACK3Y", "user"} {
		require.NotContains(t, log.String(), secret)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"no URL":                     {URL: "hooks.test/S3CRET"},
		"another scheme":             {URL: "ftp://S3CRET@hooks.test"},
		"a URL that is none":         {URL: "http://S3CRET@ho st/%zz"},
		"a secret that is no base64": {URL: "https://hooks.test", Secret: "whsec_S3CRET!"},
		"a secret that is empty":     {URL: "https://hooks.test", Secret: "whsec_"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(o)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "S3CRET")
		})
	}
}
