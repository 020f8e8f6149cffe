package leftovers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// actionsApp is the id of the app GitHub Actions, which reports the checks of workflows.
// Source: https://api.github.com/apps/github-actions.
const actionsApp = "15368"

// garnixChecks selects, in jq, a required check of garnix: by the app's id if GitHub still knows it, else by the names
// that garnix gave its checks. One that is bound to GitHub Actions already is none. %id% is app_id or integration_id.
const garnixChecks = `def garnix: .%id% != ` + actionsApp + ` and (.%id% == ($ENV.GARNIX_APP | tonumber? // "none") or
  (.context | test("^(All Garnix checks|Evaluate flake\\.nix|FOD checks|Garnix module publish)$|` +
	`^(default package|default devShell|package .+|check .+|devShell .+) \\[[a-z0-9_]+-[a-z]+\\]$|^(nixos|home|darwin)Config ")));
%name% as $name`

const requiredScript = `# 1. Garnix's app, whose id required checks may be bound to; empty if GitHub no longer knows it.
GARNIX_APP=$(gh api apps/garnix-ci --jq .id 2>/dev/null) || GARNIX_APP=
export GARNIX_APP

# 2. See which checks are required, and of which app (` + actionsApp + ` is GitHub Actions, none is any app).
branch=$(gh api %repo% --jq .default_branch)
gh api %protection% --jq '.checks[] | [.app_id, .context] | @tsv'
gh api %branchrules% --jq '.[] | select(.type == "required_status_checks") | .ruleset_id as $id
  | .parameters.required_status_checks[] | [$id, .integration_id, .context] | @tsv'

# 3. Branch protection: put the aggregate check of GitHub Actions in the place of garnix's, keep the others.
#    A 404 means that the branch has none. Repeat with another branch= where needed.
body=$(gh api %protection% --jq '%classic%
  | select(any(.checks[]; garnix))
  | {strict, checks: ([.checks[] | select((garnix or .context == $name) | not)] + [{context: $name, app_id: ` + actionsApp + `}])}') &&
  [ -n "$body" ] && printf '%s\n' "$body" | gh api --method PATCH %protection% --input -

# 4. Rulesets of the repository: the same. One of the organization (orgs/ORG/rulesets) is changed by its owners.
for id in $(gh api %rulesets% --jq '.[] | select(.source_type == "Repository") | .id'); do
  body=$(gh api %ruleset% --jq '%modern%
    | select(any(.rules[] | select(.type == "required_status_checks") | .parameters.required_status_checks[]; garnix))
    | .rules |= map(if .type == "required_status_checks" then .parameters.required_status_checks |=
        (map(select((garnix or .context == $name) | not)) + [{context: $name, integration_id: ` + actionsApp + `}]) else . end)
    | {name, target, enforcement, bypass_actors, conditions, rules} | with_entries(select(.value != null))') &&
    [ -n "$body" ] && printf '%s\n' "$body" | gh api --method PUT %ruleset% --input -
done
`

// RequiredCheckCommands returns shell text with the GitHub CLI commands that show which checks a repository requires,
// in branch protection and in rulesets, and that put the check called aggregate, reported by GitHub Actions, in the
// place of garnix's. Other required checks stay. With owner or repo empty, gh fills in the repository it stands in.
func RequiredCheckCommands(owner, repo, aggregate string) string {
	at := "repos/{owner}/{repo}"
	if owner != "" && repo != "" {
		at = "repos/" + url.PathEscape(owner) + "/" + url.PathEscape(repo)
	}
	filter := func(id string) string {
		text := strings.NewReplacer("%id%", id, "%name%", jqString(aggregate)).Replace(garnixChecks)
		return strings.ReplaceAll(text, "'", `'\''`)
	}
	return strings.NewReplacer(
		"%repo%", shellQuote(at),
		"%protection%", shellQuote(at)+`"/branches/$branch/protection/required_status_checks"`,
		"%rulesets%", shellQuote(at+"/rulesets?per_page=100"),
		"%branchrules%", shellQuote(at)+`"/rules/branches/$branch"`,
		"%ruleset%", shellQuote(at)+`"/rulesets/$id"`,
		"%classic%", filter("app_id"),
		"%modern%", filter("integration_id"),
	).Replace(requiredScript)
}

// jqString writes a string literal of jq, with escapes for what a terminal must not see.
func jqString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // cannot be: every string has a JSON form
	}
	var out strings.Builder
	for _, r := range string(b) {
		if visible(string(r)) != string(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}
