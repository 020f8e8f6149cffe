#!/usr/bin/env bash
# Posts one commit status a target, under the names that garnix's checks had.
#
# environment
#   GITHUB_TOKEN    may write statuses
#   GITHUB_API_URL  (default https://api.github.com)
#   REPOSITORY      owner/name
#   HEAD_SHA        the commit
#   RUN_URL         where a status leads
#   PAUSE           seconds before refused statuses are posted again (default 20)
# reads   $RUNNER_TEMP/garnix2gha/plan/plan.json, result/*.json
# exit    0 all are posted; 1 some are not
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "::error::$tool is not installed on this runner"; exit 1; }
done
case "${REPOSITORY:?}" in *[!A-Za-z0-9._/-]*) echo "::error::the repository's name is malformed"; exit 1 ;; esac
case "${HEAD_SHA:?}" in *[!0-9a-f]*) echo "::error::the commit is malformed"; exit 1 ;; esac
: "${GITHUB_TOKEN:?}"
[ -s "$work/plan/plan.json" ] || { echo "::error::there is no plan"; exit 1; }
tmp=$(mktemp -d "$work/statuses.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

: >"$tmp/results"
for file in "$work"/result/*.json; do
  [ -f "$file" ] || continue
  # Written by a job that ran the repository's code: only its shape is trusted.
  jq -c '.pushed as $pushed | .targets[]? | objects | select((.attr | type) == "string" and (.check | type) == "string")
    | {attr, check, state: (.state | tostring), cause: ((.cause // "") | tostring), pushed: ($pushed == true)}' "$file" >>"$tmp/results" \
    || { echo "::error title=Statuses::a result of a build job cannot be read"; exit 1; }
done
# What the plan knows counts before what a job says, and a job speaks only for what it was to build.
jq -c --slurpfile results "$tmp/results" --arg url "${RUN_URL:-}" '
  def text: explode | map(if . < 32 or (. > 126 and . < 160) then 32 else . end) | implode;
  def verdict:
    if .state == "cached" then ["success", "already in the cache"]
    elif .state == "upstream" then ["success", "already in an upstream cache"]
    elif .state == "built" then ["success", if .pushed then "built and pushed" else "built" end]
    elif .state == "failed" and (.error | not) then ["failure", "not built: \(.cause)"]
    elif .state == "failed" or .state == "evaluation-failed" then ["failure", "does not evaluate: \(.error // .cause)"]
    elif .state == "no-runner" then ["error", "no runner is configured for its system"]
    else ["error", "its job ended without a result"] end;
  ($results | map({key: .attr, value: .}) | from_entries) as $built
  | ([.targets[] | {attr, check, state, error} + if .state == "build" then ($built[.attr] // {} | {state, cause, pushed} | map_values(select(. != null))) else {} end]
    + ((.targets | map({key: .attr, value: true}) | from_entries) as $planned | $results | map(select($planned[.attr] | not))))
  | unique_by(.check)[] | verdict as $verdict
  | {context: (.check | text | .[:255]), state: $verdict[0], description: ($verdict[1] | text | .[:140])} + if $url == "" then {} else {target_url: $url} end' \
  "$work/plan/plan.json" >"$tmp/statuses"
total=$(($(wc -l <"$tmp/statuses")))
if [ "$total" = 0 ]; then
  echo "there are no targets"
  exit 0
fi

number=0
: >"$tmp/open"
while IFS= read -r status; do
  number=$((number + 1))
  printf '%s' "$status" >"$tmp/$number.json"
  echo "$number" >>"$tmp/open"
done <"$tmp/statuses"

for try in 1 2 3 4; do
  (umask 077 && : >"$tmp/curlrc")
  first=true
  while IFS= read -r number; do
    $first || echo next
    first=false
    printf '%s\n' 'silent' "url = \"${GITHUB_API_URL:-https://api.github.com}/repos/$REPOSITORY/statuses/$HEAD_SHA\"" "data = \"@$tmp/$number.json\"" \
      "output = \"$tmp/$number.answer\"" "write-out = \"$number %{http_code}\\n\"" 'connect-timeout = 15' 'max-time = 60' \
      "header = \"Authorization: Bearer $GITHUB_TOKEN\"" 'header = "Accept: application/vnd.github+json"' 'header = "Content-Type: application/json"' \
      'header = "X-GitHub-Api-Version: 2022-11-28"' 'user-agent = "garnix2gha"'
  done <"$tmp/open" >>"$tmp/curlrc"
  # Few at a time: GitHub limits how fast content is made.
  curl --parallel --parallel-max 4 --config "$tmp/curlrc" >"$tmp/codes" 2>/dev/null || true
  rm -f "$tmp/curlrc"
  awk '$2 !~ /^2/ && $1 ~ /^[0-9]+$/ { print $1 }' "$tmp/codes" >"$tmp/refused"
  # A transfer that left no line was refused as well.
  awk 'FNR == NR { seen[$1] = 1; next } !($1 in seen)' "$tmp/codes" "$tmp/open" >>"$tmp/refused"
  if [ ! -s "$tmp/refused" ]; then
    echo "posted $total statuses"
    exit 0
  fi
  mv "$tmp/refused" "$tmp/open"
  [ "$try" -lt 4 ] || break
  sleep "${PAUSE:-20}"
done
left=$(($(wc -l <"$tmp/open")))
number=$(head -n 1 "$tmp/open")
code=$(awk -v number="$number" '$1 == number { print $2 }' "$tmp/codes")
reason=$(jq -r '.message // "" | tostring | explode | map(select(. >= 32 and . < 127)) | implode | .[:200]' "$tmp/$number.answer" 2>/dev/null || true)
echo "::error title=Statuses::$left of $total statuses could not be posted (HTTP ${code:-000}${reason:+: ${reason//'%'/%25}})"
exit 1
