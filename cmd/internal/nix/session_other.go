//go:build !unix

// Processes where there are no sessions: nix is ended alone.

package nix

import (
	"os"
	"os/exec"
)

func ownSession(*exec.Cmd) {}

func killSession(*exec.Cmd) {}

func killedBy(*os.ProcessState) int { return 0 }
