package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// decodeYAML returns what a workflow says: formatters and comments change nothing of it.
func decodeYAML(content []byte) (any, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var value, more any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.Decode(&more) == nil {
		return nil, errors.New("more than one document")
	}
	if _, err := json.Marshal(value); err != nil {
		return nil, fmt.Errorf("no workflow: %w", err)
	}
	return value, nil
}

// decodeManifest returns what a targets.json says.
func decodeManifest(content []byte) (map[string]any, error) {
	var value map[string]any
	err := json.Unmarshal(content, &value)
	return value, err
}

// text is a value as JSON with sorted keys; "" for what is none, which equals nothing.
func text(value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(out)
}

func same(a, b any) bool { return text(a) == text(b) && text(a) != "" }

func digestOf(value any) string {
	sum := sha256.Sum256([]byte(text(value)))
	return hex.EncodeToString(sum[:16])
}

// ManifestDigest identifies what a targets.json says by 128 bits in hex, whoever wrote it.
func ManifestDigest(value any) (string, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode targets: %w", err)
	}
	decoded, err := decodeManifest(content)
	if err != nil {
		return "", fmt.Errorf("decode targets: %w", err)
	}
	return manifestDigest(decoded), nil
}

func manifestDigest(value map[string]any) string {
	return digestOf(without(value, "generator", "digest"))
}

// without returns a copy of an object that lacks some keys.
func without(value map[string]any, keys ...string) map[string]any {
	rest := maps.Clone(value)
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}

// pinned matches a step's action at a commit.
var pinned = regexp.MustCompile(`^[A-Za-z0-9._-]+/[A-Za-z0-9._/-]+@[0-9a-f]{40}$`)

// withoutPins returns a copy of a workflow in which actions have no commits: those may move without counting.
func withoutPins(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, item := range value {
			if uses, ok := item.(string); ok && key == "uses" && pinned.MatchString(uses) {
				item, _, _ = strings.Cut(uses, "@")
				item = item.(string) + "@"
			}
			out[key] = withoutPins(item)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = withoutPins(item)
		}
		return out
	}
	return value
}
