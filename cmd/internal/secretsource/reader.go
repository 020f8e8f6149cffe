package secretsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecret bounds what is read as one secret, in bytes. GitHub takes 48 KB; more than this is a mistaken file.
const maxSecret = 64 << 10

// Reader reads secrets. Its fields are the outside world, so that a caller decides what each source can see.
type Reader struct {
	// LookupEnv finds an environment variable; nil is os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Stdin is what "stdin" reads; nil means there is none.
	Stdin io.Reader
	// Identities are the files of age identities that open age files, tried in order.
	Identities []string
	// SopsProgram is the sops binary, a name on PATH or a path; "" is "sops".
	SopsProgram string
}

// Read returns the secret at a source with exactly one trailing newline (LF or CRLF) taken off. A secret that is empty or
// blank, that is longer than 64 KiB, or that holds a NUL is refused. Errors name the place and never the secret.
func (r Reader) Read(ctx context.Context, source Source) (Value, error) {
	raw, err := r.read(ctx, source)
	if err != nil {
		return Value{}, fmt.Errorf("read secret from %q: %w", source, err)
	}
	text := strings.TrimSuffix(raw, "\n")
	if len(text) < len(raw) {
		text = strings.TrimSuffix(text, "\r")
	}
	switch {
	case strings.ContainsRune(text, 0):
		return Value{}, fmt.Errorf("read secret from %q: it is binary (holds a NUL byte)", source)
	case strings.TrimSpace(text) == "":
		return Value{}, fmt.Errorf("read secret from %q: it is empty", source)
	}
	return NewValue(text), nil
}

func (r Reader) read(ctx context.Context, source Source) (string, error) {
	switch source.Kind {
	case Env:
		return r.fromEnv(source.Name)
	case File:
		return fromFile(source.Name)
	case Stdin:
		if r.Stdin == nil {
			return "", errors.New("there is no standard input")
		}
		return bounded(r.Stdin)
	case Age:
		return r.fromAge(source.Name)
	case Sops:
		return r.fromSops(ctx, source)
	}
	return "", errors.New("unknown source, want " + forms)
}

func (r Reader) fromEnv(name string) (string, error) {
	lookup := r.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	text, set := lookup(name)
	if !set {
		return "", errors.New("the variable is not set")
	}
	return text, nil
}

func fromFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer file.Close()
	return bounded(file)
}

// bounded reads all of r, and refuses more than maxSecret.
func bounded(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	switch {
	case err != nil:
		return "", cause(err)
	case len(data) > maxSecret:
		return "", fmt.Errorf("it is longer than %d KiB", maxSecret>>10)
	}
	return string(data), nil
}

// cause drops the path from an operating system's error: the message around it names it already.
func cause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
