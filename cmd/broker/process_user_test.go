//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// nobody is a user without rights.
const nobody = 65534

// asSomebodyElse runs a command as a user who is not this one, which only root can; others skip.
func asSomebodyElse(t *testing.T) func(*exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run a program as somebody else")
	}
	return asNobody
}

func asNobody(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// unprivileged runs a command, as nobody if this is root, for whom no file is closed, and gives that user the files.
func unprivileged(t *testing.T, paths ...string) func(*exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, path := range paths {
		ok(t, os.Lchown(path, nobody, nobody))
	}
	return asNobody
}
