// The netrc file, which names credentials by host.

package restapi

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/secretsource"
)

// ReadNetrc reads a netrc file, as Nix's netrc-file setting names one. The error wraps fs.ErrNotExist if there is none.
func ReadNetrc(path string) ([]Credential, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read netrc: %w", err)
	}
	return parseNetrc(string(text))
}

// parseNetrc returns a credential for each machine that has a password; the first entry of a machine counts, as in curl.
// A "default" entry is left out: it belongs to no host, and a credential is sent only where it belongs. Macros and
// lines that start with "#" are skipped. No error repeats what the file says.
func parseNetrc(text string) ([]Credential, error) {
	words, err := netrcWords(text)
	if err != nil {
		return nil, fmt.Errorf("parse netrc: %w", err)
	}
	var out []Credential
	entry := map[string]string{}
	flush := func() {
		if entry["machine"] != "" && entry["password"] != "" {
			out = append(out, Basic(entry["machine"], entry["login"], secretsource.NewValue(entry["password"])))
		}
		clear(entry)
	}
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "machine" || word == "default" {
			flush()
		}
		if !slices.Contains([]string{"machine", "login", "password", "account"}, word) {
			continue
		}
		if i++; i == len(words) {
			return nil, errors.New("parse netrc: the last word has no value")
		}
		entry[word] = words[i]
	}
	flush()
	return out, nil
}

var (
	netrcWord    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|"|[^ \t\r"][^ \t\r]*`)
	netrcEscapes = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\\`, `\`, `\`, "")
)

// netrcWords splits as curl does: at blanks, with "double quotes" and backslashes inside them.
func netrcWords(text string) ([]string, error) {
	var words []string
	macro := false
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			macro = false
			continue
		case macro, line[0] == '#':
			continue
		}
		for _, word := range netrcWord.FindAllString(line, -1) {
			if word == `"` {
				return nil, fmt.Errorf("line %d: a quote is not closed", number)
			}
			if macro = word == "macdef"; macro {
				break
			}
			if word[0] == '"' {
				word = netrcEscapes.Replace(word[1 : len(word)-1])
			}
			words = append(words, word)
		}
	}
	return words, nil
}
