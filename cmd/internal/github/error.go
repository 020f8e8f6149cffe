package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"garnix2gha/cmd/internal/restapi"
)

// Error is a refused request. It never holds the token or a secret, and all of it is fit for a terminal.
type Error struct {
	// Doing is what was tried, "read variable NAME of owner/repo".
	Doing string
	// Status is the HTTP status.
	Status int
	// Message is what GitHub said; it may be empty.
	Message string
	// Hint is the next step; it may be empty.
	Hint string
}

// Error says what was tried and what GitHub said; the hint is for a line of its own.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: GitHub answered %d", e.Doing, e.Status)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

func newError(doing string, caller restapi.Caller, reply restapi.Reply) *Error {
	message := caller.Message(reply)
	if details := validation(reply.Body); details != "" {
		message = caller.Clean(message + " (" + details + ")")
	}
	return &Error{Doing: doing, Status: reply.Status, Message: message, Hint: hint(caller, reply)}
}

// validation collects what a 422 says in its list of errors, whose entries are texts or objects.
func validation(body []byte) string {
	var answer struct {
		Errors []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	var details []string
	for _, raw := range answer.Errors {
		var text string
		var entry struct{ Message, Field, Code string }
		switch {
		case json.Unmarshal(raw, &text) == nil:
			details = append(details, text)
		case json.Unmarshal(raw, &entry) != nil:
		case entry.Message != "":
			details = append(details, entry.Message)
		case entry.Field != "":
			details = append(details, entry.Field+" "+entry.Code)
		}
	}
	return strings.Join(details, ", ")
}

// permissions is what a token needs, in the words of GitHub's token pages.
const permissions = `a fine-grained token needs the repository permissions "Secrets: write" and "Variables: write" ` +
	`(and "Environments: write" for an environment's), a classic one the scope "repo"`

// hint is the next step for a status.
func hint(caller restapi.Caller, reply restapi.Reply) string {
	header := func(name string) string { return caller.Clean(reply.Header.Get(name)) }
	switch {
	case limited(reply):
		end := time.Now().Add(limitEnds(reply, time.Now())).UTC().Format("15:04:05")
		return "the rate limit is used up; try again after " + end + " UTC"
	case reply.Status == http.StatusUnauthorized && caller.Token.Empty():
		return "pass a token; " + permissions
	case reply.Status == http.StatusUnauthorized:
		return "the token is wrong, expired or revoked; make a new one, " + permissions
	case reply.Status == http.StatusForbidden && header("X-Github-Sso") != "":
		return "the organization asks for single sign-on: authorize the token for it (" + header("X-Github-Sso") + ")"
	case reply.Status == http.StatusForbidden:
		return permissions + accepted(header) + "; the GITHUB_TOKEN of a workflow can do neither"
	case reply.Status == http.StatusNotFound:
		return "GitHub also says so when the token may not see it; check the name, then the token: " + permissions
	case reply.Status == http.StatusUnprocessableEntity:
		return "GitHub does not accept a name or a value; names are letters, digits and underscores"
	case reply.Status >= 500:
		return "GitHub is out of order; run the same command again later"
	}
	return ""
}

// accepted repeats what GitHub says would have been enough.
func accepted(header func(string) string) string {
	if wanted := header("X-Accepted-Github-Permissions"); wanted != "" {
		return " (GitHub asks for " + wanted + ")"
	}
	if wanted := header("X-Accepted-Oauth-Scopes"); wanted != "" {
		return " (GitHub asks for " + wanted + ", the token has " + header("X-Oauth-Scopes") + ")"
	}
	return ""
}
