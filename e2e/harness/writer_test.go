package harness

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/nomad/jobspec2"
	"github.com/stretchr/testify/require"
)

func TestWritersThatMeetAreFound(t *testing.T) {
	for name, tt := range map[string]struct {
		journal string
		want    string
	}{
		"nobody":                              {},
		"one after the other":                 {journal: "begin a\nwork a x-0 1 f\nend a\nbegin b\nwork b x-1 1 f\nend b\n"},
		"the first was killed":                {journal: "begin a\nwork a x-0 1 f\nbegin b\nend b\n"},
		"one that still runs":                 {journal: "begin a\nend a\nbegin b\n"},
		"the second was refused":              {journal: "begin a\nrefused b by a\nend a\nbegin b\n", want: "line 2: b refused by a"},
		"the first was robbed":                {journal: "begin a\nbegin b\nrobbed a by b\n", want: "line 3: a robbed by b"},
		"the first writes on":                 {journal: "begin a\nbegin b\nwork a x-0 1 f\n", want: `line 3: a work while the writer was "b"`},
		"the first ends late":                 {journal: "begin a\nbegin b\nend a\nend b\n", want: `line 3: a end while the writer was "b"`},
		"one writes after its end":            {journal: "begin a\nend a\nwork a x-0 1 f\n", want: `line 3: a work while the writer was ""`},
		"one writes that never had the lock":  {journal: "work a x-0 1 f\n", want: `line 1: a work while the writer was ""`},
		"two of them in one and all are told": {journal: "begin a\nrefused b by a\nrefused c by a\n", want: "line 2: b refused by a; line 3: c refused by a"},
	} {
		t.Run(name, func(t *testing.T) {
			w := Writer(filepath.Join(t.TempDir(), "lock"))
			if tt.journal != "" {
				require.NoError(t, os.WriteFile(string(w)+".journal", []byte(tt.journal), 0o600))
			}
			journal, err := w.Journal()
			require.NoError(t, err)
			require.Equal(t, tt.want, Overlap(journal))
		})
	}
}

func TestJournalSaysWhatWasWritten(t *testing.T) {
	w := Writer(filepath.Join(t.TempDir(), "lock"))
	write := func(text string) { require.NoError(t, os.WriteFile(string(w)+".journal", []byte(text), 0o600)) }
	write("begin a\nwork a x-0 1 f\nwork a  0 -\nend a\nbegin b\nwork b x-1 1 f\nwork b x-0 1 f\n")
	journal, err := w.Journal()
	require.NoError(t, err)
	require.Equal(t, map[string]int{"x-0": 2, "x-1": 1}, Wrote(journal))
	require.Equal(t, []string{"a", "b"}, Writers(journal))
	write("begin a\nbegin\n")
	_, err = w.Journal()
	require.ErrorContains(t, err, "line 2")
}

// The job of a single writer is what Nomad makes of it.
func TestSampleOfASingleWriter(t *testing.T) {
	sample := Sample{
		Name: "web", Version: "2", NoCanary: true, AutoRevert: true, TaskService: true, Port: 4321, Crash: true,
		ShutdownDelay: 6 * time.Second, TaskShutdownDelay: 7 * time.Second, Park: 30 * time.Second, Writer: "/w/lock",
		Meta: map[string]string{"draingate_mode": "enforce"}, Services: []SampleService{{Name: "more", Tags: []string{"a"}}},
		More: []Sample{{Name: "web-api", Group: "api", Version: "2"}},
	}
	hcl, err := sample.HCL("/bin/sample")
	require.NoError(t, err)
	job, err := jobspec2.Parse("", strings.NewReader(hcl))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"draingate_mode": "enforce", "draingate_park": "30s"}, job.Meta)
	require.Equal(t, map[string]string{"draingate_mode": "enforce"}, sample.Meta, "what was given does not change")
	require.Len(t, job.TaskGroups, 2)
	group, task := job.TaskGroups[0], job.TaskGroups[0].Tasks[0]
	require.Empty(t, group.Services)
	require.Len(t, task.Services, 2)
	require.Equal(t, []string{"web", "more"}, []string{task.Services[0].Name, task.Services[1].Name})
	require.Len(t, task.Services[0].Checks, 1)
	require.Equal(t, []time.Duration{6 * time.Second, 7 * time.Second}, []time.Duration{*group.ShutdownDelay, task.ShutdownDelay})
	require.Equal(t, 0, *group.Update.Canary)
	require.True(t, *group.Update.AutoRevert)
	require.Equal(t, 4321, group.Networks[0].ReservedPorts[0].Value)
	require.Equal(t, []string{"/w/lock", "true"}, []string{task.Env["WRITER"], task.Env["CRASH"]})
	other := job.TaskGroups[1]
	require.Len(t, other.Services, 1)
	require.Empty(t, other.Tasks[0].Services)
	require.NotContains(t, other.Tasks[0].Env, "WRITER")
	require.Len(t, other.Networks[0].DynamicPorts, 1)
}

// An answer to a body that was cut or sent twice over is no good answer.
func TestLoadComparesBodies(t *testing.T) {
	for name, tt := range map[string]struct{ sum, lost string }{
		"the same": {sum: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
		"another":  {sum: "0", lost: lostGarbled},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Body-Sha256", tt.sum)
			}))
			t.Cleanup(server.Close)
			r := runLoad(t, LoadOptions{URL: server.URL, Rate: 100, Method: http.MethodPost, Body: "hello"}, 20)
			want := map[string]int{}
			if tt.lost != "" {
				want[tt.lost] = r.Requests
			}
			require.Equal(t, want, r.LostBy)
		})
	}
}

// A slow upload arrives whole, in its time, and its length is known before.
func TestLoadUploadsSlowly(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<12)
	var mu sync.Mutex
	shortest := time.Hour
	bad := 0
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began := time.Now()
		text, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		shortest = min(shortest, time.Since(began))
		if err != nil || string(text) != body || r.ContentLength != int64(len(body)) {
			bad++
		}
	}))
	t.Cleanup(server.Close)
	r := runLoad(t, LoadOptions{URL: server.URL, Rate: 20, Method: http.MethodPost, Body: body, Upload: 400 * time.Millisecond}, 10)
	require.Zero(t, r.Lost)
	require.Zero(t, bad, "requests whose body is another")
	require.Greater(t, shortest, 300*time.Millisecond)
	_, err := StartLoad(LoadOptions{URL: server.URL, Upload: time.Second})
	require.ErrorContains(t, err, "no body")
}

func TestLoadSpeaksHTTP2(t *testing.T) {
	for name, want := range map[string]string{"HTTP/1.1": "HTTP/1.1", "HTTP/2": "HTTP/2.0"} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Version", r.Proto)
			}))
			server.Config.Protocols = new(http.Protocols)
			server.Config.Protocols.SetHTTP1(true)
			server.Config.Protocols.SetUnencryptedHTTP2(true)
			server.Start()
			t.Cleanup(server.Close)
			r := runLoad(t, LoadOptions{URL: server.URL, Rate: 100, HTTP2: want == "HTTP/2.0", Method: http.MethodPost, Body: "b"}, 20)
			require.Equal(t, map[string]int{want: r.Requests}, r.Versions)
		})
	}
}
