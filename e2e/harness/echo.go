package harness

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Echo is an open WebSocket to a sample, which sends back what it is told.
type Echo struct{ conn *websocket.Conn }

// Echo opens a WebSocket through this instance. It returns when the upgrade was
// answered; an answer that is no upgrade is an error that has its status.
func (t *Traefik) Echo(ctx context.Context, host string) (*Echo, error) {
	url := "ws" + strings.TrimPrefix(t.Entry, "http") + "/echo"
	conn, resp, err := websocket.DefaultDialer.DialContext(ctx, url, http.Header{"Host": {host}})
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		status := "no answer"
		if resp != nil {
			status = resp.Status
		}
		return nil, fmt.Errorf("open a WebSocket through %s: %w (%s)", t.Name, err, status)
	}
	return &Echo{conn: conn}, nil
}

// Say sends a message and returns the version that sent it back, and what it
// sent. It waits ten seconds at most.
func (e *Echo) Say(text string) (version, back string, err error) {
	if err := e.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", "", fmt.Errorf("bound a WebSocket: %w", err)
	}
	if err := e.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		return "", "", fmt.Errorf("send on a WebSocket: %w", err)
	}
	_, answer, err := e.conn.ReadMessage()
	if err != nil {
		return "", "", fmt.Errorf("receive on a WebSocket: %w", err)
	}
	version, back, _ = strings.Cut(string(answer), " ")
	return version, back, nil
}

// Close ends the connection.
func (e *Echo) Close() error { return e.conn.Close() }

// Stream reads the answer of a sample that takes the given time to write it,
// through this instance, and returns the version that each of its lines names.
// An answer that was cut is an error.
func (t *Traefik) Stream(ctx context.Context, host string, length time.Duration) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Entry+"/stream?for="+length.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("stream through %s: %w", t.Name, err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("stream through %s: %w", t.Name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("stream through %s: %s", t.Name, resp.Status)
	}
	var versions []string
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if lines.Text() == "end" {
			return versions, nil
		}
		versions = append(versions, strings.TrimPrefix(lines.Text(), "version "))
	}
	return versions, fmt.Errorf("stream through %s: cut after %d lines: %v", t.Name, len(versions), lines.Err()) //nolint:errorlint // nil where the stream just ends
}
