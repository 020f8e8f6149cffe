// Package secretsource reads secrets from where people keep them and carries them without ever printing them.
package secretsource

import "fmt"

const hidden = "[secret]"

// Value is a secret. Every way of printing or encoding it gives "[secret]"; only Reveal gives the text.
// The zero Value is no secret.
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
