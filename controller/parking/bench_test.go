package parking

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkDirect and BenchmarkForward are one request after another on a
// connection that is kept, without a lot and through one; p50-µs is the median. Its
// difference is what forwarding adds, and the bar is 500 µs.
func BenchmarkDirect(b *testing.B) {
	backend := newInstance(b, nil)
	median(b, backend.URL)
}

func BenchmarkForward(b *testing.B) {
	backend := newInstance(b, nil)
	l := open(b, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	median(b, "http://"+l.Addr().String())
}

func median(b *testing.B, url string) {
	b.Helper()
	client := newClient(b)
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/", nil)
	require.NoError(b, err)
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		begun := time.Now()
		if got := do(client, r); got.status != http.StatusOK {
			b.Fatal(got)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
}

// BenchmarkWaiting is what each request that waits costs: memory of the heap and
// of stacks, without what the kernel has.
func BenchmarkWaiting(b *testing.B) {
	const n = 4000
	const headers = "Host: example.com\r\nUser-Agent: Mozilla/5.0\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: example.com\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Server: edge\r\nX-Real-Ip: 192.0.2.1\r\n"
	for name, request := range map[string]string{
		"get":  "GET /a/path HTTP/1.1\r\n" + headers + "\r\n",
		"post": "POST /a/path HTTP/1.1\r\nContent-Length: 1000000\r\n" + headers + "\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				l := open(b, LotOptions{})
				conns := make([]net.Conn, n)
				before := memory()
				for i := range conns {
					conns[i] = dial(b, l)
					_, err := io.WriteString(conns[i], request)
					require.NoError(b, err)
				}
				waiting(b, l, n)
				// The clients' ends are in it too, some hundred bytes each.
				b.ReportMetric(float64(memory()-before)/n, "B/request")
				for _, c := range conns {
					_ = c.Close()
				}
				waiting(b, l, 0)
			}
		})
	}
}

func dial(b *testing.B, l *Lot) net.Conn {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", l.Addr().String())
	require.NoError(b, err)
	return conn
}

// memory is what the process has in use, after a collection.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
