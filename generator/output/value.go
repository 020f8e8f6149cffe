package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/document"
)

// reading is what a workflow or targets.json says. Two of its fields are JSON with sorted keys.
type reading struct {
	value   string // all that counts
	bare    string // without a digest, and without commits of actions, which may move
	pins    []Pin  // each once
	written string // the digest of bare that the file itself holds
}

// edited reports whether somebody changed the file after it was generated.
func (r reading) edited() bool { return r.written != digestOf(r.bare) }

func read(name string, content []byte) (reading, error) {
	if name != Targets {
		return readWorkflow(content)
	}
	var r reading
	var manifest map[string]any
	if json.Unmarshal(content, &manifest) != nil {
		return r, errors.New("it is not JSON any more")
	}
	r.written, _ = manifest["digest"].(string)
	delete(manifest, "generator")
	r.value = text(manifest)
	delete(manifest, "digest")
	r.bare = text(manifest)
	return r, nil
}

// readWorkflow tells what a workflow says: formatters and comments change nothing of it.
func readWorkflow(content []byte) (reading, error) {
	var r reading
	if digest := headerDigest.FindSubmatch(content); digest != nil {
		r.written = string(bytes.TrimSpace(digest[1]))
	}
	broken := errors.New("it is not YAML any more")
	var value, bare any
	root, _ := document.Read("", content)
	for n := range document.All(root) {
		if n.Kind == yaml.AliasNode { // which we never write, and a few of which can stand for gigabytes
			return r, errors.New("it holds YAML aliases now")
		}
	}
	if root == nil || root.Decode(&value) != nil || text(value) == "" {
		return r, broken
	}
	uses := usesIn("", root)
	for _, use := range uses {
		use.node.Value = use.Action + "@"
	}
	if root.Decode(&bare) != nil {
		return r, broken
	}
	r.value, r.bare, r.pins = text(value), text(bare), distinct(uses)
	return r, nil
}

// text is a value as JSON with sorted keys, "" for what is none.
func text(value any) string {
	out, _ := json.Marshal(value) // nothing with an error
	return string(out)
}

// ManifestDigest identifies what a targets.json says by 128 bits in hex, whoever wrote it.
func ManifestDigest(value any) (string, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode targets: %w", err)
	}
	said, err := read(Targets, content)
	return digestOf(said.bare), err
}
