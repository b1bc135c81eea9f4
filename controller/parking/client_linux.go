package parking

import "golang.org/x/sys/unix"

// tcpEstablished is the state of a connection that neither end has closed
// (Linux, include/net/tcp_states.h).
const tcpEstablished = 1

func closed(fd uintptr) bool {
	info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State != tcpEstablished
}
