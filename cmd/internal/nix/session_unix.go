//go:build unix

// The session of a process, which is ended as a whole.

package nix

import (
	"os"
	"os/exec"
	"syscall"
)

// ownSession makes a command lead a session of its own: what nix starts (git, ssh) is ended with it, and has no
// terminal to ask a question on that nobody would see.
func ownSession(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
}

// killSession ends what is left of a command that was told to stop; there may be nothing left.
func killSession(command *exec.Cmd) {
	if command.Process != nil {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}
}

// killedBy returns the number of the signal that ended a process, 0 if none did.
func killedBy(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return int(status.Signal())
	}
	return 0
}
