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
	LookupEnv func(string) (string, bool)
	Stdin     io.Reader // nil means there is none
	Stderr    io.Writer // what commands say beside their output; nil is nobody
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
		text, set := r.LookupEnv(source.Name)
		if !set {
			return "", errors.New("the variable is not set")
		}
		return text, nil
	case File:
		file, err := os.Open(source.Name)
		if err != nil {
			return "", cause(err)
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
		return "", cause(err)
	case len(data) > maxSecret:
		return "", errTooLong
	}
	return string(data), nil
}

// output runs a program without a shell and without standard input, and returns what it prints.
func (r Reader) output(ctx context.Context, args []string) (string, error) {
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.WaitDelay = stopTime
	var stdout capped
	command.Stdout, command.Stderr = &stdout, r.Stderr
	err := command.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the program is not installed or not on PATH")
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case stdout.over:
		return "", errTooLong
	case err != nil:
		return "", cause(err)
	}
	return stdout.text.String(), nil
}

// capped takes maxSecret bytes; whoever writes more is stopped. The buffer is not embedded: its ReadFrom would go round
// Write.
type capped struct {
	text strings.Builder
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.over = c.text.Len()+len(p) > maxSecret; c.over {
		return 0, errTooLong
	}
	return c.text.Write(p)
}

// cause drops the path from an operating system's error: the message around it names it already.
func cause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
