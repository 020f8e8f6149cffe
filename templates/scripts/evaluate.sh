#!/usr/bin/env bash
# Evaluates the targets: which derivation and which outputs each attribute has.
#
# environment
#   FLAKE_DIR      directory of the flake inside the checkout (default .)
#   TARGETS_NIX    text of targets.nix
#   RULES          JSON array of build sections, or
#   TARGETS, TARGETS_2, TARGETS_3 ...  lines: a dotted attribute path or {"path":[..],"branches":[..]}, or
#   ENTRY          id of an entry of plan.json, whose request is evaluated
#   BRANCH, HAS_BRANCH  the branch; HAS_BRANCH=false: none (pull request of a fork)
#   SYSTEM         only the targets of this system, on a machine of this system
#   ALLOW_IFD      false: import from derivation is an error (default true)
# reads   $RUNNER_TEMP/garnix2gha/plan/plan.json (with ENTRY)
# writes  $RUNNER_TEMP/garnix2gha/targets.json; flake.lock, if it is missing or stale
# exit    0 evaluated, single targets may have failed; 1 the flake cannot be read or listed
set -euo pipefail
export LC_ALL=C
unset CDPATH

work="${RUNNER_TEMP:?}/garnix2gha"
mkdir -p "$work"
tmp=$(mktemp -d "$work/evaluate.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# Text from a repository: control characters and runner commands become harmless.
safe='def safe: explode | map(if (. < 32 and . != 10) or (. > 126 and . < 160) or (. > 8231 and . < 8239) or (. > 8293 and . < 8298)
  then 32 else . end) | implode | gsub("##\\["; "## [");
def data: safe | gsub("%"; "%25") | gsub("\n"; "%0A");'

say() { # say error|warning|notice MESSAGE
  printf '%s' "$2" | jq -Rrs --arg level "$1" "$safe"' "::\($level) title=Evaluate flake.nix::\(data)"'
}
die() { say error "$1"; exit 1; }

for tool in nix jq; do
  command -v "$tool" >/dev/null || { echo "::error::$tool is not installed on this runner"; exit 1; }
done

