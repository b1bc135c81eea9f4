package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/term"

	"github.com/draingate/draingate/controller/status"
)

const (
	// redraw is how often the tree is drawn at most, and also drawn although
	// nothing happened, so that ages and the size of the terminal are right.
	redraw = 250 * time.Millisecond
	// reconnectFirst is the pause before the first attempt to connect again.
	reconnectFirst = time.Second
	// watchPoll is how often everything is read where there are no events.
	watchPoll = 2 * time.Second
	// reconnectMost bounds the pause before another attempt.
	reconnectMost = 15 * time.Second
)

// news is what the following goroutine tells the one that prints.
type news struct {
	// event is nil where only the connection changed.
	event *status.Event
	// trouble says why there are no events; empty where there are.
	trouble string
	// polling is true for a controller that has no events.
	polling bool
	// resumed is true where events go on after the last one, so that nothing was
	// missed.
	resumed bool
}

// view is where what is watched is shown.
type view interface {
	// begin shows all that there is.
	begin(list []status.Deployment) error
	// change takes in one piece of news. It asks read for what there is now only
	// where the news alone do not tell.
	change(n news, read func() ([]status.Deployment, error)) error
	// tick shows the passing of time.
	tick(read func() ([]status.Deployment, error)) error
	// end leaves the terminal as it was.
	end()
}

// watch shows what changes until ctx ends, which is no error.
func (p Program) watch(ctx context.Context, client *status.Client, f statusFlags, args []string) error {
	filter := status.Filter{Namespace: f.namespace}
	if len(args) > 0 {
		filter.Job = args[0]
	}
	w := watcher{client: client, filter: filter, view: p.watchView(f)}
	// The first answer must come: a mistyped address is not waited for.
	list, err := w.read(ctx)
	if err != nil {
		return cannotAsk(f.addr, err)
	}
	// The tree takes over the terminal, so whatever happens it gives it back.
	defer w.view.end()
	if err := w.view.begin(list); err != nil {
		return err
	}
	return w.run(ctx)
}

// watchView is a tree for people, lines for programs.
func (p Program) watchView(f statusFlags) view {
	out, ok := p.Stdout.(*os.File)
	if f.json || !ok || !term.IsTerminal(int(out.Fd())) {
		return &lines{out: p.Stdout, json: f.json, known: map[string]status.Deployment{}}
	}
	return &screen{out: out, now: time.Now, palette: p.palette(), size: func() (int, int) {
		width, height, err := term.GetSize(int(out.Fd()))
		if err != nil {
			return 80, 24
		}
		return width, height
	}}
}

type watcher struct {
	client *status.Client
	filter status.Filter
	view   view
}

// run shows news as they come. The goroutine that follows is waited for.
func (w *watcher) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	heard, done := make(chan news), make(chan struct{})
	go func() { defer close(done); w.follow(ctx, heard) }()
	defer func() { cancel(); <-done }()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	read := func() ([]status.Deployment, error) { return w.read(ctx) }
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			err = w.view.tick(read)
		case n := <-heard:
			err = w.view.change(n, read)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// read returns the deployments that are wanted.
func (w *watcher) read(ctx context.Context) ([]status.Deployment, error) {
	all, err := w.client.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	return w.filter.Select(all), nil
}

// follow tells of every event, and connects again, after the last one, for as
// long as ctx lasts.
func (w *watcher) follow(ctx context.Context, to chan<- news) {
	tell := func(n news) {
		select {
		case to <- n:
		case <-ctx.Done():
		}
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = reconnectFirst, reconnectMost
	after, connected := "", false
	for ctx.Err() == nil {
		err := w.client.Events(ctx, after, w.filter, func() {
			pause.Reset()
			if !connected {
				tell(news{resumed: after != ""})
			}
			connected = true
		}, func(e status.Event) error {
			after = e.ID
			tell(news{event: &e})
			return nil
		})
		if noEvents(err) {
			w.poll(ctx, tell)
			return
		}
		connected = false
		next := pause.NextBackOff()
		tell(news{trouble: fmt.Sprintf("%s; trying again in %s", plain(err.Error()), next.Round(100*time.Millisecond))})
		rest(ctx, next)
	}
}

// poll is for a controller that has no events.
func (w *watcher) poll(ctx context.Context, tell func(news)) {
	for ctx.Err() == nil {
		tell(news{polling: true})
		rest(ctx, watchPoll)
	}
}

func noEvents(err error) bool {
	api, ok := errors.AsType[*status.APIError](err)
	return ok && (api.Code == http.StatusNotFound || api.Code == http.StatusMethodNotAllowed)
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
