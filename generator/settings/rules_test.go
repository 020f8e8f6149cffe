package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

// rule is a file that breaks one rule.
type rule struct {
	name         string
	src          string
	line, column int
	code         string
	says         string // part of the message
	hint         string // part of the hint

	// schemaBlind means that a schema cannot say the rule, or that the file is not YAML at all.
	schemaBlind bool
}

const (
	key44   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	key88   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
	nixHead = "cache:\n  backend: nix\n  public-key: 'a:" + key44 + "'\n  url: https://a.example\n"
	attic   = "cache:\n  backend: attic\n  server: https://a.example\n"
)

func rules() []rule {
	rules := append(documentRules(), cacheRules()...)
	rules = append(rules, jobRules()...)
	return append(rules, nixRules()...)
}

func documentRules() []rule {
	return []rule{
		{name: "the file must be YAML", src: "cache:\n  name: x\n url: y\n", line: 3, code: "yaml-syntax", schemaBlind: true},
		{name: "an unclosed bracket is reported where it opens", src: "strategy: auto\ncache: {name: x\nstatuses: true\n", line: 2, code: "yaml-syntax", schemaBlind: true},
		{name: "a tab does not indent", src: "cache:\n\tname: x\n", line: 2, code: "yaml-syntax", hint: "spaces, not tabs", schemaBlind: true},
		{name: "a star at the beginning needs quotes", src: "cache:\n  push-refs: [**]\n", line: 2, code: "yaml-syntax", hint: "quote", schemaBlind: true},
		{name: "an unknown alias needs quotes", src: "cache:\n  name: *x\n", line: 2, code: "yaml-syntax", hint: "quote", schemaBlind: true},
		{name: "text with a colon needs quotes", src: "names:\n  aggregate: CI: all\n", line: 2, code: "yaml-syntax", hint: "quote", schemaBlind: true},
		{name: "the file must be UTF-8", src: "strategy: auto\nnames: {aggregate: \xff}\n", line: 2, code: "yaml-syntax", schemaBlind: true},
		{name: "a line separator is no line end", src: "strategy: auto # a\u2028cache: {}\n", line: 1, code: "yaml-syntax", schemaBlind: true},
		{name: "a syntax error in a second document is found", src: "strategy: auto\n---\na: b\nc: [\n", line: 4, code: "yaml-syntax", schemaBlind: true},
		{name: "there is one document", src: "strategy: auto\n---\nstrategy: auto\n", line: 2, column: 1, code: "yaml-documents", schemaBlind: true},
		{name: "the file is a mapping", src: "- cache\n", code: "wrong-type", says: "the file must be a mapping, not a list"},
		{name: "anchors are refused", src: "strategy: &a auto\n", line: 1, column: 11, code: "yaml-alias", says: "anchors", schemaBlind: true},
		{name: "merge keys are refused", src: "cache:\n  <<: {name: x}\n", line: 2, column: 3, code: "yaml-alias", says: "merge", schemaBlind: true},
		{name: "a key is given once", src: "strategy: auto\nstrategy: auto\n", line: 2, column: 1, code: "duplicate-key", says: `"strategy" is given again; it stands in line 1`, schemaBlind: true},
		{name: "a key is known", src: "cahce: {}\n", line: 1, column: 1, code: "unknown-key", hint: `did you mean "cache"? known keys: cache, cancel, disk-space`},
		{name: "an empty key is known no better", src: "'': 1\n", line: 1, column: 1, code: "unknown-key", says: `unknown key ""`},
		{name: "a key within a section is known", src: "cache:\n  push_refs: [main]\n", line: 2, column: 3, code: "unknown-key", says: `"push_refs" in cache`, hint: `"push-refs"`},
		{name: "a key is text", src: "cache:\n  ? [name]\n  : x\n", line: 2, column: 5, code: "wrong-type", says: "a key in cache must be text", schemaBlind: true},
		{name: "a key has a value", src: "cache:\nstrategy: auto\n", line: 1, column: 7, code: "empty-value", says: "cache has no value", hint: "default"},
		{name: "a section is a mapping", src: "cache: my-project\n", line: 1, column: 8, code: "wrong-type", says: "cache must be a mapping, not text"},
		{name: "a list is a list", src: "cache: {push-refs: main}\n", line: 1, column: 20, code: "wrong-type", says: "must be a list", hint: "brackets"},
		{name: "text is text", src: "cache: {name: 123}\n", line: 1, column: 15, code: "wrong-type", says: "text, not a whole number", hint: "quote"},
		{name: "an item is text", src: "triggers:\n  push-branches:\n    - main\n    - 25.11\n", line: 4, column: 7, code: "wrong-type", says: "triggers.push-branches.1 must be text, not a number", hint: "quote"},
		{name: "a date is no text", src: "names: {aggregate: 2026-07-15}\n", line: 1, column: 20, code: "wrong-type", says: "not a date", schemaBlind: true},
		{name: "a tag is no text", src: "cache: {push-refs: [!main ]}\n", line: 1, column: 21, code: "wrong-type", hint: "exclamation mark"},
		{name: "yes is no boolean", src: "statuses: yes\n", line: 1, column: 11, code: "wrong-type", hint: "true or false"},
		{name: "True is no boolean", src: "statuses: True\n", line: 1, column: 11, code: "wrong-type", hint: "lower case", schemaBlind: true},
		{name: "a word is one of the words", src: "disk-space: kep\n", line: 1, column: 13, code: "bad-value", says: "keep or free", hint: `did you mean "keep"?`},
		{name: "a boolean is none of the words", src: "triggers: {pull-requests: false}\n", line: 1, column: 27, code: "wrong-type", says: "must be forks, all or none"},
		{name: "expressions are refused", src: "names: {aggregate: 'a ${{ secrets.X }}'}\n", line: 1, column: 20, code: "expression-in-setting", says: "expression"},
		{name: "expressions are refused in lines of nix.conf", src: "nix: {extra-config: 'a = ${{ github.token }}'}\n", line: 1, column: 21, code: "expression-in-setting"},
		{name: "line breaks are refused", src: "names:\n  aggregate: |\n    a\n    b\n", line: 2, column: 14, code: "expression-in-setting", says: "line breaks"},
		{name: "control characters are refused", src: "names: {aggregate: \"a\\eb\"}\n", line: 1, column: 20, code: "expression-in-setting", says: "control"},
		{name: "characters that turn text round are refused", src: "names: {aggregate: \"a\\u202eb\"}\n", line: 1, column: 20, code: "expression-in-setting"},
	}
}

