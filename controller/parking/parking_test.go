package parking

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a condition is waited for: longer than anything here
// takes on a busy machine.
const patience = 20 * time.Second

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// open returns a lot of a garage of its own, which is closed at the end.
func open(t testing.TB, options LotOptions) *Lot {
	t.Helper()
	return openIn(t, New(Options{}), options)
}

func openIn(t testing.TB, g *Garage, options LotOptions) *Lot {
	t.Helper()
	if options.Name == "" {
		options.Name = "web"
	}
	if options.Wait == 0 {
		options.Wait = time.Minute
	}
	options.Address = "127.0.0.1"
	l, err := g.Open(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g.Close(ctx)
	})
	return l
}

func waiting(t testing.TB, l *Lot, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d requests wait", n), func() bool { return l.Figures().Waiting == n })
}

// instance is a real instance that counts what it gets.
type instance struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

// newInstance runs the handler, or one that says who it is.
func newInstance(t testing.TB, handler http.HandlerFunc) *instance {
	t.Helper()
	i := &instance{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.seen = append(i.seen, r.RequestURI)
		i.mu.Unlock()
		if handler != nil {
			handler(w, r)
			return
		}
		fmt.Fprint(w, "served ", r.RequestURI)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *instance) backend() Backend { return Backend{ID: i.URL, Address: i.Listener.Addr().String()} }

func (i *instance) requests() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.seen...)
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// client returns one that keeps connections, as a proxy does.
func newClient(t testing.TB) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// do sends the request and returns its answer when there is one.
func do(client *http.Client, r *http.Request) answer {
	res, err := client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: string(body), err: err}
}

// request makes one for the lot.
func request(ctx context.Context, t testing.TB, l *Lot, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+l.Addr().String()+path, body)
	require.NoError(t, err)
	return r
}

// send sends the request in a goroutine of its own.
func send(client *http.Client, r *http.Request) <-chan answer {
	out := make(chan answer, 1)
	go func() { out <- do(client, r) }()
	return out
}

func get(t testing.TB, client *http.Client, l *Lot, path string) <-chan answer {
	t.Helper()
	return send(client, request(context.Background(), t, l, http.MethodGet, path, nil))
}

// receive waits for an answer.
func receive(t testing.TB, from <-chan answer) answer {
	t.Helper()
	select {
	case a := <-from:
		return a
	case <-time.After(patience):
		t.Fatal("no answer")
		return answer{}
	}
}

// park sends n requests, each when the one before it waits.
func parkRequests(t testing.TB, client *http.Client, l *Lot, n int) []<-chan answer {
	t.Helper()
	out := make([]<-chan answer, n)
	for i := range out {
		out[i] = get(t, client, l, fmt.Sprintf("/%d", i))
		waiting(t, l, i+1)
	}
	return out
}

// raw is a connection on which a test writes what it likes.
type raw struct {
	net.Conn
	*bufio.Reader
}

func (r raw) Read(p []byte) (int, error) { return r.Reader.Read(p) }

func dialRaw(t testing.TB, address string) raw {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(context.Background(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return raw{Conn: conn, Reader: bufio.NewReader(conn)}
}

func (r raw) say(t testing.TB, lines ...string) {
	t.Helper()
	_, err := io.WriteString(r.Conn, strings.Join(lines, "\r\n"))
	require.NoError(t, err)
}

func (r raw) response(t testing.TB) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(r.Reader, nil)
	require.NoError(t, err)
	return res
}

// rawInstance hands each connection to the function, one after another, and counts
// them.
type rawInstance struct {
	net.Listener
	mu    sync.Mutex
	conns int
}

func newRawInstance(t testing.TB, serve func(raw)) *rawInstance {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	i := &rawInstance{Listener: listener}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			i.mu.Lock()
			i.conns++
			i.mu.Unlock()
			_ = conn.SetDeadline(time.Now().Add(patience))
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(raw{Conn: conn, Reader: bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); all.Wait() })
	return i
}

func (i *rawInstance) backend() Backend {
	return Backend{ID: i.Addr().String(), Address: i.Addr().String()}
}

func (i *rawInstance) connections() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.conns
}

// refusing returns a backend that refuses each dial, at a port that nobody else
// can take, and what makes it listen.
func refusing(t testing.TB) (Backend, func() net.Listener) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	socket := os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { _ = socket.Close() })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	return Backend{ID: "refusing", Address: address}, func() net.Listener {
		require.NoError(t, syscall.Listen(fd, 1))
		listener, err := net.FileListener(socket)
		require.NoError(t, err)
		return listener
	}
}
