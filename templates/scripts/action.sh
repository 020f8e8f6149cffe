#!/usr/bin/env bash
# A garnix action: builds the program of a flake app, then runs it as garnix ran it. Linux only.
#
# environment
#   MODE         build | run: two steps of one job
#   ACTION       name of the app
#   FLAKE_DIR    directory of the flake inside the checkout (default .)      (build)
#   TARGETS_NIX  text of targets.nix                                         (build)
#   WITH_REPO    true: the program works in a copy of the checkout           (run)
#   ACTION_KEY   private age key; empty: the key file says none              (run)
#   GARNIX_BRANCH, GARNIX_COMMIT_SHA                                         (run)
# writes  $RUNNER_TEMP/garnix2gha/action-program (build, read by run)
# exit    build: 0 built; 1 not. run: the program's; 124 after two hours
set -euo pipefail
export LC_ALL=C
unset CDPATH

work="${RUNNER_TEMP:?}/garnix2gha"
mkdir -p "$work"
tmp=$(mktemp -d "$work/action.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

say() { # say MESSAGE: an annotation; control characters and runner commands become harmless
  printf '%s' "$1" | tr '\000-\011\013-\037\177' ' ' | sed -e 's/##\[/## [/g' -e 's/%/%25/g' | awk '{ printf "%s%s", (NR > 1 ? "%0A" : "::error title=Action::"), $0 } END { print "" }'
}
die() { say "$1"; exit 1; }
stop=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

case "${MODE:?}" in
  build)
    for tool in nix nix-store jq; do
      command -v "$tool" >/dev/null || die "$tool is not installed on this runner"
    done
    root=$(pwd -P)
    case "${FLAKE_DIR:=.}" in /*) die "the flake's directory $FLAKE_DIR must be relative to the checkout" ;; esac
    dir=$(cd -- "./$FLAKE_DIR" 2>/dev/null && pwd -P) || die "the flake's directory $FLAKE_DIR does not exist"
    case "$dir/" in "$root"/*) ;; *) die "the flake's directory $FLAKE_DIR is outside the checkout" ;; esac
    # Twice where that writes the lock file: some nix then answers for the tree without it.
    for _ in 1 2; do
      cp "$dir/flake.lock" "$tmp/lock" 2>/dev/null || : >"$tmp/lock"
      (cd -- "$dir" && nix flake metadata --json .) >"$tmp/metadata" 2>"$tmp/err" </dev/null || die "the flake cannot be read: $(tail -n 12 "$tmp/err")"
      if [ ! -e "$dir/flake.lock" ] || cmp -s "$dir/flake.lock" "$tmp/lock"; then break; fi
    done
    ref=$(jq -r '
      if .locked.rev or (.path | not) then .url
      else "path:\(.path)?narHash=\(.locked.narHash // "" | @uri)&lastModified=\(.locked.lastModified // .lastModified // 0)"
        + (if .locked.dir then "&dir=\(.locked.dir | @uri)" else "" end)
      end' "$tmp/metadata")
    # Not caught: a throw shall show its message.
    nix eval --json --expr "${TARGETS_NIX:?}" app --argstr flake "$ref" --argstr request "$(jq -nc --arg name "${ACTION:?}" '{$name, catch: false}')" \
      --option show-trace false >"$tmp/app" 2>"$tmp/err" </dev/null || die "app $ACTION does not evaluate: $(tail -n 12 "$tmp/err")"
    case "$(jq -r .state "$tmp/app")" in
      ok) ;;
      missing) die "the flake has no apps.x86_64-linux.$ACTION" ;;
      *) die "app $ACTION: $(jq -r '.why // "does not evaluate"' "$tmp/app")" ;;
    esac
    count=$(jq '.context | length' "$tmp/app")
    [ "$count" = 1 ] || die "the program of app $ACTION must come from exactly one derivation; it comes from $count"
    drv=$(jq -r .drv "$tmp/app")
    program=$(jq -r .program "$tmp/app")
    case "$drv" in
      /nix/store/*.drv)
        echo "::stop-commands::$stop"
        status=0
        nix-store --realise "$drv" </dev/null || status=$?
        echo
        echo "::$stop::"
        [ "$status" = 0 ] || die "the program of app $ACTION could not be built; see the log" ;;
    esac
    case "$program" in /nix/store/*) ;; *) die "the program of app $ACTION is not in the store: $program" ;; esac
    case "$program" in *[![:print:]]*) die "the program of app $ACTION has a name that cannot be run" ;; esac
    [ -f "$program" ] || die "the program of app $ACTION does not exist: $program (arguments are not part of it)"
    [ -x "$program" ] || die "the program of app $ACTION cannot be executed: $program"
    printf '%s' "$program" >"$work/action-program" ;;

  run)
    program=$(cat "$work/action-program")
    mkdir -m 700 "$tmp/key"
    (umask 077 && printf '%s\n' "${ACTION_KEY:-none}" >"$tmp/key/key")
    # Nothing of the runner's reaches the program but what it needs to find its tools.
    mkdir -p "$tmp/base"
    if [ "${WITH_REPO:-false}" = true ]; then cp -a . "$tmp/base"; fi
    limit=()
    if command -v timeout >/dev/null; then limit=(timeout --kill-after=30 7200); fi
    echo "::stop-commands::$stop"
    status=0
    (
      cd -- "$tmp/base"
      exec env -i PATH="$PATH" HOME="${HOME:-$tmp}" TMPDIR="${TMPDIR:-/tmp}" LANG="${LANG:-C.UTF-8}" USER="${USER:-$(id -un)}" \
        GARNIX_CI=true GARNIX_BRANCH="${GARNIX_BRANCH:-}" GARNIX_COMMIT_SHA="${GARNIX_COMMIT_SHA:-}" GARNIX_ACTION_PRIVATE_KEY_FILE="$tmp/key/key" \
        ${limit[@]+"${limit[@]}"} "$program"
    ) </dev/null || status=$?
    echo
    echo "::$stop::"
    # The program may have made its folders unwritable.
    chmod -R u+w "$tmp/base" 2>/dev/null || true
    if [ "$status" != 0 ]; then say "action ended with exit code $status"; fi
    exit "$status" ;;

  *) die "MODE must be build or run" ;;
esac
