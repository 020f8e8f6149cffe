//go:build !unix

package nix

import (
	"os"
	"os/exec"
)

func ownSession(*exec.Cmd) {}

func killSession(*exec.Cmd) {}

func killedBy(*os.ProcessState) int { return 0 }
