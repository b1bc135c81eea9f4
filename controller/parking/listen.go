package parking

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Ports is a range of TCP ports, with both ends. Its zero value leaves the choice
// to the system.
type Ports struct{ First, Last uint16 }

// errPorts is a range that names no port.
var errPorts = errors.New("the range of ports ends before it begins: give it as FIRST-LAST")

// listen takes the first port of the range that is free.
func listen(ctx context.Context, host string, ports Ports) (net.Listener, error) {
	if ports.Last < ports.First {
		return nil, fmt.Errorf("%w, not %d-%d", errPorts, ports.First, ports.Last)
	}
	var config net.ListenConfig
	for port := int(ports.First); port <= int(ports.Last); port++ {
		address := net.JoinHostPort(host, strconv.Itoa(port))
		listener, err := config.Listen(ctx, "tcp", address)
		if err == nil {
			return listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("all ports %d-%d of %q are in use: give more, or free one", ports.First, ports.Last, host)
}
