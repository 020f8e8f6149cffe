package settings

import "regexp"

var (
	secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	reserved   = regexp.MustCompile(`^(?i)github_`)
	tokenLike  = regexp.MustCompile(`^(gh[oprsu]_|github_pat_|eyJ|(AKIA|ASIA)[0-9A-Z]{16}$)`)
)

// checkSecretName holds the rule GitHub has for names of secrets and variables. The text is never repeated: it may
// be the secret itself.
func checkSecretName(text string) *problem {
	switch {
	case tokenLike.MatchString(text):
		return secretProblem("revoke it, store the new one as an Actions secret, and put the secret's name here")
	case reserved.MatchString(text):
		return &problem{code: "bad-value", hint: "GitHub keeps these names for itself; choose another",
			message: "must not begin with GITHUB_"}
	case len(text) > 255 || !secretName.MatchString(text):
		return &problem{code: "bad-value", hint: `put the name here, for example "CACHIX_AUTH_TOKEN", and the value into the repository's settings`,
			message: "must be a name of letters, digits and underscores that does not begin with a digit"}
	}
	return nil
}

func secretProblem(hint string) *problem {
	return &problem{code: "secret-in-setting", hint: hint, message: "holds what looks like a secret, and this file is committed"}
}