# ---- the flake ----
root=$(pwd -P)
case "${FLAKE_DIR:=.}" in /*) die "the flake's directory $FLAKE_DIR must be relative to the checkout" ;; esac
dir=$(cd -- "./$FLAKE_DIR" 2>/dev/null && pwd -P) || die "the flake's directory $FLAKE_DIR does not exist"
case "$dir/" in "$root"/*) ;; *) die "the flake's directory $FLAKE_DIR is outside the checkout" ;; esac

# The message of a failed nix: its last error, which is the innermost one.
why() { # why FILE STATUS
  jq -Rrs --arg status "$2" '
    gsub("\u001b\\[[0-9;]*[A-Za-z]"; "") | split("\n") as $lines
    | ([range($lines | length) | select($lines[.] | test("^ *error:"))] | last) as $at
    | if $at == null then ($lines | map(select(. != "")) | last // "") else
        $lines[$at:($at + 12)] | map(sub("^ +"; "")) | .[0] |= sub("^error: *"; "")
        | reduce .[] as $line ({done: false, kept: []};
            if .done or ($line | test("^(at (/|\u00ab)|\u2026 |\\(use .--show-trace)")) or ($line == "" and (.kept | length > 0 and .[0] != ""))
            then .done = true else .kept += [$line] end)
        | .kept | map(select(. != "")) | join("\n")
      end
    | if . == "" and ($status | tonumber) > 128 then "nix was killed by signal \(($status | tonumber) - 128); out of memory?" else . end
    | if . == "" then "evaluation failed" else .[:1500] end' <"$1"
}

# Twice where that writes the lock file: some nix then answers for the tree without it.
for _ in 1 2; do
  cp "$dir/flake.lock" "$tmp/lock" 2>/dev/null || : >"$tmp/lock"
  (cd -- "$dir" && nix flake metadata --json .) >"$tmp/metadata" 2>"$tmp/err" </dev/null || {
    status=$?
    grep -q -i shallow "$tmp/err" && hint=$'\nCheck out the whole history: fetch-depth: 0.'
    die "the flake cannot be read: $(why "$tmp/err" "$status")${hint:-}"
  }
  if [ ! -e "$dir/flake.lock" ] || cmp -s "$dir/flake.lock" "$tmp/lock"; then break; fi
done
# A clean checkout is locked by its revision, a dirty one (a lock file just written) by the hash of its copy in the store.
ref=$(jq -r '
  if .locked.rev or (.path | not) then .url
  else "path:\(.path)?narHash=\(.locked.narHash // "" | @uri)&lastModified=\(.locked.lastModified // .lastModified // 0)"
    + (if .locked.dir then "&dir=\(.locked.dir | @uri)" else "" end)
  end' "$tmp/metadata")
case "$ref" in path:*'&dir='*) # old nix knows no dir here
  nix eval --expr '{ ref }: { ok = (builtins.getFlake ref).narHash; }' ok --argstr ref "$ref" >/dev/null 2>"$tmp/err" </dev/null \
    || die "the flake in $FLAKE_DIR differs from the commit, perhaps in its flake.lock, which this nix cannot evaluate: $(why "$tmp/err" 1)" ;;
esac

search=true
ask() { # ask OP REQUEST OUT: one nix process; its messages go to OUT.err
  jq -c --argjson search "$search" '. + {search: $search}' <"$2" >"$3.request"
  nix eval --json --expr "${TARGETS_NIX:?}" "$1" --argstr flake "$ref" --argstr request "$(cat "$3.request")" \
    --option allow-import-from-derivation "${ALLOW_IFD:-true}" --option show-trace false >"$3" 2>"$3.err" </dev/null
}
is_ifd() { # does the message say that evaluating needs a build that this machine may not or cannot do?
  grep -q -i -E "allow-import-from-derivation|is required to build '|platform mismatch|required system( or feature)?:? " "$1"
}
# A packages.x86_64-linux that cannot be had at all spoils the search order for every path: search no more.
searched=false
stop_searching() {
  if $searched; then return; fi
  searched=true search=false
  echo '{"queries":[["packages","x86_64-linux"],["legacyPackages","x86_64-linux"]]}' >"$tmp/heads"
  if ask list "$tmp/heads" "$tmp/heads.out"; then search=true; fi
}

# ---- what is asked for ----
branch=null
if [ "${HAS_BRANCH:-true}" = true ] && [ -n "${BRANCH:-}" ]; then branch=$(jq -n --arg b "$BRANCH" '$b'); fi
if [ -n "${ENTRY:-}" ]; then
  jq -c --arg id "$ENTRY" '.entries[] | select(.id == $id) | .request' "$work/plan/plan.json" >"$tmp/request"
  [ -s "$tmp/request" ] || die "the plan has no entry $ENTRY"
elif [ -n "${RULES:-}" ]; then
  printf '%s' "$RULES" | jq -c --argjson branch "$branch" --arg system "${SYSTEM:-}" \
    '{rules: ., branch: $branch} + if $system == "" then {} else {system: $system} end' >"$tmp/request"
else
  lines=${TARGETS:-}
  n=2
  while name="TARGETS_$n" && [ -n "${!name+set}" ]; do lines+=$'\n'${!name}; n=$((n + 1)); done
  printf '%s' "$lines" | jq -cRs --argjson branch "$branch" '
    split("\n") | map(select(test("\\S")) | if startswith("{") then fromjson else {path: split(".")} end)
    | {branch: $branch, targets: map(select(.branches == null or (.branches | index([$branch]))) | {path})}' >"$tmp/request"
fi
# On the machine of one system a target that cannot be evaluated there is an error: there is nowhere else to go.
local=false
if [ -n "${ENTRY:-}${SYSTEM:-}" ]; then local=true; fi
jq -c '.targets // [] | map(.path)' "$tmp/request" >"$tmp/paths"
echo '{"dotted":[],"targets":[]}' >"$tmp/selected"
echo '[]' >"$tmp/unlisted"

if jq -e '.rules' "$tmp/request" >/dev/null; then
  selection() {
    jq -c --slurpfile unlisted "$tmp/unlisted" '{sections: .rules, branch, only: .system, skip: [$unlisted[0][].system]}' "$tmp/request" >"$tmp/selection"
  }
  selection
  if ! ask select "$tmp/selection" "$tmp/selected"; then
    stop_searching
    search_later=$search search=false
    ask queries "$tmp/selection" "$tmp/queries" || die "the flake cannot be listed: $(why "$tmp/queries.err" 1)"
    jq -c '.[]' "$tmp/queries" >"$tmp/query.list"
    while IFS= read -r query <&3; do
      echo "{\"queries\":[$query]}" >"$tmp/query"
      if ask list "$tmp/query" "$tmp/query.out"; then continue; else status=$?; fi
      message=$(why "$tmp/query.out.err" "$status")
      if ! $local && is_ifd "$tmp/query.out.err" && [ "$(jq -n "$query | length")" = 2 ]; then
        jq -c --argjson query "$query" --arg why "$message" '. + [{system: $query[1], why: $why}] | unique_by(.system)' "$tmp/unlisted" >"$tmp/new"
        mv "$tmp/new" "$tmp/unlisted"
      else
        die "$(jq -nr "$query | join(\".\")") cannot be listed: $message"
      fi
    done 3<"$tmp/query.list"
    search=$search_later
    selection
    if ask select "$tmp/selection" "$tmp/selected"; then :; else die "the flake cannot be listed: $(why "$tmp/selected.err" $?)"; fi
  fi
  jq -c '.errors[]' "$tmp/selected" >"$tmp/query.list"
  while IFS= read -r query <&3; do
    echo "{\"catch\":false,\"queries\":[$query]}" >"$tmp/query"
    if ask list "$tmp/query" "$tmp/query.out"; then message="not an attribute set"; else message=$(why "$tmp/query.out.err" $?); fi
    say error "$(jq -nr "$query | join(\".\")") cannot be listed: $message"
  done 3<"$tmp/query.list"
  [ ! -s "$tmp/query.list" ] || exit 1
  # An entry of one system names its configurations itself; SYSTEM sorts them out below.
  jq -c --slurpfile selected "$tmp/selected" --arg entry "${ENTRY:-}" \
    '. + [$selected[0].targets[].path | select($entry == "" or (.[0] | endswith("Configurations") | not))]' "$tmp/paths" >"$tmp/new"
  mv "$tmp/new" "$tmp/paths"
fi

# ---- the derivations ----
# One process for each system and one for all configurations, two at a time; a request stays below the limit of one argument.
jq -c --arg system "${SYSTEM:-}" '
  unique | map({group: (if .[0] | endswith("Configurations") then "configurations" else .[1] end), path: .})
  | map(select($system == "" or .group == $system or .group == "configurations")) | group_by(.group)[]
  | .[0].group as $group
  | (reduce .[].path as $path ({size: 0, chunks: [[]]};
      ($path | tojson | utf8bytelength + 1) as $size
      | if .size + $size > 90000 then .size = 0 | .chunks += [[]] else . end
      | .size += $size | .chunks[-1] += [$path])) | .chunks[] | {group: $group, paths: .}' "$tmp/paths" >"$tmp/queue"
: >"$tmp/answers"  # one JSON object a line: an answer of describe
: >"$tmp/away"     # {system, why}: cannot be evaluated here
spent=0            # processes that were needed only because another one failed

take() { # take SLICE: describe a slice in the background
  sed -n "${1}p" "$tmp/queue" >"$tmp/slice.$1"
  ask describe "$tmp/slice.$1" "$tmp/answer.$1" &
}
finish() { # finish SLICE STATUS
  local group count message
  if [ "$2" = 0 ]; then jq -c '.[]' "$tmp/answer.$1" >>"$tmp/answers"; return; fi
  group=$(jq -r .group "$tmp/slice.$1")
  count=$(jq '.paths | length' "$tmp/slice.$1")
  spent=$((spent + 1))
  stop_searching
  if ! $search && grep -q '"search":true' "$tmp/answer.$1.request"; then cat "$tmp/slice.$1" >>"$tmp/queue"; return; fi
  message=$(why "$tmp/answer.$1.err" "$2")
  if ! $local && is_ifd "$tmp/answer.$1.err" && [ "$group" != configurations ]; then
    jq -nc --arg system "$group" --arg why "$message" '{$system, $why}' >>"$tmp/away"
    return
  fi
  if ! $local && is_ifd "$tmp/answer.$1.err" && [ "$count" = 1 ]; then
    if ask systems "$tmp/slice.$1" "$tmp/system" && jq -e '.[0].system' "$tmp/system" >/dev/null; then
      jq -c --arg why "$message" '.[0] + {$why}' "$tmp/system" >>"$tmp/away"
      return
    fi
    message+=$'\n(its system is not known without that build)'
  fi
  if [ "$spent" -gt 150 ] && [ "$count" -gt 1 ]; then count=1 message="evaluation failed, with others: $message"; fi
  if [ "$count" = 1 ]; then jq -c --arg why "$message" '.paths[] | {path: ., state: "error", why: $why, final: true}' "$tmp/slice.$1" >>"$tmp/answers"
  else jq -c '(.paths | length / 2 | floor) as $half | {group, paths: .paths[:$half]}, {group, paths: .paths[$half:]}' "$tmp/slice.$1" >>"$tmp/queue"
  fi
}
i=1
while [ "$i" -le "$(wc -l <"$tmp/queue")" ]; do
  first=$i second=
  take "$i"; one=$!
  i=$((i + 1))
  if [ "$i" -le "$(wc -l <"$tmp/queue")" ]; then second=$i; take "$i"; two=$!; i=$((i + 1)); fi
  status=0; wait "$one" || status=$?
  if [ -n "$second" ]; then other=0; wait "$two" || other=$?; fi
  finish "$first" "$status"
  if [ -n "$second" ]; then finish "$second" "$other"; fi
done

# A caught throw has no message yet: ask for the first ones again, alone.
jq -c 'select(.state == "error" and .why == "evaluation failed" and (.final | not)) | {catch: false, paths: [.path]}' "$tmp/answers" | sed -n 1,20p >"$tmp/thrown"
: >"$tmp/messages"
while IFS= read -r request <&3; do
  printf '%s\n' "$request" >"$tmp/one"
  if ask describe "$tmp/one" "$tmp/one.out"; then message="evaluation failed"; else message=$(why "$tmp/one.out.err" $?); fi
  jq -c --arg why "$message" '{path: .paths[0], $why}' "$tmp/one" >>"$tmp/messages"
done 3<"$tmp/thrown"
# On the machine of SYSTEM a configuration that fails counts only if it is one of that system.
: >"$tmp/foreign"
if [ -n "${SYSTEM:-}" ]; then
  jq -c 'select(.state == "error" and (.path[0] | endswith("Configurations"))) | {paths: [.path]}' "$tmp/answers" >"$tmp/doubtful"
  while IFS= read -r request <&3; do
    printf '%s\n' "$request" >"$tmp/one"
    if ask systems "$tmp/one" "$tmp/one.out" && jq -e --arg system "$SYSTEM" '.[0].system == $system' "$tmp/one.out" >/dev/null; then continue; fi
    jq -c '.paths[0]' "$tmp/one" >>"$tmp/foreign"
  done 3<"$tmp/doubtful"
fi

# ---- the result ----
jq -n --slurpfile answers "$tmp/answers" --slurpfile away "$tmp/away" --slurpfile messages "$tmp/messages" --slurpfile paths "$tmp/paths" \
  --slurpfile request "$tmp/request" --slurpfile selected "$tmp/selected" --slurpfile unlisted "$tmp/unlisted" --slurpfile foreign "$tmp/foreign" \
  --arg system "${SYSTEM:-}" --argjson strict "$local" '
  def check: . as $p | {packages: "package", checks: "check", devShells: "devShell"}[.[0]] as $three
    | {nixosConfigurations: "nixosConfig", homeConfigurations: "homeConfig", darwinConfigurations: "darwinConfig"}[.[0]] as $named
    | if $three and length == 3 then "\($three) \($p[2]) [\($p[1])]"
      elif $named then "\($named) \($p[1])"
      elif .[0] == "defaultPackage" then "default package [\(.[1])]"
      elif .[0] == "devShell" then "default devShell [\(.[1])]"
      else join(".") end;
  def group: if .[0] | endswith("Configurations") then null else .[1] end;
  ($away | map(select(.path == null)) + $unlisted[0]) as $systems
  | ($messages | map({key: (.path | tojson), value: .why}) | from_entries) as $why
  | ($paths[0] | unique) as $paths
  | {
      targets: [$answers[] | .path as $path
        | select([$systems[].system] | any(. == ($path | group)) | not)
        | select(.state != "missing" or $strict)
        | select($foreign | any(. == $path) | not)
        | select($system == "" or .state != "ok" or .system == $system)
        | {attr: (.path | join(".")), path, check: (.path | check), system: (.system // (.path | group)), drv: (.drv // null), outputs: (.outputs // {}),
           error: (if .state == "ok" then null elif .state == "missing" then "the flake has no such output" else $why[.path | tojson] // .why end)}]
        | sort_by(.attr),
      unplanned: ([$systems[] | {system, why}] + [$away[] | select(.path) | {system, why}] | unique_by(.system) | map(.system as $s | . + {request: (
        ([$systems[].system] | any(. == $s)) as $whole | ([$unlisted[0][].system] | any(. == $s)) as $rules
        | (if $rules then {rules: $request[0].rules, branch: $request[0].branch, system: $s} else {} end)
        + {targets: [($paths[] | select($whole and ($rules | not) and group == $s)), ($away[] | select(.path and .system == $s) | .path) | {path: .}]})})),
      dotted: $selected[0].dotted,
      missing: [$answers[] | select(.state == "missing" and ($strict | not)) | .path | join(".")] | sort
    }' >"$tmp/targets.json"
mv "$tmp/targets.json" "$work/targets.json"

jq -r "$safe"'
  (.missing[:10][] | "::warning title=\("not in the flake")::\(. + " is listed but the flake has no such output" | data)"),
  (if .missing | length > 10 then "::warning::and \(.missing | length - 10) more are listed but not in the flake" else empty end),
  (.dotted[:10][] | "::notice title=not built::\(. + " has a dot in its name; garnix never built such an output" | data)"),
  (.unplanned[] | "::notice title=\(.system | safe) is evaluated on its own runner::\(.why | data)"),
  "\(.targets | length) targets, \(.targets | map(select(.error)) | length) of them do not evaluate"' "$work/targets.json"
