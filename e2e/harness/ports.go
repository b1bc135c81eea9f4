package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are handed out in blocks, below the range from which Linux takes the
// local ports of outgoing connections (32768 up, ip_local_port_range), so that
// no client can sit on a port between the choice and the use of it.
const (
	portsFrom  = 10000
	portsTo    = 32000
	blockSize  = 2000
	ownPorts   = 600
	blockCount = (portsTo - portsFrom) / blockSize
	loopback   = "127.0.0.1"
)

// portBlock is a range of ports that belongs to one stack. Its first port is
// held open for the stack's lifetime and keeps other stacks, in this process
// or another, from using the block. Ports up to ownPorts are for servers, the
// rest is for the tasks of the Nomad clients: many more than run at one time,
// since Nomad gives away the port of an instance that it has told to stop, and
// that may still serve (hashicorp/nomad#24904).
type portBlock struct {
	base int
	lock net.Listener

	mu   sync.Mutex
	next int
}

// claimPorts takes a free block, trying all of them from a random one on.
func claimPorts() (*portBlock, error) {
	start := rand.IntN(blockCount)
	for i := range blockCount {
		base := portsFrom + (start+i)%blockCount*blockSize
		lock, err := net.Listen("tcp", address(base)) //nolint:noctx // it waits for nothing
		if err == nil {
			return &portBlock{base: base, lock: lock, next: base + 1}, nil
		}
	}
	return nil, errors.New("claim ports: every block between " + strconv.Itoa(portsFrom) + " and " + strconv.Itoa(portsTo) + " is taken")
}

// take returns the next port of the block on which nothing listens, over TCP
// and UDP. A port is handed out again only after all others were.
func (b *portBlock) take() (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range ownPorts - 1 {
		port := b.next
		if b.next++; b.next == b.base+ownPorts {
			b.next = b.base + 1
		}
		if portFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("take a port: the %d ports of block %d are in use", ownPorts, b.base)
}

// takeAll takes as many ports as there are pointers.
func (b *portBlock) takeAll(ports ...*int) error {
	for _, p := range ports {
		port, err := b.take()
		if err != nil {
			return err
		}
		*p = port
	}
	return nil
}

// tasks returns the first and last port for tasks of the i-th of n clients. Two
// that share an address must never hand out the same port.
func (b *portBlock) tasks(i, n int) (first, last int) {
	each := (blockSize - ownPorts) / n
	first = b.base + ownPorts + i*each
	return first, first + each - 1
}

// release gives the block back.
func (b *portBlock) release() { _ = b.lock.Close() }

func portFree(port int) bool {
	tcp, err := net.Listen("tcp", address(port)) //nolint:noctx // it waits for nothing
	if err != nil {
		return false
	}
	defer func() { _ = tcp.Close() }()
	udp, err := net.ListenPacket("udp", address(port)) //nolint:noctx // it waits for nothing
	if err != nil {
		return false
	}
	return udp.Close() == nil
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
