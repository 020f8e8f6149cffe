// The reading of a secret.

package secretsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// maxSecret bounds what is read as one secret, in bytes. Source: GitHub's documentation of secrets.
	maxSecret = 48 << 10
	// stopTime is how long a command may take to end after it was told to.
	stopTime = 2 * time.Second
)

var errTooLong = fmt.Errorf("it is longer than %d KiB, which is all that GitHub takes", maxSecret>>10)

// Reader reads secrets. Its fields are the outside world, so that a caller decides what each source can see.
type Reader struct {
	Getenv func(string) string
	Stdin  io.Reader // nil means there is none
	Stderr io.Writer // what commands say beside their output; nil is nobody
}

// Read returns the secret at a source with exactly one trailing newline (LF or CRLF) taken off. A secret that is empty or
// blank, that is longer than 48 KiB, or that holds a NUL is refused. Errors name the place and never the secret.
func (r Reader) Read(ctx context.Context, source Source) (Value, error) {
	raw, err := r.read(ctx, source)
	text := strings.TrimSuffix(raw, "\n")
	if len(text) < len(raw) {
		text = strings.TrimSuffix(text, "\r")
	}
	switch {
	case err != nil:
	case strings.ContainsRune(text, 0):
		err = errors.New("it is binary (holds a NUL byte)")
	case strings.TrimSpace(text) == "":
		err = errors.New("it is empty")
	}
	if err != nil {
		return Value{}, fmt.Errorf("read secret from %q: %w", source, err)
	}
	return NewValue(text), nil
}

func (r Reader) read(ctx context.Context, source Source) (string, error) {
	switch source.Kind {
	case Env:
		text := r.Getenv(source.Name)
		if text == "" {
			return "", errors.New("the variable is not set, or empty")
		}
		return text, nil
	case File:
		file, err := os.Open(source.Name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		return bounded(file)
	case Stdin:
		if r.Stdin == nil {
			return "", errors.New("there is no standard input")
		}
		return bounded(r.Stdin)
	case Command:
		return r.output(ctx, source.Args)
	}
	return "", errors.New("unknown source, want " + Forms)
}

// bounded reads all of r, and refuses more than maxSecret.
func bounded(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxSecret:
		return "", errTooLong
	}
	return string(data), nil
}

// output runs a program without a shell and without standard input, and returns what it prints.
func (r Reader) output(ctx context.Context, args []string) (string, error) {
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Stderr, command.WaitDelay = r.Stderr, stopTime
	pipe, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the program is not installed or not on PATH")
	case err != nil:
		return "", err
	}
	text, err := bounded(pipe)
	pipe.Close() // stops whoever writes more
	if end := command.Wait(); err == nil {
		err = end
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return text, err
}
