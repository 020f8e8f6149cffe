package secretsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Exit statuses of sops that a person can act on. Source: package cmd/sops/codes of getsops/sops.
const (
	sopsInvalidTreePath = 91
	sopsMacMismatch     = 51
	sopsNoFile          = 100
	sopsNoKey           = 128
)

// sopsStop is how long sops may take to end after it was told to.
const sopsStop = 2 * time.Second

// fromSops runs sops -d, without a shell and without standard input.
func (r Reader) fromSops(ctx context.Context, source Source) (string, error) {
	program := r.SopsProgram
	if program == "" {
		program = "sops"
	}
	args := []string{"-d"}
	if len(source.Keys) > 0 {
		args = append(args, "--extract", extraction(source.Keys))
	}
	path := source.Name
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	command := exec.CommandContext(ctx, program, append(args, path)...)
	command.WaitDelay = sopsStop
	stdout, stderr := &capped{}, &capped{}
	command.Stdout, command.Stderr = stdout, stderr
	err := command.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("the program %q is not installed or not on PATH", program)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", sopsError(err, stderr.kept.String())
	case stdout.over:
		return "", fmt.Errorf("it is longer than %d KiB", maxSecret>>10)
	}
	return stdout.kept.String(), nil
}

// extraction spells keys as sops --extract wants them: ["a"]["b"].
func extraction(keys []string) string {
	var b strings.Builder
	for _, key := range keys {
		b.WriteString(`["` + key + `"]`)
	}
	return b.String()
}

func sopsError(err error, stderr string) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("run sops: %w", cause(err))
	}
	switch exit.ExitCode() {
	case sopsNoFile:
		return errors.New("sops finds no such file")
	case sopsNoKey:
		return errors.New("sops has no key that opens this file; is SOPS_AGE_KEY_FILE set?")
	case sopsMacMismatch:
		return errors.New("the file was changed by something other than sops (MAC mismatch)")
	case sopsInvalidTreePath:
		return errors.New("sops does not understand the key after #")
	}
	if strings.Contains(stderr, "component") && strings.Contains(stderr, "not found") {
		return errors.New("the file has no such key")
	}
	return fmt.Errorf("sops ended with status %d: %s", exit.ExitCode(), excerpt(stderr))
}

// excerpt is the first line of a message, printable and short; the rest of sops' errors is a report of every key it tried.
func excerpt(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, line)
	if runes := []rune(line); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	if line == "" {
		return "no message"
	}
	return line
}

// capped keeps the first maxSecret bytes and swallows the rest, so that sops can finish. The buffer is not embedded: its
// ReadFrom would go round Write.
type capped struct {
	kept bytes.Buffer
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	room := maxSecret - c.kept.Len()
	if len(p) > room {
		c.over = true
		c.kept.Write(p[:room])
		return len(p), nil
	}
	return c.kept.Write(p)
}
