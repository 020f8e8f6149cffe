#!/usr/bin/env bash
# Decides what this run builds, on which runners, and whether it pushes.
#
# environment
#   EVENT        push | pull_request | merge_group | workflow_dispatch
#   REF          the full ref, refs/heads/x
#   PUSH_REFS    lines: patterns of branches that push, with GitHub's * ** ?; unset: every branch; empty: none
#   FORK_REPO    true: this repository is a fork
#   ACTOR        who started the run
#   CACHE_URL    the cache; empty: none is configured
#   CACHE_NAME, BACKEND  for messages
#   HAS_TOKEN    true: the secret that may write is there
#   RUNNERS      JSON: system -> runner label or list of labels
#   GRANULARITY  system (default): a job per system; target: a job per derivation
#   SHARDS       JSON: system -> number of jobs (with GRANULARITY=system)
#   CONFIG_FILE, CONFIG_DIGEST  the file the workflow was generated from and its SHA-256 without carriage returns
#   HEAD_SHA     the commit
# reads   $RUNNER_TEMP/garnix2gha/targets.json, verdicts.json
# writes  $RUNNER_TEMP/garnix2gha/plan/plan.json
# outputs matrix (JSON list of {id,name,system,runner}), push, failed (number), blocked, cache; and the step's summary
# exit    0 planned, whatever the targets are like; 1 no plan can be made
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
mkdir -p "$work/plan"
command -v jq >/dev/null || { echo "::error::jq is not installed on this runner"; exit 1; }
tmp=$(mktemp -d "$work/plan.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# Text from a repository: control characters, runner commands and Markdown become harmless.
safe='def safe: explode | map(if (. < 32 and . != 10) or (. > 126 and . < 160) or (. > 8231 and . < 8239) or (. > 8293 and . < 8298)
  then 32 else . end) | implode | gsub("##\\["; "## [");
def data: safe | gsub("%"; "%25") | gsub("\n"; "%0A");
def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
def html: safe | explode | map(if . == 10 then " " elif . == 32 or . > 127 or (. > 38 and . < 58 and . != 42) or (. > 64 and . < 91) or (. > 96 and . < 123)
  then [.] | implode else "&#\(.);" end) | join("") | gsub("(?<w>www)[.]"; "\(.w)&#46;"; "i");
def code: "<code>" + html + "</code>";'
: >"$tmp/notes"
say() { # say error|warning|notice MESSAGE: an annotation, and a line of the summary
  printf '%s' "$2" | jq -Rrs --arg level "$1" "$safe"' "::\($level) title=Nix Build Cache::\(data)"'
  printf '%s' "$2" | jq -Rrs "$safe"' html + "\n"' >>"$tmp/notes"
}

# ---- is the workflow still the one of this configuration? ----
if [ -n "${CONFIG_FILE:-}" ]; then
  digest=''
  if [ -f "$CONFIG_FILE" ]; then
    if command -v sha256sum >/dev/null; then digest=$(tr -d '\r' <"$CONFIG_FILE" | sha256sum); else digest=$(tr -d '\r' <"$CONFIG_FILE" | shasum -a 256); fi
    digest=${digest%% *}
  fi
  if [ "$digest" != "${CONFIG_DIGEST:-}" ]; then
    say warning "$CONFIG_FILE is not what this workflow was generated from: run garnix2gha generate and commit the result"
  fi
fi

# ---- push? ----
# GitHub's filter patterns: * is anything but a slash, ** anything, ? makes the character before it optional.
pushes() {
  jq -nr --arg ref "$REF" --arg patterns "${PUSH_REFS-**}" '
    def regex: "^" + ([scan("\\*\\*|.")] | map(
      if . == "**" then ".*" elif . == "*" then "[^/]*" elif . == "?" then "?" elif test("^[\\p{L}\\p{N}_]$") then . else "\\" + . end) | join("")) + "$";
    ($ref | startswith("refs/heads/")) and ($patterns | split("\n") | map(sub("^\\s+"; "") | sub("\\s+$"; "") | select(. != "")) | any(
      . as $pattern | (if $pattern | startswith("refs/") then $ref else $ref[11:] end) | test($pattern | regex)))'
}
: "${EVENT:?}" "${REF:=}"
push=false blocked=false cache=false
state=$(jq -r .cache.state "$work/verdicts.json")
message=$(jq -r .cache.message "$work/verdicts.json")
case "$state" in ok) cache=true ;; esac
case "$EVENT" in
  pull_request) reason="a pull request never pushes" ;;
  merge_group) reason="a merge group never pushes" ;;
  push | workflow_dispatch)
    wanted=$(pushes) || { say error "push-refs holds a pattern that cannot be read"; wanted=false blocked=true; }
    if [ "$wanted" = true ]; then reason=''; else reason="$REF is not among the refs that push"; fi ;;
  *) reason="the event $EVENT never pushes" ;;
