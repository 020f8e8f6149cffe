// Command garnix2gha turns a repository's garnix.yaml into GitHub Actions workflows.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	// A run lives for milliseconds: collecting garbage as eagerly as a server would is a third of its time. The limit
	// keeps a large flake below 200 MB all the same.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(150 << 20)
	os.Exit(process())
}

// process runs the program on this process's arguments and streams.
func process() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Work that cannot look at the context, such as an overlay without end, is given a moment and then cut off.
	context.AfterFunc(ctx, func() {
		stop()
		time.Sleep(5 * time.Second)
		os.Exit(exitFailure)
	})
	return run(ctx, os.Args[1:], environment{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv})
}
