package harness

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
)

func splitAddress(addr string) (string, int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("read address %q: %w", addr, err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return "", 0, fmt.Errorf("read address %q: %w", addr, err)
	}
	return host, n, nil
}

// hostPort of a server's URL, or the URL itself where it is none.
func hostPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw
	}
	return u.Host
}

// loopbackInterface is the name of the loopback's network interface.
func loopbackInterface() string {
	all, err := net.Interfaces()
	if err != nil {
		return "lo"
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	return "lo"
}
