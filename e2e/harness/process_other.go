//go:build !linux

package harness

import "syscall"

func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func guardAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
