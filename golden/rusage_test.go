package golden_test

import (
	"os"
	"syscall"
)

// peakMemory returns the greatest resident size of a finished process in bytes, as Linux counts it; 0 if not known.
func peakMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss * 1024
	}
	return 0
}
