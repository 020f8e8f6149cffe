package cachix

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"time"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// Claims is what a token says about itself. The service documents none of it, so it is shown and never decides.
type Claims struct {
	// Expires is the claim exp; zero if there is none.
	Expires time.Time `json:"expires,omitzero"`
	// ID is the claim jti, which names the token without being it; "" if there is none.
	ID string `json:"id,omitempty"`
	// Scopes is the claim scopes or scope as it stands, not interpreted; "" if there is none.
	Scopes string `json:"scopes,omitempty"`
}

// ReadClaims reads a token's claims without checking its signature. It reports false for a token that is not shaped like
// a JSON Web Token: three dotted parts, the second of them a JSON object in base64url.
func ReadClaims(token secretsource.Value) (Claims, bool) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return Claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Claims{}, false
	}
	object, ok := fields(payload)
	if !ok {
		return Claims{}, false
	}
	claims := Claims{ID: claim(token, object["jti"]), Scopes: claim(token, object["scopes"])}
	if claims.Scopes == "" {
		claims.Scopes = claim(token, object["scope"])
	}
	// 253402300799 is the last second of the year 9999, after which time.Time has no JSON form.
	if exp := field[float64](object, "exp"); exp > 0 && exp <= 253402300799 {
		claims.Expires = time.Unix(int64(math.Floor(exp)), 0).UTC()
	}
	return claims, true
}

// claim shows a claim: a string as its text, anything else as its JSON.
func claim(token secretsource.Value, raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	return restapi.Caller{Token: token}.Clean(text)
}

// malformed reports whether a token cannot be one of any kind: it could not even be sent.
func malformed(token secretsource.Value) bool {
	return strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
