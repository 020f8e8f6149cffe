package cachix

import "net/http"

// judge finds the verdict on the token. What the service answers decides; claims are asked only where it says nothing.
func (in *Inspection) judge(c Client, e evidence) {
	shaped := in.Claims != nil
	seenErr, userErr := asError(e.seenErr), asError(e.userErr)
	switch {
	case c.Token.Empty():
		in.Verdict = NoToken
	case malformed(c.Token):
		in.Verdict = NotAToken
		in.establish("it holds spaces, line breaks or characters that no token has, so it was not sent")
	case e.unanswered():
		in.Verdict = Undetermined
	case userErr.Expired() || seenErr.Expired():
		in.Verdict = Expired
		in.establish("api: the service says that the token has expired")
	case e.userErr == nil:
		in.Verdict, in.Account = AccountWide, e.user.String()
		in.establish("api: it opens the account " + in.Account + ", which no token for one cache does")
		if e.seenErr == nil && e.seen.Permission == Read {
			in.Warnings = append(in.Warnings, "this account may only read the cache: it is someone else's")
		}
	case e.seenErr == nil:
		in.judgePermission(e, shaped)
		in.noteAccount(e)
	case seenErr.Refused() || seenErr.Status == http.StatusNotFound:
		in.judgeRefusal(c, e, shaped)
	default:
		in.Verdict = Undetermined
		in.establish("api: with the token: " + e.seenErr.Error())
	}
}

// judgePermission is for a token that the service showed a cache to.
func (in *Inspection) judgePermission(e evidence, shaped bool) {
	if !sameName(e.seen.Name, in.Name) {
		in.TokenCache = e.seen.Name
		in.establish("api: asked for " + in.Name + " with this token, the service answered with " + e.seen.Name)
	}
	switch e.seen.Permission {
	case Write:
		in.Verdict = DataPlane
	case Admin:
		in.Verdict = CacheAdmin
		in.Warnings = append(in.Warnings, "the token may also change and delete the cache; CI needs write permission only")
	case Read:
		in.Verdict = ReadOnly
		if in.TokenCache == "" && e.openErr == nil && !shaped {
			in.Verdict = NotAToken
			in.establish("api: with it the service answers as it does without any token")
			return
		}
		if e.openErr == nil {
			in.establish("api: with it this public cache is only readable, so it has read permission or belongs to another cache")
		}
	default:
		in.Verdict = Undetermined
		in.establish("api: the service did not say what the token may do")
		return
	}
	in.establish("api: its permission on " + e.seen.Name + " is " + string(e.seen.Permission))
}

// noteAccount says how sure it is that the token is not account-wide.
func (in *Inspection) noteAccount(e evidence) {
	if asError(e.userErr).Refused() {
		in.establish("api: it does not open an account, so it is not account-wide")
		return
	}
	in.establish("api: with the token: " + e.userErr.Error())
	in.Warnings = append(in.Warnings, "whether the token is account-wide could not be established")
}

// judgeRefusal is for a token that the service showed neither an account nor the cache.
func (in *Inspection) judgeRefusal(c Client, e evidence, shaped bool) {
	in.establish("api: with the token: " + e.seenErr.Error())
	past := shaped && !in.Claims.Expires.IsZero() && in.Claims.Expires.Before(c.now())
	switch {
	case !asError(e.userErr).Refused():
		in.Verdict = Undetermined
		in.establish("api: with the token: " + e.userErr.Error())
	case !shaped:
		in.Verdict = NotAToken
		in.establish("api: the service refuses it everywhere, and it is not shaped like a token of this service")
	case e.openErr == nil:
		in.Verdict = Expired
		in.establish("api: with it the service refuses even a cache that everyone may read, as it does with expired and revoked tokens")
	case past:
		in.Verdict = Expired
		in.establish("claim: its time is over, and the service refuses it")
	default:
		in.Verdict = Undetermined
		in.establish("api: the cache is missing, or the token is for another cache or was revoked; the service does not say which")
	}
}
