package nomad

import (
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// serveAsTask makes the test binary a task of a real Nomad, in the tests that
// have one: it serves until it is told to stop, and is healthy only where the
// task's environment says so.
func serveAsTask() bool {
	port := os.Getenv("DRAINGATE_TEST_TASK_PORT")
	if port == "" {
		return false
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("DRAINGATE_TEST_TASK_HEALTHY") == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", port), Handler: handler}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		_ = server.Close()
	}()
	_ = server.ListenAndServe()
	return true
}
