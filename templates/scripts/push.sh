#!/usr/bin/env bash
# Pushes every output that the build step made, also when other targets failed.
#
# environment
#   ENTRY         id of the entry
#   BACKEND       cachix | nix | attic
#   CACHE_NAME    name of the cache (cachix, attic)
#   CACHIX_AUTH_TOKEN and/or CACHIX_SIGNING_KEY  (cachix)
#   PUSH_URL      where nix copies to (nix); with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for s3://
#   NIX_SIGNING_KEY  secret key that signs (nix; optional)
#   ATTIC_SERVER, ATTIC_TOKEN  (attic)
#   PUSH_TIMEOUT  seconds one attempt may take (default 3600)
#   PUSH_PAUSE    seconds before another attempt (default 10)
# reads   $RUNNER_TEMP/garnix2gha/result/$ENTRY.json
# writes  the same file: "pushed": true
# exit    0 pushed, or nothing was built; 1 not pushed
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
case "${ENTRY:?}" in *[!A-Za-z0-9_-]*) echo "::error::the entry's id is malformed"; exit 1 ;; esac
result="$work/result/$ENTRY.json"
die() { # die MESSAGE: ours, with nothing of the repository's in it
  local text=${1//'%'/%25}
  text=${text//$'\n'/%0A}
  echo "::error title=Push::$text"
  exit 1
}
for tool in nix nix-store jq; do
  command -v "$tool" >/dev/null || die "$tool is not installed on this runner"
done
[ -f "$result" ] || die "there is no result of the build step to push"
tmp=$(mktemp -d "$work/push.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

jq -r '.targets[] | select(.state == "built") | .outputs[] | strings | select(test("^/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]+$"))' "$result" \
  | sort -u >"$tmp/paths"
if [ ! -s "$tmp/paths" ]; then
  echo "nothing was built, so there is nothing to push"
  exit 0
fi
# Clients skip a path that is not in the store and succeed.
xargs -n 500 nix-store --check-validity --print-invalid <"$tmp/paths" >"$tmp/invalid" || true
[ ! -s "$tmp/invalid" ] || die "outputs that were built are no longer in the store: $(head -n 3 "$tmp/invalid" | tr '\n' ' ')"

# ---- what pushes ----
named=${CACHE_NAME:-}
case "${BACKEND:-}" in
  cachix)
    [ -n "$named" ] || die "CACHE_NAME is empty"
    [ -n "${CACHIX_AUTH_TOKEN:-}${CACHIX_SIGNING_KEY:-}" ] || die "CACHIX_AUTH_TOKEN is empty: nothing is pushed"
    command -v cachix >/dev/null || die "cachix is not installed on this runner"
    [ -n "${CACHIX_AUTH_TOKEN:-}" ] || unset CACHIX_AUTH_TOKEN
    [ -n "${CACHIX_SIGNING_KEY:-}" ] || unset CACHIX_SIGNING_KEY
    push_paths() { cachix push "$named" <"$tmp/paths"; } ;;
  nix)
    [ -n "${PUSH_URL:-}" ] || die "PUSH_URL is empty"
    case "$PUSH_URL" in
      s3://*) [ -z "${AWS_ACCESS_KEY_ID+set}" ] || [ -n "$AWS_ACCESS_KEY_ID" ] || die "AWS_ACCESS_KEY_ID is empty: nothing is pushed" ;;
    esac
    named=${PUSH_URL%%\?*} url=$PUSH_URL
    if [ -n "${NIX_SIGNING_KEY+set}" ]; then
      [ -n "$NIX_SIGNING_KEY" ] || die "NIX_SIGNING_KEY is empty: what would be pushed, nobody would trust"
      (umask 077 && printf '%s\n' "$NIX_SIGNING_KEY" >"$tmp/key")
      case "$url" in *\?*) url+="&secret-key=$tmp/key" ;; *) url+="?secret-key=$tmp/key" ;; esac
      unset NIX_SIGNING_KEY
    fi
    push_paths() { xargs -n 1000 nix copy --to "$url" <"$tmp/paths"; } ;;
  attic)
    [ -n "${ATTIC_TOKEN:-}" ] || die "ATTIC_TOKEN is empty: nothing is pushed"
    [ -n "${ATTIC_SERVER:-}" ] || die "ATTIC_SERVER is empty"
    [ -n "$named" ] || die "CACHE_NAME is empty"
    command -v attic >/dev/null || die "attic is not installed on this runner"
    # Not "attic login", which takes the token as an argument.
    export XDG_CONFIG_HOME="$tmp/config"
    mkdir -p "$tmp/config/attic"
    (umask 077 && jq -nr 'env | "default-server = \"ci\"\n[servers.ci]\nendpoint = \(.ATTIC_SERVER | tojson)\ntoken = \(.ATTIC_TOKEN | tojson)"' >"$tmp/config/attic/config.toml")
    unset ATTIC_TOKEN
    push_paths() { attic push --stdin "ci:$named" <"$tmp/paths"; } ;;
  *) die "the backend ${BACKEND:-} is not known" ;;
esac

# attempt: push_paths as a process group of its own, ended when its time is up (nix copy may wait for ever).
limit=${PUSH_TIMEOUT:-3600}
attempt() {
  local child watch status=0
  rm -f "$tmp/late"
  set -m
  push_paths 2>&1 &
  child=$!
  (
    for ((second = 0; second < limit; second++)); do
      sleep 1
      kill -0 "$child" 2>/dev/null || exit 0
    done
    : >"$tmp/late"
    kill -TERM -- "-$child" 2>/dev/null
    sleep 5
    kill -KILL -- "-$child" 2>/dev/null
  ) >/dev/null 2>&1 &
  watch=$!
  set +m
  wait "$child" || status=$?
  kill -TERM -- "-$watch" 2>/dev/null || true
  return "$status"
}
stop=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "pushing $(($(wc -l <"$tmp/paths"))) paths and what they need"
pushed=false
for try in 1 2 3; do
  echo "::stop-commands::$stop"
  status=0
  attempt | tee "$tmp/log" || status=$?
  echo
  echo "::$stop::"
  if [ "$status" = 0 ]; then
    pushed=true
    break
  fi
  if [ "$try" -lt 3 ]; then
    echo "that failed; once more in ${PUSH_PAUSE:-10} seconds"
    sleep "${PUSH_PAUSE:-10}"
  fi
done

if ! $pushed; then
  if [ -e "$tmp/late" ]; then cause="no end after $limit seconds"
  elif grep -q -i -w -E '401|unauthori[sz]ed|not authorized' "$tmp/log"; then cause="the token is wrong or expired, or the cache does not exist (401)"
  elif grep -q -i -w -E '403|forbidden|AccessDenied' "$tmp/log"; then cause="the token may not write to it (403)"
  elif grep -q -i -w -E '404|not found|NoSuchBucket' "$tmp/log"; then cause="it does not exist (404)"
  elif grep -q -i -E 'No space left on device' "$tmp/log"; then cause="No space left on device"
  elif grep -q -w -E '429|5[0-9][0-9]' "$tmp/log"; then cause="the server failed ($(grep -o -w -E '429|5[0-9][0-9]' "$tmp/log" | sed -n 1p))"
  elif grep -q -i -E 'resolve host|connection refused|connect to|timed out' "$tmp/log"; then cause="the server cannot be reached"
  else cause="see the log"
  fi
  die "what was built could not be pushed to $named: $cause"
fi
jq '.pushed = true' "$result" >"$tmp/result"
mv "$tmp/result" "$result"
