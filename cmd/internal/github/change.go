package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"

	"golang.org/x/crypto/nacl/box"

	"garnix2gha/cmd/internal/secretsource"
)

// Apply makes changes in the given order and stops at the first that fails. It returns the changes that were made, which
// is also what was done before a failure; unchanged ones are not among them. The same changes can be applied again.
func (c Client) Apply(ctx context.Context, changes []Change) (done []Change, err error) {
	keys := map[place]publicKey{}
	for i, change := range changes {
		if change.Action == Unchanged {
			continue
		}
		if change.Kind == Variable {
			err = c.setVariable(ctx, change)
		} else {
			err = c.setSecret(ctx, change, keys)
		}
		if err != nil {
			return done, fmt.Errorf("%w (%d of %d changes made)", err, len(done), len(done)+pending(changes[i:]))
		}
		done = append(done, change)
	}
	return done, nil
}

func pending(changes []Change) int {
	count := 0
	for _, change := range changes {
		if change.Action != Unchanged {
			count++
		}
	}
	return count
}

// setVariable creates or updates. A creation that meets an existing variable becomes an update: the first try may have
// worked although its answer was lost.
func (c Client) setVariable(ctx context.Context, change Change) error {
	at, body := change.at, map[string]string{"name": change.Name, "value": change.value.Reveal()}
	doing := fmt.Sprintf("set variable %s of %s", change.Name, at)
	if change.Action == Create {
		reply, err := c.call(ctx, doing, http.MethodPost, at.path("variables"), body, http.StatusCreated, http.StatusConflict)
		if err != nil || reply.Status == http.StatusCreated {
			return err
		}
	}
	_, err := c.call(ctx, doing, http.MethodPatch, at.path("variables", change.Name), body, http.StatusNoContent)
	return err
}

func (c Client) setSecret(ctx context.Context, change Change, keys map[place]publicKey) error {
	key, known := keys[change.at]
	if !known {
		found, err := c.publicKey(ctx, change.at)
		if err != nil {
			return err
		}
		key, keys[change.at] = found, found
	}
	doing := fmt.Sprintf("set secret %s of %s", change.Name, change.at)
	sealed, err := key.seal(change.value)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	body := map[string]string{"encrypted_value": sealed, "key_id": key.id}
	_, err = c.call(ctx, doing, http.MethodPut, change.at.path("secrets", change.Name), body, http.StatusCreated, http.StatusNoContent)
	return err
}

// publicKey is what a place's secrets are sealed for.
type publicKey struct {
	id  string
	key [32]byte
}

func (c Client) publicKey(ctx context.Context, at place) (publicKey, error) {
	doing := "read public key of " + at.String()
	reply, err := c.call(ctx, doing, http.MethodGet, at.path("secrets", "public-key"), nil, http.StatusOK)
	if err != nil {
		return publicKey{}, err
	}
	var answer struct {
		KeyID string `json:"key_id"`
		Key   string `json:"key"`
	}
	if err := decode(doing, reply, &answer); err != nil {
		return publicKey{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(answer.Key)
	if err != nil || len(raw) != 32 || answer.KeyID == "" {
		return publicKey{}, fmt.Errorf("%s: it is not a key of 32 bytes in base64 with an id", doing)
	}
	return publicKey{id: answer.KeyID, key: [32]byte(raw)}, nil
}

// seal encrypts for the key's owner only, as libsodium's crypto_box_seal, which is what GitHub opens.
func (k publicKey) seal(value secretsource.Value) (string, error) {
	sealed, err := box.SealAnonymous(nil, []byte(value.Reveal()), &k.key, rand.Reader)
	if err != nil {
		return "", fmt.Errorf("seal value: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}
