#!/usr/bin/env bash
# Decides whether the run is good. A skipped job counts only where the plan said that there is nothing to do.
#
# environment
#   PLAN, BUILD, VERIFY  results of the jobs: success | failure | cancelled | skipped
#   MATRIX   the plan's matrix, or just whether it is []
#   FAILED   how many targets the plan could not even start
#   BLOCKED  true: this run should push and cannot
#   PUSH     true: this run pushes
# exit    0 good; 1 not
set -euo pipefail

good=true
fault() {
  good=false
  echo "::error title=Decision::$1"
}
result() { # result JOB VALUE: only a word of GitHub's is repeated
  case "$2" in success | failure | cancelled | skipped) echo "$1: $2" ;; *) echo "$1: no result" ;; esac
}
result plan "${PLAN:-}"
result build "${BUILD:-}"
result verify "${VERIFY:-}"

if [ "${PLAN:-}" != success ]; then
  fault "the plan failed: the flake could not be evaluated, or the job was stopped"
else
  case "${FAILED:-}" in
    0) ;;
    '' | *[!0-9]*) fault "the plan does not say how many targets failed" ;;
    *) fault "$FAILED targets do not evaluate or have no runner; the plan names them" ;;
  esac
  if [ "${BLOCKED:-}" != false ]; then fault "this run should push and cannot; the plan says why"; fi
  case "${BUILD:-}" in
    success) ;;
    skipped) if [ "${MATRIX:-}" != '[]' ]; then fault "the build was skipped although there is something to build"; fi ;;
    *) fault "the build did not succeed" ;;
  esac
  case "${VERIFY:-}" in
    success) ;;
    skipped) if [ "${PUSH:-}" != false ]; then fault "the cache was not verified although this run pushes"; fi ;;
    *) fault "the cache does not hold everything" ;;
  esac
fi
$good || exit 1
echo "all is well"
