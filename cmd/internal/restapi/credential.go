// Credentials, which stay with the hosts that they are for, and the netrc file, which names them by host.

package restapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/secretsource"
)

// Credential is what one host wants to see before it answers.
type Credential struct {
	Host         string             // host, which fits every port, or host:port
	header, word secretsource.Value // "Scheme encoded", and the secret itself
}

// Basic authorizes requests to host with a login, which may be empty, and a password. Nix sends a netrc entry so.
func Basic(host, login string, password secretsource.Value) Credential {
	encoded := base64.StdEncoding.EncodeToString([]byte(login + ":" + password.Reveal()))
	return Credential{Host: host, header: secretsource.NewValue("Basic " + encoded), word: password}
}

func (c Credential) check() error {
	switch {
	case c.Host == "":
		return errors.New("use credential: it names no host")
	case c.word.Empty():
		return fmt.Errorf("use credential for %.100q: it is empty", c.Host)
	case strings.ContainsFunc(c.word.Reveal(), func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("use credential for %.100q: it holds a control character", c.Host)
	}
	return nil
}

func (c Credential) fits(u *url.URL) bool {
	return strings.EqualFold(c.Host, u.Hostname()) || strings.EqualFold(c.Host, u.Host)
}

// credentials are all that the caller has, its token first.
func (c Caller) credentials() []Credential {
	base, err := url.Parse(c.BaseURL)
	if c.Token.Empty() || err != nil {
		return c.Credentials
	}
	token := Credential{Host: base.Host, header: secretsource.NewValue("Bearer " + c.Token.Reveal()), word: c.Token}
	return append([]Credential{token}, c.Credentials...)
}

func (c Caller) credential(u *url.URL) (Credential, bool) {
	for _, known := range c.credentials() {
		if known.fits(u) {
			return known, true
		}
	}
	return Credential{}, false
}

// authorizer adds credentials to each hop of a request by itself. net/http never sees them, so it cannot carry them
// along a redirect, which it does towards subdomains.
type authorizer struct {
	caller Caller
	base   http.RoundTripper
}

// RoundTrip sends r with the credential of its host: over plain HTTP only where the caller said so, not a redirect.
func (a authorizer) RoundTrip(r *http.Request) (*http.Response, error) {
	found, ok := a.caller.credential(r.URL)
	if !ok || (r.URL.Scheme != "https" && !plainAllTheWay(r)) {
		return a.base.RoundTrip(r)
	}
	authorized := r.Clone(r.Context())
	authorized.Header.Set("Authorization", found.header.Reveal())
	response, err := a.base.RoundTrip(authorized)
	if response != nil {
		response.Request = r
	}
	return response, err
}

func plainAllTheWay(r *http.Request) bool {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Scheme == "http" && first.URL.Host == r.URL.Host
}

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
	for i, line := range strings.Split(text, "\n") {
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
				return nil, fmt.Errorf("line %d: a quote is not closed", i+1)
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
