package cachix

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"garnix2gha/cmd/internal/restapi"
)

// expiresSoon is how long before its end a token is worth replacing.
const expiresSoon = 30 * 24 * time.Hour

// evidence is what the service was asked and what it answered.
type evidence struct {
	open    BinaryCache // the cache as anyone sees it
	openErr error
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
	in := Inspection{
		Name: name, Serving: ServingUnasked,
		Established: []string{}, Warnings: []string{},
	}
	e := c.gather(ctx, name)
	if ctx.Err() != nil {
		return Inspection{}, fmt.Errorf("inspect cache %s: %w", name, ctx.Err())
	}
	in.readCache(e, !c.Token.Empty() && !malformed(c.Token))
	in.readClaims(c)
	in.judge(c, e)
	if in.Cache != nil && in.Cache.URI != "" {
		c.checkServing(ctx, &in)
	}
	in.FitForCI = in.Verdict == DataPlane && in.TokenCache == "" && asError(e.userErr).Refused()
	in.Next = c.nextSteps(in)
	return in, nil
}

// unanswered reports whether the first question got no answer; asking twice more would only make the user wait.
func (e evidence) unanswered() bool { return e.openErr != nil && asError(e.openErr).unanswered() }

// gather asks first without the token: an expired one gets a refusal even for a cache that everyone may read.
func (c Client) gather(ctx context.Context, name string) evidence {
	var e evidence
	e.open, e.openErr = c.anonymous().GetCache(ctx, name)
	if c.Token.Empty() || malformed(c.Token) || e.unanswered() {
		return e
	}
	e.user, e.userErr = c.User(ctx)
	e.seen, e.seenErr = c.GetCache(ctx, name)
	return e
}

// readCache fills in what the cache is, from the token's view if it has one.
func (in *Inspection) readCache(e evidence, asked bool) {
	switch {
	case asked && e.seenErr == nil && sameName(e.seen.Name, in.Name):
		in.State, in.Cache = Readable, &e.seen
		in.establish("api: the cache is readable with this token and is " + string(e.seen.Visibility))
	case e.openErr == nil && sameName(e.open.Name, in.Name):
		in.State, in.Cache = Readable, &e.open
		in.establish("api: the cache is readable by everyone")
	case e.openErr == nil:
		in.State = Unreachable
		in.establish("api: without a token: asked for " + in.Name + ", the service answered with " + e.open.Name)
	case asError(e.openErr).Status == http.StatusNotFound:
		in.State = Missing
		in.establish("api: without a token: " + e.openErr.Error())
	case asError(e.openErr).Refused():
		in.State = Hidden
		in.establish("api: without a token: " + e.openErr.Error())
	default:
		in.State = Unreachable
		in.establish("api: without a token: " + e.openErr.Error())
	}
	if in.Cache != nil && len(in.Cache.PublicSigningKeys) == 0 {
		in.Warnings = append(in.Warnings, "the cache has no public signing key yet, so nix would trust nothing in it")
	}
}

// readClaims adds what the token says about itself.
func (in *Inspection) readClaims(c Client) {
	claims, ok := ReadClaims(c.Token)
	if !ok {
		if !c.Token.Empty() {
			in.establish("claim: none, the token is opaque (not a JSON Web Token)")
		}
		return
	}
	in.Claims = &claims
	if !claims.Expires.IsZero() {
		in.establish("claim: exp is " + claims.Expires.Format(time.DateOnly))
	}
	if claims.ID != "" {
		in.establish("claim: jti is " + claims.ID)
	}
	if claims.Scopes != "" {
		in.establish("claim: scopes is " + claims.Scopes)
	}
	if left := claims.Expires.Sub(c.now()); !claims.Expires.IsZero() && left > 0 && left < expiresSoon {
		in.Warnings = append(in.Warnings, fmt.Sprintf("the token says that it expires on %s, in %d days", claims.Expires.Format(time.DateOnly), int(left.Hours()/24)))
	}
}

// checkServing asks the substituter itself, as nix would first. The token is not sent: the address is not ours.
func (c Client) checkServing(ctx context.Context, in *Inspection) {
	caller := restapi.Caller{
		Party: "the substituter", BaseURL: in.Cache.URI, HTTP: c.HTTP, Sleep: c.Sleep, Waiting: c.Waiting,
		Header: http.Header{"Accept": {"text/x-nix-cache-info"}},
	}
	reply, err := caller.Call(ctx, http.MethodGet, "/nix-cache-info", nil)
	switch {
	case err != nil:
		in.Serving = ServesNot
		in.establish("substituter: " + err.Error())
	case reply.Status == http.StatusUnauthorized || reply.Status == http.StatusForbidden:
		in.Serving = WantsLogin
		in.establish("substituter: nix needs credentials")
	case reply.Status != http.StatusOK:
		in.Serving = ServesNot
		in.establish(fmt.Sprintf("substituter: nix-cache-info answered %d", reply.Status))
	case !strings.Contains(string(reply.Body), "/nix/store"):
		in.Serving = ServesNot
		in.establish("substituter: nix-cache-info is not that of a cache for /nix/store")
	default:
		in.Serving = Serves
		in.establish("substituter: it answers to nix")
	}
}

func (in *Inspection) establish(finding string) {
	in.Established = append(in.Established, finding)
}
