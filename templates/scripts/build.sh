#!/usr/bin/env bash
# Builds the targets of one entry of the plan with one nix-store, and with PUSH=true pushes to Cachix meanwhile.
#
# environment
#   ENTRY       id of the entry
#   PUSH        true: this run pushes
#   BACKEND     cachix | nix | attic; only cachix can push while building
#   CACHE_NAME  the Cachix cache
#   CACHIX_AUTH_TOKEN, CACHIX_SIGNING_KEY  only with PUSH=true and BACKEND=cachix
# reads   $RUNNER_TEMP/garnix2gha/targets.json
# writes  $RUNNER_TEMP/garnix2gha/result/$ENTRY.json, build.log
# exit    0 every target is built; 1 some are not
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
case "${ENTRY:?}" in *[!A-Za-z0-9_-]*) echo "::error::the entry's id is malformed"; exit 1 ;; esac
mkdir -p "$work/result"
for tool in nix-store jq; do
  command -v "$tool" >/dev/null || { echo "::error::$tool is not installed on this runner"; exit 1; }
done
[ -f "$work/targets.json" ] || { echo "::error::there are no evaluated targets"; exit 1; }
tmp=$(mktemp -d "$work/build.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# What a build prints is not for the runner to obey.
stop=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

store='^/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]+'
jq -r --arg store "${store}[.]drv\$" '.targets[] | select(.error == null) | .drv | strings | select(test($store))' "$work/targets.json" | sort -u >"$tmp/wanted"

invalid() { # invalid LIST: the paths of the file that are not in the store, sorted
  { xargs -n 500 nix-store --check-validity --print-invalid <"$1" || true; } | sort -u
}
invalid "$tmp/wanted" >"$tmp/unknown"
comm -23 "$tmp/wanted" "$tmp/unknown" >"$tmp/drvs"

watching=false
if [ "${PUSH:-false}" = true ] && [ "${BACKEND:-}" = cachix ]; then
  if [ -z "${CACHIX_AUTH_TOKEN:-}${CACHIX_SIGNING_KEY:-}" ]; then echo "::warning::the token is empty: building without pushing"
  elif ! command -v cachix >/dev/null; then echo "::warning::cachix is not installed: building without pushing meanwhile"
  else watching=true; fi
fi
# An empty token counts as one.
[ -n "${CACHIX_AUTH_TOKEN:-}" ] || unset CACHIX_AUTH_TOKEN
[ -n "${CACHIX_SIGNING_KEY:-}" ] || unset CACHIX_SIGNING_KEY

realise() { # realise DRV...: normally one nix-store for all; without the token in its environment
  local clean=(env -u CACHIX_AUTH_TOKEN -u CACHIX_SIGNING_KEY)
  if $watching; then
    rm -f "$tmp/started"
    # shellcheck disable=SC2016 # expanded by the inner shell
    cachix watch-exec "$CACHE_NAME" -- "${clean[@]}" bash -c ': >"$1"; shift; exec "$@" >/dev/null' bash "$tmp/started" nix-store --realise --keep-going "$@" && return
    local status=$?
    [ ! -e "$tmp/started" ] || return "$status"
    echo "cachix watch-exec did not start; building without pushing meanwhile"
    watching=false
  fi
  "${clean[@]}" nix-store --realise --keep-going "$@" >/dev/null
}
batch() { # batch: realise the list, in as few processes as the limit of arguments allows
  local status=0 drvs=() drv
  while IFS= read -r drv; do
    drvs+=("$drv")
    if [ "${#drvs[@]}" -ge 1000 ]; then
      realise "${drvs[@]}" </dev/null || status=$?
      drvs=()
    fi
  done <"$tmp/drvs"
  if [ "${#drvs[@]}" -gt 0 ]; then realise "${drvs[@]}" </dev/null || status=$?; fi
  return "$status"
}
# failures LOG: a line per derivation that failed, in the words of old and new nix: drv, tab, reason
away="this runner cannot build it"
failures() {
  sed -e $'s/\033\\[[0-9;]*[A-Za-z]//g' "$1" | awk -v away="$away" '
    function drv(line) { return match(line, "/nix/store/[0-9a-z]+-[^ \047]+[.]drv") ? substr(line, RSTART, RLENGTH) : "" }
    /timed out after|of silence/ && drv($0) != "" { print drv($0) "\ttimed out"; pending = ""; next }
    /builder for .*\.drv. failed/ && drv($0) != "" { reason = $0; sub(".*[.]drv. ", "", reason); sub(";.*", "", reason); print drv($0) "\tits builder " reason; next }
    /hash mismatch in fixed-output derivation/ && drv($0) != "" { print drv($0) "\thash mismatch"; next }
    /is required to build/ && drv($0) != "" { print drv($0) "\t" away; next }
    /Cannot build .*\.drv/ { pending = drv($0); next }
    /Reason: / && pending != "" {
      reason = $0; sub(".*Reason: ", "", reason); sub("[.]$", "", reason); sub("^builder ", "its builder ", reason)
      if (reason ~ /platform mismatch|required system|missing system feature/) reason = away
      if (reason !~ /dependenc/) print pending "\t" reason
      pending = ""; next
    }' | sort -u
}
# affected LIST: for the derivations of such lines, every derivation they stop, themselves first: drv, tab, culprit, tab, reason
affected() {
  head -n 100 "$1" | while IFS=$'\t' read -r culprit reason; do
    { printf '%s\n' "$culprit"; nix-store --query --referrers-closure "$culprit" 2>/dev/null </dev/null || true; } \
      | awk -v culprit="$culprit" -v reason="$reason" '{ print $0 "\t" culprit "\t" reason }'
  done
}

: >"$work/build.log"
if [ -s "$tmp/drvs" ]; then
  cp "$tmp/drvs" "$tmp/all"
  echo "building $(($(wc -l <"$tmp/drvs"))) derivations"
  echo "::stop-commands::$stop"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    : >"$tmp/round.log"
    batch 2>&1 | tee "$tmp/round.log" || true
    cat "$tmp/round.log" >>"$work/build.log"
    # Nix up to 2.2x gives up altogether on one that this machine cannot build: go on without what failed.
    failures "$tmp/round.log" >"$tmp/failures"
    grep -q -e "$away\$" "$tmp/failures" || break
    affected "$tmp/failures" | cut -f 1 | sort -u >"$tmp/affected"
    comm -23 "$tmp/drvs" "$tmp/affected" >"$tmp/rest"
    if [ ! -s "$tmp/rest" ] || cmp -s "$tmp/rest" "$tmp/drvs"; then break; fi
    mv "$tmp/rest" "$tmp/drvs"
  done
  mv "$tmp/all" "$tmp/drvs"
  echo
  echo "::$stop::"
else
  echo "there is nothing to build"
fi

# ---- what exists now ----
jq -r '.targets[] | select(.error == null) | select([.outputs[]] | any(. == null)) | .drv' "$work/targets.json" | sort -u >"$tmp/floating"
: >"$tmp/real" # drv and output path: where content-addressed outputs went
while IFS= read -r drv <&3; do
  grep -q -x -F -e "$drv" "$tmp/drvs" || continue
  # Old nix does not answer --query for these; realising without a job builds nothing.
  nix-store --realise --max-jobs 0 --option builders '' "$drv" 2>/dev/null </dev/null | while IFS= read -r path; do printf '%s\t%s\n' "$drv" "$path"; done >>"$tmp/real" || true
done 3<"$tmp/floating"
jq --rawfile real "$tmp/real" '
  ($real | split("\n") | map(select(. != "") | split("\t") | {drv: .[0], path: .[1]})) as $real
  | [.targets[] | .drv as $drv | ($drv // "" | .[44:] | sub("[.]drv$"; "")) as $name
      | .outputs |= with_entries(.key as $key | .value = (.value //
          ([$real[] | select(.drv == $drv and .path[44:] == (if $key == "out" then $name else "\($name)-\($key)" end)) | .path] | first // null)))]' \
  "$work/targets.json" >"$tmp/targets"
jq -r --arg store "${store}\$" '.[] | select(.error == null) | .outputs[] | strings | select(test($store))' "$tmp/targets" | sort -u >"$tmp/outputs"
invalid "$tmp/outputs" >"$tmp/absent"

# ---- why the others are not there ----
disk_full=false
if grep -q -i -E 'No space left on device|database or disk is full' "$work/build.log"; then disk_full=true; fi

failures "$work/build.log" >"$tmp/failures"
affected "$tmp/failures" >"$tmp/stopped"
: >"$tmp/causes" # JSON: drv, cause, log
jq -r --rawfile absent "$tmp/absent" '($absent | split("\n") | map({key: ., value: true}) | from_entries) as $absent
  | .[] | select(.error == null) | select([.outputs[]] | any(. == null or $absent[.])) | .drv' "$tmp/targets" | sort -u >"$tmp/unbuilt"
while IFS= read -r drv <&3; do
  IFS=$'\t' read -r culprit reason <<<"$(awk -F '\t' -v drv="$drv" '
    $1 == drv && (best == "" || $2 == drv) { best = $2 "\t" $3 } END { print best }' "$tmp/stopped")"
  if grep -q -x -F -e "$drv" "$tmp/unknown"; then reason="its derivation is not in the store"
  elif [ -z "$reason" ]; then reason="not built; see the log"
  elif [ "$culprit" != "$drv" ]; then name=${culprit#/nix/store/*-}; reason="dependency ${name%.drv}: $reason"
  fi
  if $disk_full; then reason="No space left on device ($reason)"; fi
  nix-store --read-log "${culprit:-$drv}" 2>/dev/null </dev/null | tail -n 20 >"$tmp/tail" || true
  # No log of its own (a hash mismatch, a missing feature): what nix said about it.
  if [ ! -s "$tmp/tail" ]; then
    awk -v drv="${culprit:-$drv}" '/error/ { n = index($0, drv) && !/build of / ? 4 : 0 } n-- > 0' "$work/build.log" | tail -n 20 >"$tmp/tail"
    [ -s "$tmp/tail" ] || tail -n 5 "$work/build.log" >"$tmp/tail"
  fi
  jq -cRs --arg drv "$drv" --arg cause "$reason" '{drv: $drv, cause: $cause[:500], log: .[-8000:]}' <"$tmp/tail" >>"$tmp/causes"
done 3<"$tmp/unbuilt"

jq --arg entry "$ENTRY" --rawfile absent "$tmp/absent" --slurpfile causes "$tmp/causes" --argjson disk_full "$disk_full" '
  ($absent | split("\n") | map({key: ., value: true}) | from_entries) as $absent
  | ($causes | map({key: .drv, value: .}) | from_entries) as $causes
  | {entry: $entry, disk_full: $disk_full, pushed: false, targets: [.[] | . as $t
      | {attr, check, path, system, drv, outputs}
        + if .error then {state: "evaluation-failed", cause: .error, log: ""}
          elif (.outputs | length == 0) or ([.outputs[]] | any(. == null or $absent[.])) then
            {state: "failed"} + ($causes[.drv // ""] // {cause: "not built; see the log", log: ""} | {cause, log})
          else {state: "built", cause: "", log: ""} end]}' "$tmp/targets" >"$tmp/result"
mv "$tmp/result" "$work/result/$ENTRY.json"
jq -r '"\([.targets[] | select(.state == "built")] | length) built, \([.targets[] | select(.state != "built")] | length) not"' "$work/result/$ENTRY.json"
jq -e 'all(.targets[]; .state == "built")' "$work/result/$ENTRY.json" >/dev/null