func cacheRules() []rule {
	return []rule{
		{name: "the backend is known", src: "cache: {backend: cachex}\n", line: 1, column: 18, code: "bad-value", says: "cachix, nix or attic", hint: `"cachix"`},
		{name: "S3 is no backend", src: "cache: {backend: s3}\n", line: 1, column: 18, code: "bad-value", says: `not "s3"`, hint: "S3, R2, MinIO, ssh and folders are backend nix"},
		{name: "the name has no odd characters", src: "cache: {name: my project}\n", line: 1, column: 15, code: "cache-name"},
		{name: "the name begins with a letter or digit", src: "cache: {name: -x}\n", line: 1, column: 15, code: "cache-name"},
		{name: "the name fits into a host name", src: "cache: {name: " + strings.Repeat("a", 64) + "}\n", line: 1, column: 15, code: "cache-name", says: "at most 63"},
		{name: "the name is not an address", src: "cache: {name: x.cachix.org}\n", line: 1, column: 15, code: "cache-name", hint: "before .cachix.org"},
		{name: "the variable has a name", src: "cache: {name-variable: ''}\n", line: 1, column: 24, code: "bad-value"},
		{name: "a name leaves no use for the variable", src: "cache: {name: x, name-variable: Y}\n", line: 1, column: 33, code: "unused-setting"},
		{name: "the url is of the web", src: "cache: {url: 's3://x'}\n", line: 1, column: 14, code: "bad-value", says: "http or https"},
		{name: "the url has no query", src: "cache: {url: 'https://x?priority=1'}\n", line: 1, column: 14, code: "bad-value"},
		{name: "the url has a host", src: "cache: {url: 'https:///x'}\n", line: 1, column: 14, code: "bad-value"},
		{name: "the url is one word", src: "cache: {url: 'https://x https://y'}\n", line: 1, column: 14, code: "bad-value"},
		{name: "the url holds no credentials", src: "cache: {url: 'https://u:p@x'}\n", line: 1, column: 14, code: "secret-in-setting"},
		{name: "garnix's cache is not read", src: "cache: {url: 'https://cache.garnix.io/'}\n", line: 1, column: 14, code: "dead-cache"},
		{name: "garnix's cache is no upstream", src: "cache: {upstreams: ['https://CACHE.nixos.org', 'https://cache.garnix.io']}\n", line: 1, column: 48, code: "dead-cache"},
		{name: "upstreams are given once", src: "cache: {upstreams: ['https://a', 'https://a']}\n", line: 1, column: 34, code: "duplicate-value", says: "cache.upstreams.1 repeats"},
		{name: "a public key is no bare base64", src: "cache: {public-key: '" + key44 + "'}\n", line: 1, column: 21, code: "bad-value", says: "name-1:base64"},
		{name: "a public key has 32 bytes", src: "cache: {public-key: 'a:AAAA'}\n", line: 1, column: 21, code: "bad-value"},
		{name: "a public key is not the secret one", src: "cache: {public-key: 'a:" + key88 + "'}\n", line: 1, column: 21, code: "secret-in-setting", hint: "public half"},
		{name: "a public key is not empty", src: "cache: {public-key: ''}\n", line: 1, column: 21, code: "bad-value"},
		{name: "public keys are each checked", src: "cache: {public-key: ['a:" + key44 + "', b]}\n", line: 1, column: 72, code: "bad-value", says: "cache.public-key.1"},
		{name: "garnix's key is gone", src: "cache: {public-key: 'cache.garnix.io:" + key44 + "'}\n", line: 1, column: 21, code: "dead-cache"},
		{name: "push-refs name something", src: "cache: {push-refs: []}\n", line: 1, column: 9, code: "bad-value", hint: "nothing would ever be pushed"},
		{name: "push-refs exclude nothing", src: "cache: {push-refs: ['**', '!x']}\n", line: 1, column: 27, code: "branch-pattern", says: "must not exclude"},
		{name: "push-refs are branches", src: "cache: {push-refs: [refs/heads/main]}\n", line: 1, column: 21, code: "branch-pattern", hint: "without refs/heads/"},
		{name: "push-refs have no quotes", src: "cache: {push-refs: [\"a'b\"]}\n", line: 1, column: 21, code: "branch-pattern"},
		{name: "push-refs have no brackets", src: "cache: {push-refs: ['v[0-9]']}\n", line: 1, column: 21, code: "branch-pattern"},
		{name: "a question mark follows a character", src: "cache: {push-refs: ['*?']}\n", line: 1, column: 21, code: "branch-pattern"},
		{name: "a question mark is not first", src: "cache: {push-refs: ['?x']}\n", line: 1, column: 21, code: "branch-pattern"},
		{name: "three stars mean nothing", src: "cache: {push-refs: ['a***']}\n", line: 1, column: 21, code: "branch-pattern"},
		{name: "a pattern is a possible branch", src: "cache: {push-refs: ['a..b']}\n", line: 1, column: 21, code: "branch-pattern"},
		{name: "a secret is named, not shown", src: "cache: {token-secret: ghp_0123456789}\n", line: 1, column: 23, code: "secret-in-setting", hint: "revoke"},
		{
			name: "a secret is not in a setting that there is none of", src: "cache: {token: eyJhbGciOiJIUzI1NiJ9.e30.x}\n", line: 1, column: 9, code: "secret-in-setting",
			says: `unknown key "token" in cache holds what looks like a secret`, hint: "a secret has no place in this file: revoke it",
		},
		{name: "nor in a whole section that there is none of", src: "token: ghp_0123456789\n", line: 1, column: 1, code: "secret-in-setting", hint: "ends in -secret"},
		{name: "a secret has a possible name", src: "cache: {token-secret: my-token}\n", line: 1, column: 23, code: "bad-value", says: "underscores"},
		{name: "a secret's name is not GitHub's own", src: "cache: {token-secret: Github_X}\n", line: 1, column: 23, code: "bad-value", says: "GITHUB_"},
		{name: "backend cachix has no push-url", src: "cache: {push-url: 's3://x'}\n", line: 1, column: 19, code: "unused-setting", says: "only backend nix"},
		{name: "backend cachix has no server", src: "cache: {server: 'https://x'}\n", line: 1, column: 17, code: "unused-setting"},
		{name: "backend cachix has no s3 credentials", src: "cache: {access-key-secret: X}\n", line: 1, column: 28, code: "unused-setting"},
		{name: "backend nix needs a url", src: "cache: {backend: nix, push-url: 'file:///x', public-key: 'a:" + key44 + "'}\n", line: 1, column: 1, code: "missing-key", says: "cache.url"},
		{name: "backend nix needs a push-url", src: nixHead, line: 1, column: 1, code: "missing-key", says: "cache.push-url"},
		{name: "an empty push-url is none", src: nixHead + "  push-url: ''\n", line: 5, column: 13, code: "missing-key", says: "cache.push-url"},
		{name: "backend nix has no name", src: nixHead + "  push-url: file:///x\n  name: y\n", line: 6, column: 9, code: "unused-setting"},
		{name: "the push-url is a store", src: nixHead + "  push-url: ftp://x\n", line: 5, column: 13, code: "bad-value", says: "s3"},
		{name: "a file store is absolute", src: nixHead + "  push-url: file://x/y\n", line: 5, column: 13, code: "bad-value"},
		{name: "a file store is a directory of its own", src: nixHead + "  push-url: file:///\n", line: 5, column: 13, code: "bad-value"},
		{name: "an s3 store has a bucket", src: nixHead + "  push-url: s3:///x\n", line: 5, column: 13, code: "bad-value"},
		{name: "the push-url holds no password", src: nixHead + "  push-url: ssh-ng://u:p@x\n", line: 5, column: 13, code: "secret-in-setting"},
		{name: "the push-url holds no access key", src: nixHead + "  push-url: s3://u@x\n", line: 5, column: 13, code: "secret-in-setting"},
		{name: "garnix's cache is not written", src: nixHead + "  push-url: https://cache.garnix.io\n", line: 5, column: 13, code: "dead-cache"},
		{name: "s3 credentials come in pairs", src: nixHead + "  push-url: s3://x\n  secret-key-secret: ''\n", line: 6, column: 22, code: "missing-key", hint: "both"},
		{name: "a directory has no s3 credentials", src: nixHead + "  push-url: file:///x\n  secret-key-secret: X\n", line: 6, column: 22, code: "unused-setting"},
		{name: "a private store is read with a secret", src: nixHead + "  push-url: file:///x\n  private: true\n", line: 6, column: 12, code: "token-missing", says: "cache.private needs cache.token-secret", hint: "Actions secret"},
		{name: "an empty secret is none", src: nixHead + "  push-url: file:///x\n  private: true\n  token-secret: ''\n", line: 6, column: 12, code: "token-missing", says: "cache.private needs cache.token-secret"},
		{
			name: "a private store in s3 is read with a secret, too",
			src:  "cache: {backend: nix, url: \"https://c.example.org\", push-url: \"s3://bkt?region=eu-central-1\", public-key: ['a:" + key44 + "'], private: true}\n",
			line: 1, column: 168, code: "token-missing", says: "cache.private needs",
		},
		{name: "backend attic needs a url", src: attic, line: 1, column: 1, code: "missing-key", says: "cache.url"},
		{name: "backend attic needs a server", src: "cache: {backend: attic, url: 'https://x/y'}\n", line: 1, column: 1, code: "missing-key", says: "cache.server"},
		{name: "backend attic needs a name", src: attic + "  url: https://y.example\n", line: 1, column: 1, code: "missing-key", says: "cache.name", schemaBlind: true},
		{name: "an attic server signs by itself", src: attic + "  url: https://x/y\n  signing-key-secret: X\n", line: 5, column: 23, code: "unused-setting"},
		{name: "backend attic has no variable", src: attic + "  url: https://x/y\n  name-variable: X\n", line: 5, column: 18, code: "unused-setting"},
	}
}