esac
named="the cache ${CACHE_NAME:-${CACHE_URL:-}}"
if [ -n "$reason" ]; then
  if [ "$state" != ok ] && [ "$state" != none ]; then say notice "$named cannot be read ($message): building without it"; fi
elif [ -z "${CACHE_URL:-}" ]; then
  reason="no cache is configured"
  if [ "${FORK_REPO:-false}" = true ]; then say notice "no cache is configured in this fork: nothing is pushed"
  else say warning "no cache is configured: the targets are built and nothing is pushed. Set the variable that names the cache (garnix2gha report says which)."; fi
elif [ "${HAS_TOKEN:-false}" != true ]; then
  reason="there is no token to push with"
  if [ "${FORK_REPO:-false}" = true ]; then say notice "this fork has no token for $named: nothing is pushed"
  elif [ "${ACTOR:-}" = "dependabot[bot]" ]; then say notice "a run started by Dependabot gets no secrets: nothing is pushed to $named"
  else
    say error "there is no token to push to $named with: add the secret (garnix2gha report says which)"
    blocked=true
  fi
elif [ "$state" != ok ]; then
  reason="$named cannot be read"
  say error "$named cannot be used: $message"
  blocked=true
else
  push=true
fi

# ---- the plan ----
runners=${RUNNERS:-} shards=${SHARDS:-}
[ -n "$runners" ] || runners='{}'
[ -n "$shards" ] || shards='{}'
jq -n --slurpfile given "$work/targets.json" --slurpfile verdicts "$work/verdicts.json" --argjson runners "$runners" --argjson shards "$shards" \
  --arg granularity "${GRANULARITY:-system}" --argjson push "$push" --arg head "${HEAD_SHA:-}" "$safe"'
  # The whole matrix may have this many jobs.
  256 as $limit
  | ["x86_64-linux", "i686-linux", "aarch64-linux", "aarch64-darwin", "x86_64-darwin"] as $order
  | def rank: . as $s | ($order | index($s)) // 9;
  def short: safe | gsub("\n"; " ") | .[:150];
  # bins N: the groups of a list dealt out in turn
  def bins($n): . as $list | [range([$n, ($list | length)] | min) as $i | [$list | to_entries[] | select(.key % $n == $i) | .value]];
  $verdicts[0].paths as $verdict
  | $given[0] as $given
  | [$given.targets[] | . as $t
      | [.outputs[] | if . == null then "unknown" else $verdict[.].verdict // "unknown" end] as $outputs
      | . + {state: (
          if .error then "failed"
          elif ($outputs | length > 0) and ($outputs | all(. == "upstream")) then "upstream"
          elif ($outputs | length > 0) and ($outputs | all(. == "upstream" or . == "in-cache")) then "cached"
          elif $runners[.system // ""] then "build"
          else "no-runner" end)}] as $targets
  | [$given.unplanned[] | select($runners[.system])] as $away
  # groups: the targets to build, by derivation
  | [$targets | map(select(.state == "build")) | group_by(.drv)[] | sort_by(.attr)] | sort_by(.[0].attr) as $groups
  # One job per system: one that must be evaluated elsewhere is built there as a whole.
  | ($granularity != "target") as $whole
  | [$away[] | .system as $s | if $whole then .request.targets += [$groups[][] | select(.system == $s) | {path}] else . end] as $unplanned
  | [$groups | map(.[0].system as $s | select(($whole and any($away[]; .system == $s)) | not)) | group_by(.[0].system)[]]
  | sort_by(.[0][0].system | rank, .) as $systems
  | ($limit - ($unplanned | length)) as $room
  | ($systems | map(. as $all | ($all[0][0].system) as $s
      | if $granularity == "target" then length else [[($shards[$s] // 1), length] | min, 1] | max end)) as $wished
  | ($wished | add // 0) as $sum
  | [range($systems | length) as $i | $systems[$i] as $all | $all[0][0].system as $s
      | (if $sum <= $room then $wished[$i] else [($wished[$i] * ($room - ($systems | length)) / $sum | floor), 1] | max end) as $n
      | ($all | bins($n)) as $bins
      | $bins | to_entries[] | {
          system: $s,
          name: (if $granularity == "target" and (.value | length) == 1 then .value[0][0].check | short
            elif ($bins | length) == 1 then $s else "\($s) (\(.key + 1)/\($bins | length))" end),
          unplanned: false,
          request: {targets: [.value[][] | {path}]}}]
    + [$unplanned[] | {system, name: "\(.system) (evaluated there)", unplanned: true, request}]
  | sort_by(.system | rank) | to_entries | map({id: "\(.value.system | gsub("[^A-Za-z0-9_-]"; "_"))-\(.key + 1)"} + .value + {runner: $runners[.value.system]}) as $entries
  | {version: 1, head: $head, push: $push, targets: $targets, entries: $entries,
     stranded: [$given.unplanned[] | select($runners[.system] | not) | .system]}' >"$tmp/full"
jq 'del(.stranded)' "$tmp/full" >"$tmp/plan"
jq -c '[.entries[] | {id, name, system, runner}]' "$tmp/full" >"$tmp/matrix"
if [ "$(wc -c <"$tmp/matrix")" -gt 400000 ]; then
  say error "the matrix is larger than a job may hand on"
  exit 1
fi
mv "$tmp/plan" "$work/plan/plan.json"
failed=$(jq '([.targets[] | select(.state == "failed" or .state == "no-runner")] | length) + (.stranded | length)' "$tmp/full")

{
  printf 'matrix=%s\n' "$(cat "$tmp/matrix")"
  printf '%s\n' "push=$push" "failed=$failed" "blocked=$blocked" "cache=$cache"
} >>"${GITHUB_OUTPUT:-/dev/null}"

jq -r "$safe"'
  [(.targets[] | select(.state == "failed") | "::error title=\(.attr | property)::\(.attr | data) does not evaluate: \(.error | data)"),
   (.targets[] | select(.state == "no-runner") | "::error title=\(.attr | property)::\(.attr | data) is for \(.system | tostring | data), for which no runner is configured"),
   (.stranded[] | "::error title=\(property)::the targets of \(data) must be evaluated on their own runner, and none is configured")]
  | (.[:10][] | .[:4000]), (if length > 10 then "::notice title=Nix Build Cache::and \(length - 10) more targets that cannot be built" else empty end)' "$tmp/full"

{
  echo '### Plan'
  echo
  cat "$tmp/notes"
  if [ -n "$reason" ]; then printf '%s' "$reason" | jq -Rrs "$safe"' "Nothing is pushed: \(html).\n"'; fi
  jq -r "$safe"'
    def row: "| \(.attr | code) | \(.system | tostring | html) | \(.state) | \((.error // "") | .[:300] | html) |";
    .targets as $targets
    | "| to build | in the cache | upstream | cannot be built | jobs |", "| ---: | ---: | ---: | ---: | ---: |",
      "| \([$targets[] | select(.state == "build")] | length) | \([$targets[] | select(.state == "cached")] | length) | \([$targets[] | select(.state == "upstream")] | length) | \([$targets[] | select(.state == "failed" or .state == "no-runner")] | length + 0) | \(.entries | length) |",
      "",
      (if any(.entries[]; .unplanned) then "Evaluated on their own runner: \([.entries[] | select(.unplanned) | .system | html] | join(", ")).", "" else empty end),
      ([$targets[] | select(.state == "failed" or .state == "no-runner")]
        | if length == 0 then empty else "| cannot be built | system | state | cause |", "| --- | --- | --- | --- |", (.[:200][] | row), (if length > 200 then "| and \(length - 200) more | | | |" else empty end), "" end),
      (["build", "cached", "upstream"][] as $state | [$targets[] | select(.state == $state)]
        | if length == 0 then empty else
            "<details><summary>\({build: "to build", cached: "in the cache", upstream: "upstream"}[$state]) (\(length))</summary>", "", (.[:500][] | "- \(.attr | code)"),
            (if length > 500 then "- and \(length - 500) more" else empty end), "", "</details>", "" end)' "$tmp/full"
} >"$tmp/summary"
if [ "$(wc -c <"$tmp/summary")" -gt 900000 ]; then printf '### Plan\n\nThe table is too large to show; see the log.\n' >"$tmp/summary"; fi
cat "$tmp/summary" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

jq -r '"\(.targets | map(select(.state == "build")) | length) to build in \(.entries | length) jobs, \(.targets | map(select(.state == "cached" or .state == "upstream")) | length) already there, \(.targets | map(select(.state == "failed" or .state == "no-runner")) | length) cannot be built"' "$tmp/full"
if [ "$push" = true ]; then echo "what is built will be pushed"; else echo "nothing will be pushed"; fi
