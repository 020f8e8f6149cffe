// Package secretsource reads secrets from where people keep them and carries them without ever printing them.
package secretsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/mattn/go-shellwords"
)

const hidden = "[secret]"

// Value is a secret, or zero none. Every way of printing or encoding it gives "[secret]"; only Reveal gives the text.
type Value struct {
	// A pointer, because fmt prints the unexported fields of a surrounding struct without asking this type's methods.
	text *string
}

// NewValue wraps text, which may be empty and then is no secret.
func NewValue(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{text: &text}
}

// Reveal returns the secret itself, "" if there is none.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Empty reports whether there is no secret.
func (v Value) Empty() bool { return v.text == nil }

// String returns "[secret]".
func (v Value) String() string { return hidden }

// Format prints "[secret]" for every verb, %x and %d among them.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(hidden)) }

// MarshalText returns "[secret]"; JSON, YAML and slog go through it.
func (v Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Kind says where a secret is kept.
type Kind string

// The places a secret can come from.
const (
	Env     Kind = "env"
	File    Kind = "file"
	Stdin   Kind = "stdin"
	Command Kind = "command"
)

// Source names one secret's place.
type Source struct {
	Kind Kind
	Name string   // of the environment variable or the file
	Args []string // the program whose output is the secret, and its arguments
}

// Forms is what ParseSource accepts, for people.
const Forms = "env:NAME, file:PATH, - (standard input) or command:CMD"

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ParseSource reads "env:NAME", "file:PATH", "-" (or "stdin") and "command:CMD". CMD is split at spaces, with quotes and
// backslashes as in a shell, but no shell runs it. No error repeats the text, which may be the secret itself.
func ParseSource(text string) (Source, error) {
	kind, place, _ := strings.Cut(text, ":")
	switch kind := Kind(kind); {
	case text == "-" || text == string(Stdin):
		return Source{Kind: Stdin}, nil
	case kind == Env && !variableName.MatchString(place):
		return Source{}, errors.New("source env: want the name of an environment variable after the colon, not its value")
	case kind == File && place == "":
		return Source{}, errors.New("source file: nothing after the colon, want a path")
	case kind == Env, kind == File:
		return Source{Kind: kind, Name: place}, nil
	case kind == Command:
		return split(place)
	}
	return Source{}, errors.New("unknown source of a secret, want " + Forms)
}

// split makes an argument list of a command line, and refuses what only a shell could do.
func split(line string) (Source, error) {
	parser := shellwords.Parser{}
	args, err := parser.Parse(line)
	switch {
	case err != nil:
		return Source{}, errors.New("source command: a quote or a bracket is left open; no shell reads it, so quote what holds brackets")
	case parser.Position >= 0:
		return Source{}, errors.New("source command: no shell runs it, so pipes, redirections and several commands belong in a script")
	case len(args) == 0:
		return Source{}, errors.New("source command: nothing after the colon, want a program and its arguments")
	}
	return Source{Kind: Command, Args: args}, nil
}

// String names the place, never the secret; of a command only the program, since an argument may be one.
func (s Source) String() string {
	switch s.Kind {
	case Stdin:
		return "standard input"
	case Command:
		return "command:" + s.Args[0]
	}
	return string(s.Kind) + ":" + s.Name
}

const (
	maxSecret = 48 << 10        // bytes. Source: GitHub's documentation of secrets.
	stopTime  = 2 * time.Second // how long a command may take to end after it was told to
)

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

func bounded(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxSecret:
		return "", fmt.Errorf("it is longer than %d KiB, which is all that GitHub takes", maxSecret>>10)
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
