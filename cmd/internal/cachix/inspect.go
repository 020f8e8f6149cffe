// What a cache is, and what a token can do with it.

package cachix

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"garnix2gha/cmd/internal/secretsource"
)

// Verdict is what a token can do; "" where there is none, or where the service did not say enough.
type Verdict string

// The verdicts. Only DataPlane is right for CI; AccountWide must never be stored where CI runs.
const (
	NotAToken   Verdict = "not-a-token"  // the service does not know it, and it is not shaped like its tokens
	Expired     Verdict = "expired"      // it was a token once; its time is over or it was revoked
	ReadOnly    Verdict = "read-only"    // it cannot push to this cache
	DataPlane   Verdict = "data-plane"   // it pushes to one cache
	AccountWide Verdict = "account-wide" // it can do everything with every cache of the account
)

// State is what could be learnt about a cache.
type State string

// The states of a cache.
const (
	Readable    State = "readable"    // the service showed it
	Hidden      State = "hidden"      // it is missing, or private and not for this token; the service answers both alike
	Unreachable State = "unreachable" // the service gave no usable answer
)

// Inspection is what a cache is and what a token can do with it, ready to be printed. It never holds the token.
type Inspection struct {
	Name        string       `json:"name"`
	State       State        `json:"state"`
	Cache       *BinaryCache `json:"cache"` // nil unless the state is Readable
	Token       bool         `json:"token"` // whether there was one to judge
	Verdict     Verdict      `json:"verdict"`
	TokenCache  string       `json:"tokenCache"`  // the cache that the token belongs to, where that is another one than Name
	Account     string       `json:"account"`     // the token's; "" unless the verdict is AccountWide
	FitForCI    bool         `json:"fitForCI"`    // whether CI should push to Name with this token
	Established []string     `json:"established"` // what each finding was concluded from, the last one last
	Warnings    []string     `json:"warnings"`    // what to mind although the verdict stands
}

// Summary is the verdict as a sentence.
func (in Inspection) Summary() string {
	switch {
	case in.Verdict == DataPlane && in.TokenCache != "":
		return "the token pushes to " + in.TokenCache + " alone, not to " + in.Name
	case in.Verdict == "" && !in.Token:
		return "no token was given"
	}
	return map[Verdict]string{
		"":          "what the token can do could not be established",
		NotAToken:   "this is not a Cachix token at all",
		Expired:     "the token has expired or was revoked",
		ReadOnly:    "the token cannot push to " + in.Name,
		DataPlane:   "the token pushes to " + in.Name + ", and is for that cache alone",
		AccountWide: "the token can do everything with every cache of " + in.Account + "; CI must not have it",
	}[in.Verdict]
}

// Settled reports whether the service was reachable and said enough; else another try, or another name, may tell more.
func (in Inspection) Settled() bool {
	return in.State != Unreachable && (in.Verdict != "" || !in.Token)
}

// evidence is what the service was asked and what it answered.
type evidence struct {
	open    BinaryCache // the cache as anyone sees it
	openErr error
	asked   bool    // with the token; what follows is empty if not
	user    Account // the token's account
	userErr error
	seen    BinaryCache // the cache as the token sees it
	seenErr error
}

// Inspect finds out what a cache is and what the client's token can do with it, by reading only. An error means that the
// name is impossible or the context ended; an unreachable service is a finding.
func (c Client) Inspect(ctx context.Context, name string) (Inspection, error) {
	if err := c.checkName(name); err != nil {
		return Inspection{}, err
	}
	token := c.caller.Token
	in := Inspection{Name: name, Token: !token.Empty(), Established: []string{}, Warnings: []string{}}
	malformed := strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f })
	// First without the token: an expired one is refused even a public cache. Without an answer there is no use in asking on.
	var e evidence
	anyone := c
	anyone.caller.Token = secretsource.Value{}
	e.open, e.openErr = anyone.shown(ctx, name)
	if in.Token && !malformed && (e.openErr == nil || !faultOf(e.openErr).Unavailable()) {
		e.asked = true
		e.user, e.userErr = c.User(ctx)
		e.seen, e.seenErr = c.shown(ctx, name)
	}
	if ctx.Err() != nil {
		return Inspection{}, fmt.Errorf("inspect cache %s: %w", name, ctx.Err())
	}
	in.describe(e)
	switch {
	case malformed:
		in.conclude(NotAToken, "it holds spaces, line breaks or characters that no token has, so it was not sent")
	case e.asked:
		in.judge(e, token)
	}
	return in, nil
}

