package secretsource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind says where a secret is kept.
type Kind string

// The places a secret can come from.
const (
	Env   Kind = "env"
	File  Kind = "file"
	Stdin Kind = "stdin"
	Age   Kind = "age"
	Sops  Kind = "sops"
)

// Source names one secret's place: an environment variable's name, or a file's path; for Sops also the path of
// keys inside the file, outermost first, where none means the whole file.
type Source struct {
	Kind Kind
	Name string
	Keys []string
}

// forms is what ParseSource accepts, for its error messages.
const forms = "env:NAME, file:PATH, stdin, age:PATH or sops:PATH#KEY"

// ParseSource reads "env:NAME", "file:PATH", "stdin" (or "-"), "age:PATH" and "sops:PATH#KEY"; nested sops keys are
// joined by "/", as sops-nix writes them. The text is never repeated in an error, because it may be the secret itself.
func ParseSource(text string) (Source, error) {
	if text == "-" || text == string(Stdin) {
		return Source{Kind: Stdin}, nil
	}
	kind, name, found := strings.Cut(text, ":")
	if !found || !slices.Contains([]Kind{Env, File, Age, Sops}, Kind(kind)) {
		return Source{}, errors.New("unknown source of a secret, want " + forms)
	}
	source := Source{Kind: Kind(kind), Name: name}
	if source.Kind == Sops {
		if at := strings.LastIndexByte(name, '#'); at >= 0 {
			source.Name, source.Keys = name[:at], strings.Split(name[at+1:], "/")
		}
	}
	if source.Name == "" {
		return Source{}, fmt.Errorf("source %s: nothing after the colon, want %s", source.Kind, forms)
	}
	if source.Kind == Env && !isVariableName(name) {
		return Source{}, errors.New("source env: want the name of an environment variable after the colon, not its value")
	}
	for _, key := range source.Keys {
		if err := checkKey(key); err != nil {
			return Source{}, fmt.Errorf("source %s: %w", source.Kind, err)
		}
	}
	return source, nil
}

// String renders the source as ParseSource reads it; it names the place, never the secret.
func (s Source) String() string {
	switch {
	case s.Kind == Stdin:
		return string(Stdin)
	case len(s.Keys) > 0:
		return string(s.Kind) + ":" + s.Name + "#" + strings.Join(s.Keys, "/")
	}
	return string(s.Kind) + ":" + s.Name
}

func isVariableName(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && (s[0] < '0' || s[0] > '9')
}

// checkKey refuses what the argument of sops --extract cannot carry: it has no escapes.
func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("empty key after #")
	case strings.ContainsAny(key, "[]\"'"):
		return fmt.Errorf("key %q: sops cannot extract a key with brackets or quotes", key)
	case strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("key %q: control characters", key)
	}
	return nil
}
