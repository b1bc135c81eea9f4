// Command sample is the service that tests and the demo deploy: it warms up,
// says which version it is, and ends in the way it is told to.
//
// It must not be cleverer than the worst real service: without DRAIN it exits
// the moment it gets the stop signal, dropping what it is working on.
//
// It is configured by environment variables, as a Nomad task is:
//
//	ADDR        address to listen on, required
//	VERSION     reported in the body and the X-Version header of /
//	WARMUP      time after the start during which / and /readyz answer 503
//	DRAIN       time it goes on serving / after SIGINT or SIGTERM, while
//	            /readyz answers 503; 0 (the default) exits at once
//	SLEEP       time that / takes to answer; ?sleep=2s overrides it
//	NEVER_READY "true" makes /readyz answer 503 for ever; / is not affected
//	WORKED      folder with a file for each instance, to which the X-Request-Id
//	            of every request to / is added, a line each, before it is worked
//	            on; a request that cannot be noted is answered with 500
//	WRITER      file whose exclusive lock the process holds for its whole life; it
//	            ends with code 1 where it does not get it at once, or finds that
//	            somebody else has it too. WRITER.journal says who wrote when
//	CRASH       "true" ends the process with code 1 at its start
//
// / reads the whole body, and answers with its length and hash in X-Body-Bytes
// and X-Body-Sha256. /stream?for=2s answers with a line every 100ms, the last of
// which is "end". /echo is a WebSocket that sends each message back with the
// version before it. What is said of / here is true of these two as well.
//
// /readyz also answers 503 to who asks for another instance, by its allocation's
// ID in the header X-Alloc.
//
// PUT /admin/ready?ok=false turns /readyz to 503 without affecting /, and
// ?ok=true back. PUT /admin/exit is answered with 204, and then the process
// ends with code 1, as after a crash. /livez always answers 200.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	cfg, err := readConfig(os.LookupEnv)
	if err == nil {
		err = serve(stop, cfg, time.Now())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

// serve answers until stop is done, and then for as long as it is to drain.
func serve(stop context.Context, cfg config, now time.Time) (err error) {
	if cfg.crash {
		return errors.New("told to crash at the start")
	}
	svc := newService(cfg, now)
	closeLog, err := svc.keepWorklog()
	if err != nil {
		return err
	}
	defer closeLog()
	end, err := svc.beWriter()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	server := &http.Server{Addr: cfg.addr, Handler: svc.handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- listenAndServe(stop, server) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", cfg.addr, err)
	case err := <-svc.exit:
		_ = server.Close()
		return err
	case <-stop.Done():
	}
	if cfg.drain == 0 {
		// A hard exit: whatever is in flight is dropped.
		return server.Close()
	}
	svc.draining.Store(true)
	time.Sleep(cfg.drain)
	return shutdown(server, failed)
}

// bindWithin is how long a port that is in use is waited for. On a busy machine
// the port that Nomad chose can still be held for a moment by somebody else.
const bindWithin = 10 * time.Second

// listenAndServe serves on the server's address once that is free.
func listenAndServe(stop context.Context, server *http.Server) error {
	deadline := time.Now().Add(bindWithin)
	for {
		l, err := new(net.ListenConfig).Listen(stop, "tcp", server.Addr)
		if err == nil {
			return server.Serve(l)
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) || stop.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// shutdown lets the requests in flight finish, for a minute at most.
func shutdown(server *http.Server, failed <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
