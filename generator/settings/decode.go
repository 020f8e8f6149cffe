package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"garnix2gha/generator/flake"
)

// decode makes settings of a file that has every key and breaks no rule of the schema. What may be written in several
// ways is spelt in the one that the types have; the fields' tags do the rest.
func decode(file map[string]any) (*Settings, error) {
	nix, pins := object(file["nix"]), object(file["pins"])
	var lines []string // of nix.conf that say something
	for line := range strings.Lines(fmt.Sprint(nix["extra-config"])) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	nix["extra-config"] = lines
	if object(file["shards"]) == nil {
		shards := map[flake.System]any{}
		for _, system := range flake.Systems() {
			shards[system] = file["shards"]
		}
		file["shards"] = shards
	}
	for action, pin := range pins {
		if sha, ok := pin.(string); ok {
			pins[action] = map[string]any{"sha": sha}
		}
	}
	schedule := strings.Fields(fmt.Sprint(file["schedule"]))
	if len(schedule) == 1 { // off
		schedule = nil
	}
	file["schedule"] = strings.Join(schedule, " ")
	encoded, err := json.Marshal(file)
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := json.Unmarshal(encoded, &s); err != nil {
		return nil, err
	}
	s.Cache.complete()
	return &s, nil
}

// UnmarshalJSON takes one text for a list of one.
func (t *Texts) UnmarshalJSON(src []byte) error {
	var one string
	if json.Unmarshal(src, &one) == nil {
		*t = Texts{one}
		return nil
	}
	return json.Unmarshal(src, (*[]string)(t))
}

var cacheName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// complete adds what the backend makes of the other keys, and removes what it does not use.
func (c *Cache) complete() {
	c.URL, c.Server = withoutSlash(c.URL), withoutSlash(c.Server)
	for i, upstream := range c.Upstreams {
		c.Upstreams[i] = withoutSlash(upstream)
	}
	if c.Backend != Cachix {
		c.NameVariable = ""
	}
	if !strings.HasPrefix(c.PushURL, "s3:") {
		c.AccessKeySecret, c.SecretKeySecret = "", ""
	}
	switch c.Backend {
	case Cachix:
		c.TokenSecret = cmp.Or(c.TokenSecret, "CACHIX_AUTH_TOKEN")
		if c.URL == "" && c.Name != "" {
			c.URL = CachixURL(c.Name)
		}
	case Attic:
		c.TokenSecret = cmp.Or(c.TokenSecret, "ATTIC_TOKEN")
		if address, err := url.Parse(c.URL); c.Name == "" && err == nil && cacheName.MatchString(path.Base(address.Path)) {
			c.Name = path.Base(address.Path)
		}
	}
}

func withoutSlash(address string) string { return strings.TrimRight(address, "/") }

// CachixURL is the address of a cache at cachix.org.
func CachixURL(name string) string { return "https://" + name + ".cachix.org" }
