package output

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"garnix2gha/generator/document"
)

// reading is what a workflow or targets.json says.
type reading struct {
	value, bare any    // bare is without commits of actions, which may move
	pins        []Pin  // each once
	digest      string // of what counts
	written     string // the digest that the file itself holds
}

func read(name string, content []byte) (reading, error) {
	if name != Targets {
		return readWorkflow(content)
	}
	value, err := decodeManifest(content)
	if err != nil {
		return reading{}, errors.New("it is not JSON any more")
	}
	r := reading{value: without(value, "generator"), digest: manifestDigest(value)}
	r.bare = r.value
	r.written, _ = value["digest"].(string)
	return r, nil
}

// readWorkflow tells what a workflow says: formatters and comments change nothing of it.
func readWorkflow(content []byte) (reading, error) {
	r := reading{written: headerDigest(content)}
	broken := errors.New("it is not YAML any more")
	root, _ := document.Read("", content)
	if root == nil || root.Decode(&r.value) != nil || text(r.value) == "" {
		return r, broken
	}
	uses := usesIn("", root)
	for _, use := range uses {
		use.node.Value = use.Action + "@"
	}
	if root.Decode(&r.bare) != nil {
		return r, broken
	}
	r.pins, r.digest = distinct(uses), digestOf(r.bare)
	return r, nil
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
