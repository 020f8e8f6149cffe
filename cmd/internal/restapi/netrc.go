// The netrc file, which names credentials by host.

package restapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"garnix2gha/cmd/internal/secretsource"
)

const maxNetrc = 1 << 20

// ReadNetrc reads a netrc file, as Nix's netrc-file setting names one. The error wraps fs.ErrNotExist if there is none.
func ReadNetrc(path string) ([]Credential, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read netrc: %w", err)
	}
	defer f.Close()
	return ParseNetrc(f)
}

// ParseNetrc returns a credential for each machine that has a password; the first entry of a machine counts, as in curl.
// A "default" entry is left out: it belongs to no host, and a credential is sent only where it belongs. Macros and
// lines that start with "#" are skipped. No error repeats what the file says.
func ParseNetrc(r io.Reader) ([]Credential, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxNetrc+1))
	if err != nil {
		return nil, fmt.Errorf("read netrc: %w", err)
	}
	if len(text) > maxNetrc {
		return nil, fmt.Errorf("parse netrc: larger than %d bytes", maxNetrc)
	}
	words, err := netrcWords(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse netrc: %w", err)
	}
	var out []Credential
	var host, login, password string
	flush := func() {
		if host != "" && password != "" {
			out = append(out, Basic(host, login, secretsource.NewValue(password)))
		}
		host, login, password = "", "", ""
	}
	for i := 0; i < len(words); i++ {
		var into *string
		switch words[i] {
		case "machine":
			flush()
			into = &host
		case "default":
			flush()
			continue
		case "login":
			into = &login
		case "password":
			into = &password
		case "account":
			into = new(string)
		default:
			continue
		}
		if i++; i == len(words) {
			return nil, errors.New("parse netrc: the last word has no value")
		}
		*into = words[i]
	}
	flush()
	return out, nil
}

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
		for line != "" {
			word, rest, err := netrcWord(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			if word == "macdef" {
				macro = true
				break
			}
			words = append(words, word)
			line = strings.TrimLeft(rest, " \t\r")
		}
	}
	return words, nil
}

func netrcWord(line string) (word, rest string, err error) {
	if line[0] != '"' {
		if end := strings.IndexAny(line, " \t\r"); end >= 0 {
			return line[:end], line[end:], nil
		}
		return line, "", nil
	}
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; c {
		case '"':
			return b.String(), line[i+1:], nil
		case '\\':
			if i++; i == len(line) {
				return "", "", errors.New("a quote is not closed")
			}
			switch line[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(line[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a quote is not closed")
}
