package cli_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli"
)

func TestWatchDrawsATreeInATerminal(t *testing.T) {
	master, slave := pty(t)
	resize(t, master, 100, 30)
	var out output
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			_, _ = out.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	e := serveStore(t)
	e.store.Record(held("CanaryNotHealthy"))
	end := running(t, cli.Program{Stdout: slave, Stderr: slave, Environ: []string{"NO_COLOR=1"}}, "status", "-w", "--addr", e.addr)
	out.has(t, "\x1b[?1049h\x1b[?25l", "default/web version 7 (aaaa1111) running: Hold CanaryNotHealthy", "── group app: 1 of 1 canaries placed", "── DrainSafe False")
	e.store.Record(held("DrainUnsafe"))
	out.has(t, "Hold DrainUnsafe")
	resize(t, master, 30, 30)
	out.has(t, "\x1b[Hdefault/web version 7 (aaaa111\x1b[K")
	resize(t, master, 100, 4)
	out.has(t, "… 4 more lines")
	resize(t, master, 100, 30)
	e.stop()
	out.has(t, "lost the events")
	require.Zero(t, end())
	out.has(t, "\x1b[?25h\x1b[?1049l")
	after := out.String()[strings.LastIndex(out.String(), "\x1b[?1049l"):]
	require.Contains(t, after, "Hold DrainUnsafe", "the last picture stays")
	require.NotContains(t, after, "\x1b[?25l")
	require.NoError(t, slave.Close())
	require.NoError(t, master.Close())
	<-copied
}

// pty opens a pseudo-terminal (pty(7)).
func pty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	var unlock, number int32
	control(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	control(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return master, slave
}

func resize(t *testing.T, terminal *os.File, width, height uint16) {
	t.Helper()
	size := [4]uint16{height, width}
	control(t, terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

func control(t *testing.T, f *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	raw, err := f.SyscallConn()
	require.NoError(t, err)
	var errno syscall.Errno
	require.NoError(t, raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument))
	}))
	require.Zero(t, errno)
}
