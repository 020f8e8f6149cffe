package secretsource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// ageMagic opens every age file that is not armored. Source: the age-encryption.org/v1 specification.
const ageMagic = "age-encryption.org/"

// fromAge decrypts a binary or armored age file with the reader's identities.
func (r Reader) fromAge(path string) (string, error) {
	if len(r.Identities) == 0 {
		return "", errors.New("an age file needs an identity file to open it")
	}
	var identities []age.Identity
	for _, name := range r.Identities {
		found, err := readIdentities(name)
		if err != nil {
			return "", fmt.Errorf("identity file %q: %w", name, err)
		}
		identities = append(identities, found...)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer file.Close()
	// The library's errors are dropped where they may quote the file: a file that was never encrypted is the secret itself.
	source := dearmored(bufio.NewReader(file))
	if start, _ := source.Peek(len(ageMagic)); string(start) != ageMagic {
		return "", errors.New("it is not an age file")
	}
	plain, err := age.Decrypt(source, identities...)
	var noMatch *age.NoIdentityMatchError
	switch {
	case errors.As(err, &noMatch):
		return "", errors.New("none of the identities opens this age file")
	case err != nil:
		return "", errors.New("the age file is damaged")
	}
	return bounded(plain)
}

// dearmored takes off age's armor if the file wears it.
func dearmored(r *bufio.Reader) *bufio.Reader {
	if start, _ := r.Peek(len(armor.Header)); string(start) == armor.Header {
		return bufio.NewReader(armor.NewReader(r))
	}
	return r
}

// readIdentities reads age's native identities. The library's own error is dropped: it may quote the key.
func readIdentities(path string) ([]age.Identity, error) {
	text, err := fromFile(path)
	if err != nil {
		return nil, err
	}
	const otherwise = "; decrypt with age itself and pass the secret on standard input"
	switch {
	case strings.Contains(text, "PRIVATE KEY-----"):
		return nil, errors.New("an SSH key, only native age identities are read" + otherwise)
	case strings.Contains(text, "AGE-PLUGIN-"):
		return nil, errors.New("a plugin's identity, only native age identities are read" + otherwise)
	case strings.HasPrefix(text, ageMagic) || strings.HasPrefix(text, armor.Header):
		return nil, errors.New("the identity file is itself encrypted" + otherwise)
	}
	identities, err := age.ParseIdentities(bytes.NewReader([]byte(text)))
	if err != nil {
		return nil, errors.New("no usable age identity, want lines that start with AGE-SECRET-KEY-")
	}
	return identities, nil
}
