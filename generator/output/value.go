package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"gopkg.in/yaml.v3"
)

// reading is what a workflow or targets.json says.
type reading struct {
	value, bare any    // bare is without commits of actions, which may move
	digest      string // of what counts
	written     string // the digest that the file itself holds
}

func read(name string, content []byte) (r reading, err error) {
	if name == Targets {
		value, err := decodeManifest(content)
		if err != nil {
			return r, errors.New("it is not JSON any more")
		}
		r.value, r.digest = without(value, "generator"), manifestDigest(value)
		r.bare = r.value
		r.written, _ = value["digest"].(string)
		return r, nil
	}
	if r.value, err = decodeYAML(content); err != nil {
		return r, errors.New("it is not YAML any more")
	}
	r.bare, err = withoutPins(content)
	r.digest, r.written = digestOf(r.bare), headerDigest(content)
	return r, err
}

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

// withoutPins returns what a workflow says but for its actions' commits: those may move without counting.
func withoutPins(content []byte) (any, error) {
	return decodeYAML(uses.ReplaceAll(content, []byte("${1}${2}@${4}")))
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
	return manifestDigest(decoded), err
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