func jobRules() []rule {
	return []rule{
		{name: "systems are garnix's", src: "runners: {armv7l-linux: x}\n", line: 1, column: 11, code: "unknown-key", says: `"armv7l-linux" in runners`, hint: "known keys: aarch64-darwin,"},
		{name: "a label has no odd characters", src: "runners: {x86_64-linux: 'a b'}\n", line: 1, column: 25, code: "bad-value", says: "runner label"},
		{name: "a runner has a label", src: "runners: {x86_64-linux: []}\n", line: 1, column: 11, code: "bad-value", says: "must not be empty"},
		{name: "labels are each checked", src: "plan-runner: [linux, '']\n", line: 1, column: 22, code: "bad-value", says: "plan-runner.1"},
		{name: "labels are given once", src: "plan-runner: [linux, linux]\n", line: 1, column: 22, code: "duplicate-value"},
		{name: "some branch is built", src: "triggers: {push-branches: []}\n", line: 1, column: 12, code: "bad-value"},
		{name: "all pull requests want named branches", src: "triggers: {pull-requests: all}\n", line: 1, column: 27, code: "double-build", hint: "push-branches: [main]"},
		{name: "all pull requests and one star build twice", src: "triggers: {push-branches: [main, '*'], pull-requests: all}\n", line: 1, column: 55, code: "double-build", says: `"*"`},
		{name: "some runs are cancelled", src: "cancel: all\n", line: 1, column: 9, code: "bad-value", says: "cancel must be pull-requests, branches or never"},
		{name: "to cancel nothing is a word", src: "cancel: false\n", line: 1, column: 9, code: "wrong-type", says: "pull-requests, branches or never"},
		{name: "stale inputs fail or warn", src: "stale: failed\n", line: 1, column: 8, code: "bad-value", says: "stale must be fail, warn or off", hint: `did you mean "fail"?`},
		{name: "shards are not none", src: "shards: 0\n", line: 1, column: 9, code: "bad-value", says: "from 1 to 256"},
		{name: "shards fit into a matrix", src: "shards: {x86_64-linux: 257}\n", line: 1, column: 24, code: "bad-value", says: "shards.x86_64-linux must be from 1 to 256"},
		{name: "shards are for garnix's systems", src: "shards: {x86-64-linux: 2}\n", line: 1, column: 10, code: "unknown-key", hint: `did you mean "x86_64-linux"?`},
		{name: "shards are a number", src: "shards: many\n", line: 1, column: 9, code: "wrong-type", hint: "whole number"},
		{name: "numbers are decimal", src: "shards: 0x10\n", line: 1, column: 9, code: "wrong-type", says: "whole number", schemaBlind: true},
		{name: "numbers are whole", src: "timeouts: {plan: 1.5}\n", line: 1, column: 18, code: "wrong-type", says: "not a number"},
		{name: "huge numbers are too many", src: "timeouts: {plan: 99999999999999999999}\n", line: 1, column: 18, code: "wrong-type"},
		{name: "building has some time", src: "timeouts: {build: 0}\n", line: 1, column: 19, code: "bad-value", says: "from 1 to 330"},
		{name: "building leaves the job time to push", src: "timeouts: {build: 331}\n", line: 1, column: 19, code: "bad-value", says: "from 1 to 330"},
		{name: "a job has some time", src: "timeouts: {plan: 0}\n", line: 1, column: 18, code: "bad-value", says: "from 1 to 360"},
		{name: "a job has no more time than GitHub gives", src: "timeouts: {verify: 361}\n", line: 1, column: 20, code: "bad-value", says: "from 1 to 360"},
		{name: "a name is not empty", src: "names: {aggregate: ''}\n", line: 1, column: 20, code: "bad-value", says: "empty"},
		{name: "a name is short", src: "names: {aggregate: " + strings.Repeat("ä", 101) + "}\n", line: 1, column: 20, code: "bad-value", says: "100"},
		{name: "a name does not end in a space", src: "names: {aggregate: 'a '}\n", line: 1, column: 20, code: "bad-value", says: "space"},
		{name: "names differ", src: "names:\n  aggregate: CI\n  build-workflow: CI\n", line: 2, column: 14, code: "duplicate-value", says: "names.aggregate is the same as names.build-workflow", schemaBlind: true},
		{name: "names differ from defaults", src: "names: {build-workflow: Cache Only}\n", line: 1, column: 25, code: "duplicate-value", says: "names.build-workflow is the same as names.cache-workflow", schemaBlind: true},
		{name: "a file is in no directory", src: "files: {build: a/b.yml}\n", line: 1, column: 16, code: "bad-value", says: "without directories"},
		{name: "a file is not above", src: "files: {build: ..yml}\n", line: 1, column: 16, code: "bad-value"},
		{name: "a file is YAML", src: "files: {build: build.json}\n", line: 1, column: 16, code: "bad-value", says: ".yml or .yaml"},
		{name: "files differ whatever the case", src: "files: {build: Ci.yml, cache: ci.yml}\n", line: 1, column: 31, code: "duplicate-value", schemaBlind: true},
		{name: "a schedule has five fields", src: "schedule: 4 * * *\n", line: 1, column: 11, code: "bad-schedule", says: "five fields"},
		{name: "a schedule has no shorthand", src: "schedule: '@daily'\n", line: 1, column: 11, code: "bad-schedule"},
		{name: "a schedule is not false", src: "schedule: false\n", line: 1, column: 11, code: "wrong-type", hint: "off"},
		{name: "a pin is of an action", src: "pins: {checkout: " + strings.Repeat("a", 40) + "}\n", line: 1, column: 8, code: "bad-value", says: "owner/repository"},
		{name: "a pin is a whole commit", src: "pins: {actions/checkout: v4}\n", line: 1, column: 26, code: "bad-value", hint: "tags and branches move"},
		{name: "a pin is in lower case", src: "pins: {actions/checkout: {sha: " + strings.Repeat("A", 40) + "}}\n", line: 1, column: 32, code: "bad-value"},
		{name: "a pin has a commit", src: "pins: {actions/checkout: {version: v4}}\n", line: 1, column: 8, code: "missing-key", says: "needs sha"},
		{name: "a pin's version is text", src: "pins: {actions/checkout: {sha: " + strings.Repeat("a", 40) + ", version: 4}}\n", line: 1, column: 83, code: "wrong-type", hint: "quote"},
		{name: "a pin's version is one word", src: "pins: {actions/checkout: {sha: " + strings.Repeat("a", 40) + ", version: v4 beta}}\n", line: 1, column: 83, code: "bad-value"},
		{name: "a pin has a value", src: "pins: {actions/checkout: }\n", line: 1, column: 26, code: "empty-value"},
	}
}

