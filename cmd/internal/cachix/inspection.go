package cachix

// Verdict is what a token can do.
type Verdict string

// The verdicts. Only DataPlane is right for CI; AccountWide must never be stored where CI runs.
const (
	// NoToken: none was given.
	NoToken Verdict = "no-token"
	// NotAToken: the service does not know it and it is not shaped like its tokens.
	NotAToken Verdict = "not-a-token"
	// Expired: it was a token once; its time is over or it was revoked.
	Expired Verdict = "expired"
	// ReadOnly: it cannot push to this cache.
	ReadOnly Verdict = "read-only"
	// DataPlane: it pushes to one cache and cannot manage anything.
	DataPlane Verdict = "data-plane"
	// CacheAdmin: it pushes to one cache and can manage it too, which is more than CI needs.
	CacheAdmin Verdict = "cache-admin"
	// AccountWide: it can do everything with every cache of the account.
	AccountWide Verdict = "account-wide"
	// Undetermined: the service was not reachable, or gave the same answer that several kinds of token get.
	Undetermined Verdict = "undetermined"
)

// State is what could be learnt about a cache.
type State string

// The states of a cache.
const (
	// Readable: the service showed it.
	Readable State = "readable"
	// Hidden: it is missing, or private and not for this token; the service answers both alike.
	Hidden State = "hidden"
	// Missing: the service said that it does not exist.
	Missing State = "missing"
	// Unreachable: the service gave no usable answer.
	Unreachable State = "unreachable"
)

// Serving is whether a cache answers to nix.
type Serving string

// What a cache's substituter answered; NotAsked where its address is unknown.
const (
	Serves         Serving = "yes"
	WantsLogin     Serving = "with-credentials"
	ServesNot      Serving = "no"
	ServingUnasked Serving = "not-asked"
)

// Inspection is what a cache is and what a token can do with it, ready to be printed. It never holds the token.
type Inspection struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Cache is nil unless the state is Readable.
	Cache   *BinaryCache `json:"cache"`
	Serving Serving      `json:"serving"`
	Verdict Verdict      `json:"verdict"`
	// TokenCache is the cache that the token belongs to, where that is another one than Name.
	TokenCache string `json:"tokenCache"`
	// Account is the token's account; "" unless the verdict is AccountWide.
	Account string `json:"account"`
	// Claims is what the token says about itself; nil if it is not shaped like a JSON Web Token.
	Claims *Claims `json:"claims"`
	// FitForCI is whether CI should push to Name with this token.
	FitForCI bool `json:"fitForCI"`
	// Established says how each finding was come by: "api: …" is what the service answered and decides,
	// "claim: …" is what the token says about itself and only hints.
	Established []string `json:"established"`
	// Warnings are things to mind although the verdict stands.
	Warnings []string `json:"warnings"`
	// Next is what to do, in order. Steps that start with "option A" and "option B" are alternatives.
	Next []string `json:"next"`
}

// Summary is the verdict as a sentence.
func (in Inspection) Summary() string {
	cache := in.Name
	if in.TokenCache != "" {
		cache = in.TokenCache + ", not to " + in.Name + ","
	}
	switch in.Verdict {
	case NoToken:
		return "no token was given"
	case NotAToken:
		return "this is not a Cachix token at all"
	case Expired:
		return "the token has expired or was revoked"
	case ReadOnly:
		return "the token cannot push to " + in.Name
	case DataPlane:
		return "the token pushes to " + cache + " and cannot manage anything"
	case CacheAdmin:
		return "the token pushes to " + cache + " and can also manage that cache"
	case AccountWide:
		return "the token can do everything with every cache of " + in.Account + "; CI must not have it"
	}
	return "what the token can do could not be established"
}

// Settled reports whether the work could be done: the service was reachable and said enough. If not, trying again later,
// or with another name, may tell more.
func (in Inspection) Settled() bool {
	return in.State != Unreachable && in.Verdict != Undetermined
}

// nextSteps writes the way from what was found to a CI that pushes.
func (c Client) nextSteps(in Inspection) []string {
	const newSecret = secretStep + " (with the new token, never with this one)"
	switch {
	case in.State == Unreachable:
		return []string{"try again when the service is reachable"}
	case in.Verdict == AccountWide && in.State != Readable:
		return []string{"garnix2gha cache create " + in.Name + " (this token can do it)", c.tokenStep(in.Name), variableStep(in.Name), newSecret}
	case in.Verdict == AccountWide && in.Cache.Permission == Read:
		return []string{"choose another name: this cache is someone else's"}
	case in.Verdict == AccountWide:
		return []string{c.tokenStep(in.Name), variableStep(in.Name), newSecret}
	}
	var steps []string
	switch {
	case in.TokenCache != "" && in.Verdict != ReadOnly:
		steps = append(steps, "to push to the token's own cache: "+variableStep(in.TokenCache))
	case in.Verdict == DataPlane:
		return SecretSteps(in.Name)
	case in.Verdict == Undetermined:
		steps = append(steps, "try again; if nothing changes, the token is of no use here")
	}
	if in.State == Readable {
		return append(append(steps, c.tokenStep(in.Name)), SecretSteps(in.Name)...)
	}
	steps = append(steps, "if the cache is there and private: make a new token for it and look again")
	return append(steps, c.creation(in.Name)...)
}

// creation is the two ways to a cache and its token.
func (c Client) creation(name string) []string {
	return append(c.byHand(name),
		"option B, with a personal token ("+c.web("/personal-auth-tokens")+"): garnix2gha cache create "+name)
}

// byHand is the way through the web pages.
func (c Client) byHand(name string) []string {
	steps := []string{
		"option A, by hand: make the cache at " + c.web("/cache"),
		"option A: in its Settings, Auth Tokens, make a token with write permission and an expiry date",
	}
	for _, step := range SecretSteps(name) {
		steps = append(steps, "option A: "+step)
	}
	return steps
}