// describe fills in what the cache is, from the token's view if it has one.
func (in *Inspection) describe(e evidence) {
	in.State = Unreachable
	switch {
	case e.asked && e.seenErr == nil && sameName(e.seen.Name, in.Name):
		in.State, in.Cache = Readable, &e.seen
		in.establish("the cache is readable with this token and is " + string(e.seen.Visibility))
	case e.openErr == nil && sameName(e.open.Name, in.Name):
		in.State, in.Cache = Readable, &e.open
		in.establish("the cache is readable by everyone")
	case e.openErr == nil:
		in.establish("without a token: asked for " + in.Name + ", the service answered with " + e.open.Name)
	case hides(e.openErr):
		in.State = Hidden
		fallthrough
	default:
		in.establish("without a token: " + e.openErr.Error())
	}
	if in.Cache != nil && len(in.Cache.PublicSigningKeys) == 0 {
		in.warn("the cache has no public signing key yet, so nix would trust nothing in it")
	}
}

const expiresSoon = 30 * 24 * time.Hour // before its end a token is worth replacing

// judge finds the verdict: what the service answers decides, and what the token says of itself where that leaves a choice.
func (in *Inspection) judge(e evidence, token secretsource.Value) {
	expires, shaped := claims(token)
	left := time.Until(expires)
	if !expires.IsZero() && left > 0 && left < expiresSoon {
		in.warn("the token says that it expires on %s, in %d days", expires.Format(time.DateOnly), int(left.Hours()/24))
	}
	switch {
	case expired(e.userErr) || expired(e.seenErr):
		in.conclude(Expired, "the service says that the token has expired")
	case e.userErr == nil:
		in.Account = e.user.String()
		in.conclude(AccountWide, "it opens the account "+in.Account+", which no token for one cache does")
	case e.seenErr == nil:
		in.judgePermission(e, shaped)
	case !hides(e.seenErr):
		in.conclude("", "with the token: "+e.seenErr.Error())
	case !faultOf(e.userErr).Refused():
		in.conclude("", "with the token: "+e.userErr.Error())
	case !shaped:
		in.conclude(NotAToken, "the service refuses it everywhere, and it is not shaped like a token of this service")
	case e.openErr == nil:
		in.conclude(Expired, "with it the service refuses even a cache that everyone may read, as it does with expired and revoked tokens")
	case !expires.IsZero() && left < 0:
		in.conclude(Expired, "the service refuses it, and it says itself that its time is over")
	default:
		in.conclude("", "the cache is missing, or the token is for another cache or was revoked; the service does not say which")
	}
}

// judgePermission is for a token that opens no account and that the service showed a cache to.
func (in *Inspection) judgePermission(e evidence, shaped bool) {
	if !faultOf(e.userErr).Refused() {
		in.establish("with the token: " + e.userErr.Error())
		in.warn("whether the token is account-wide could not be established")
	}
	if !sameName(e.seen.Name, in.Name) {
		in.TokenCache = e.seen.Name
		in.establish("asked for " + in.Name + " with this token, the service answered with " + e.seen.Name)
	}
	granted := "its permission on " + e.seen.Name + " is " + string(e.seen.Permission)
	switch e.seen.Permission {
	case Write:
		in.conclude(DataPlane, granted)
		in.FitForCI = in.TokenCache == "" && faultOf(e.userErr).Refused()
	case Admin:
		in.conclude(DataPlane, granted)
		in.warn("the token may also change and delete the cache; CI needs write permission only")
	case Read:
		in.conclude(ReadOnly, granted)
		if e.openErr == nil && in.TokenCache == "" {
			in.establish("everyone may read this cache, so the token may also belong to another one")
			if !shaped {
				in.conclude(NotAToken, "with it the service answers as it does without any token")
			}
		}
	default:
		in.conclude("", "the service did not say what the token may do")
	}
}

func (in *Inspection) conclude(verdict Verdict, from string) {
	in.Verdict = verdict
	in.establish(from)
}

func (in *Inspection) establish(finding string) { in.Established = append(in.Established, finding) }

func (in *Inspection) warn(format string, args ...any) {
	in.Warnings = append(in.Warnings, fmt.Sprintf(format, args...))
}

// claims reads what a token says about itself, without checking its signature: when it ends, if it says so, and whether
// it is shaped as the service's tokens are. The service documents none of it.
func claims(token secretsource.Value) (expires time.Time, shaped bool) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return expires, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct{ Exp float64 }
	if err != nil || !strings.HasPrefix(string(payload), "{") || !lenient(payload, &claims) {
		return expires, false
	}
	// 253402300799 is the last second of the year 9999.
	if claims.Exp > 0 && claims.Exp <= 253402300799 {
		expires = time.Unix(int64(claims.Exp), 0).UTC()
	}
	return expires, true
}