func nixRules() []rule {
	return []rule{
		{name: "the installer is known", src: "nix: {installer: lix}\n", line: 1, column: 18, code: "bad-value", says: "cachix, determinate or quick"},
		{name: "the installer comes over https", src: "nix: {install-url: 'http://x/y'}\n", line: 1, column: 20, code: "bad-value", says: "https"},
		{name: "the installer's address holds no credentials", src: "nix: {install-url: 'https://u@x/y'}\n", line: 1, column: 20, code: "secret-in-setting"},
		{name: "other installers have no address", src: "nix: {install-url: 'https://x/y', installer: quick}\n", line: 1, column: 20, code: "unused-setting"},
		{name: "a flake's configuration is not accepted", src: "nix:\n  extra-config: |\n    sandbox = true\n\n    accept-flake-config = true\n", line: 5, code: "accept-flake-config", hint: "extra-config itself"},
		{name: "features have a setting of their own", src: "nix:\n  extra-config: |\n    extra-experimental-features = ca-derivations\n", line: 3, code: "experimental-features", hint: "nix.extra-features"},
		{name: "a token is no configuration", src: "nix:\n  extra-config: 'access-tokens = github.com=x'\n", line: 2, column: 17, code: "secret-in-setting", hint: "nix.access-token-secret"},
		{name: "lines of nix.conf have an equals sign between blanks", src: "nix:\n  extra-config: |\n    sandbox=true\n", line: 3, code: "nix-config-line", hint: "space on each side"},
		{name: "lines of nix.conf include no file", src: "nix:\n  extra-config: |\n    include other.conf\n", line: 3, code: "nix-config-line", hint: "no include"},
		{name: "garnix's cache is no substituter", src: "nix:\n  extra-config: |\n    extra-substituters = https://a https://cache.garnix.io\n", line: 3, code: "dead-cache"},
		{name: "features are names", src: "nix: {extra-features: [ca-derivations recursive-nix]}\n", line: 1, column: 24, code: "bad-value", says: "one experimental feature"},
		{name: "features are given once", src: "nix: {extra-features: [a, a]}\n", line: 1, column: 27, code: "duplicate-value"},
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range rules() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, diags := Parse(file, []byte(tc.src))
			assert.Nil(t, s)
			require.Len(t, diags, 1, "%v", diags)
			d := diags[0]
			assert.Equal(t, diag.Error, d.Severity)
			assert.Equal(t, diag.Pos{File: file, Line: tc.line, Column: tc.column}, d.Pos)
			assert.Equal(t, tc.code, d.Code)
			assert.Contains(t, d.Message, tc.says)
			assert.Contains(t, d.Hint, tc.hint)
		})
	}
}

func TestAliasesAreRefusedWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for src, at := range map[string]diag.Pos{
		"names: {x: &a {}}\npins: *a\n":           {File: file, Line: 2, Column: 7},
		"names: {x: &a strategy}\n*a : auto\n":    {File: file, Line: 2, Column: 1},
		"names: &a {x: y}\ntimeouts:\n  <<: *a\n": {File: file, Line: 3, Column: 7},
	} {
		s, diags := Parse(file, []byte(src))
		assert.Nil(t, s)
		assert.True(t, slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
			return d.Pos == at && d.Code == "yaml-alias" && d.Message == "aliases are not supported here"
		}), "%v", diags)
	}
}

func TestParseWarns(t *testing.T) {
	t.Parallel()
	for _, tc := range []rule{
		{name: "of a Cachix name with capitals", src: "cache: {name: MyCache}\n", line: 1, column: 15, code: "cache-name"},
		{name: "of a store without a public key", src: "cache: {backend: nix, url: 'https://x', push-url: 'file:///x'}\n", line: 1, column: 1, code: "public-key-missing", hint: "convert-secret-to-public"},
		{name: "of a retired macOS image", src: "runners: {aarch64-darwin: macos-14}\n", line: 1, column: 27, code: "retired-runner", hint: "macos-26"},
		{name: "of a retired macOS image whatever its size and case", src: "runners: {x86_64-darwin: MacOS-13-large}\n", line: 1, column: 26, code: "retired-runner", says: "MacOS-13-large"},
		{name: "of pull requests that nothing builds", src: "triggers: {push-branches: [main]}\n", line: 1, column: 12, code: "unbuilt-pulls", hint: "triggers.pull-requests to all"},
		{name: "of a retired Ubuntu image for the plan", src: "plan-runner: ubuntu-20.04\n", line: 1, column: 14, code: "retired-runner", hint: "ubuntu-24.04"},
		{name: "of strangers' code on one's own machine", src: "runners: {x86_64-linux: [linux, self-hosted]}\n", line: 1, column: 33, code: "self-hosted-runner", says: "runners.x86_64-linux", hint: "triggers.pull-requests"},
		{name: "of a plan on one's own machine", src: "plan-runner: self-hosted\n", line: 1, column: 14, code: "self-hosted-runner"},
		{name: "of shards of jobs with one target", src: "granularity: target\nshards: 2\n", line: 2, column: 9, code: "unused-setting"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, diags := Parse(file, []byte(tc.src))
			require.Len(t, diags, 1, "%v", diags)
			require.NotNil(t, s)
			d := diags[0]
			assert.Equal(t, diag.Warning, d.Severity)
			assert.Equal(t, diag.Pos{File: file, Line: tc.line, Column: tc.column}, d.Pos)
			assert.Equal(t, tc.code, d.Code)
			assert.Contains(t, d.Message, tc.says)
			assert.Contains(t, d.Hint, tc.hint)
		})
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, src string }{
		{"one's own machine without pull requests", "runners: {x86_64-linux: self-hosted}\ntriggers: {pull-requests: none}\n"},
		{"Intel builds on an Intel Mac", "runners: {x86_64-darwin: macos-15-intel}\n"},
		{"labels of other companies", "runners: {aarch64-linux: ubuntu-arm-8core, x86_64-linux: blacksmith-4vcpu-ubuntu-2404}\n"},
		{"a plan on arm", "plan-runner: ubuntu-24.04-arm\n"},
		{"all pull requests with named branches", "triggers: {push-branches: [main, 'release/*'], pull-requests: all}\n"},
		{"branches of other alphabets", "triggers: {push-branches: ['főág', 'зелёный/**', 'v?1'], pull-requests: none}\n"},
		{"keys of other backends that repeat a default", "cache: {access-key-secret: AWS_ACCESS_KEY_ID, push-url: '', server: ''}\n"},
		{"a store on another machine", nixHead + "  push-url: ssh-ng://nix@cache.example.org\n"},
		{"Windows line ends", "strategy: static\r\ncache:\r\n  name: x\r\n"},
		{"JSON", `{"cache": {"name": "x"}, "shards": {"x86_64-linux": 2}}`},
		{"text with a tag of its own", "cache: {name: !!str 123}\n"},
		{"an empty schedule", "schedule: ''\n"},
		{"every five minutes", "schedule: '*/5 * * * *'\n"},
		{"days with names", "schedule: '0 0 * jan-DEC sun,1-5/2'\n"},
		{"a step of any size", "schedule: '0/99999999999 0 * * *'\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, diags := Parse(file, []byte(tc.src))
			require.Empty(t, diags)
			assert.NotNil(t, s)
		})
	}
}
