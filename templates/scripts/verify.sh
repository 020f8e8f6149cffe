#!/usr/bin/env bash
# Demands that outputs are in the cache, by the answers the cache gave.
#
# environment
#   MODE     run: what this run had to push or skipped as cached; all: every target
#   RUNNERS  JSON: system -> runner label or list of labels (MODE=all)
# reads   $RUNNER_TEMP/garnix2gha/verdicts.json; plan/plan.json and result/*.json (run) or targets.json (all)
# writes  the step's summary; output unplanned (JSON list of {system,runner}, MODE=all): what another runner must verify
# exit    0 everything is there; 1 something is missing, or cannot be known
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
command -v jq >/dev/null || { echo "::error::jq is not installed on this runner"; exit 1; }
tmp=$(mktemp -d "$work/verify.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
[ -s "$work/verdicts.json" ] || { echo "::error title=Verify::the cache was not asked"; exit 1; }

# Text from a repository: control characters, runner commands and Markdown become harmless.
safe='def safe: explode | map(if (. < 32 and . != 10) or (. > 126 and . < 160) or (. > 8231 and . < 8239) or (. > 8293 and . < 8298)
  then 32 else . end) | implode | gsub("##\\["; "## [");
def data: safe | gsub("%"; "%25") | gsub("\n"; "%0A");
def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
def html: safe | explode | map(if . == 10 then " " elif . == 32 or . > 127 or (. > 38 and . < 58 and . != 42) or (. > 64 and . < 91) or (. > 96 and . < 123)
  then [.] | implode else "&#\(.);" end) | join("") | gsub("(?<w>www)[.]"; "\(.w)&#46;"; "i");
def code: "<code>" + html + "</code>";'

# rows: an object per demanded output: attr, path (null: not known), error, and whether the run says it has pushed it
case "${MODE:?}" in
  run)
    [ -s "$work/plan/plan.json" ] || { echo "::error title=Verify::there is no plan"; exit 1; }
    : >"$tmp/results"
    for file in "$work"/result/*.json; do
      [ -f "$file" ] || continue
      # Written by a job that ran the repository's code: only its shape is trusted.
      jq -c '.targets[]? | objects | select((.attr | type) == "string" and (.outputs | type) == "object") | {attr, outputs, state}' "$file" >>"$tmp/results" \
        || { echo "::error title=Verify::a result of a build job cannot be read"; exit 1; }
    done
    # What the plan knows counts before what a job says: a target drops out only if its job says that it failed, and a
    # job names outputs only where the plan could not.
    jq -c --slurpfile results "$tmp/results" '
      ($results | map({key: .attr, value: .}) | from_entries) as $result
      | [.targets[].attr] as $known
      | (.targets[] | if .state == "cached" or .state == "upstream" then {attr, outputs}
          elif .state == "build" then . as $t | $result[.attr] as $r
            | if $r and ($r.state == "failed" or $r.state == "evaluation-failed") then empty
              else {attr, outputs: (.outputs | with_entries(.value //= ($r.outputs // {})[.key]))} end
          else empty end),
        ($results[] | select(.state == "built" and (.attr as $a | $known | index([$a]) | not)) | {attr, outputs})' "$work/plan/plan.json" >"$tmp/demanded"
    echo '[]' >"$tmp/unplanned" ;;
  all)
    [ -s "$work/targets.json" ] || { echo "::error title=Verify::there are no evaluated targets"; exit 1; }
    jq -c '.targets[] | {attr, outputs, error}' "$work/targets.json" >"$tmp/demanded"
    runners=${RUNNERS:-}
    [ -n "$runners" ] || runners='{}'
    jq -c --argjson runners "$runners" '[.unplanned[] | {system, runner: $runners[.system]}]' "$work/targets.json" >"$tmp/unplanned"
    echo "unplanned=$(jq -c 'map(select(.runner))' "$tmp/unplanned")" >>"${GITHUB_OUTPUT:-/dev/null}" ;;
  *) echo "::error title=Verify::MODE must be run or all"; exit 1 ;;
esac

jq -n --slurpfile demanded "$tmp/demanded" --slurpfile verdicts "$work/verdicts.json" --slurpfile unplanned "$tmp/unplanned" '
  $verdicts[0] as $verdicts
  | {cache: $verdicts.cache, unplanned: $unplanned[0], rows: (
      [$demanded[] | .attr as $attr
        | if .error then {attr: $attr, output: "", path: null, verdict: "unknown", cause: "does not evaluate: \(.error)"}
          elif .outputs == {} then {attr: $attr, output: "", path: null, verdict: "unknown", cause: "its outputs are not known"}
          else .outputs | to_entries[] | .value as $path
            | {attr: $attr, output: .key, path: $path}
              + if $path == null then {verdict: "unknown", cause: "content-addressed: the path is not known before it is built"}
                else $verdicts.paths[$path | tostring] // {verdict: "unknown", cause: "the cache was not asked"} end
          end]
      # Shards and reruns may name an output twice.
      | unique_by([.attr, .output, .path])
      | sort_by(({missing: 0, unknown: 1}[.verdict] // 2), .attr, .output))}' >"$tmp/full"

{
  jq -r "$safe"'
    def row: "| \(.verdict) | \(.attr | code)\(if .output == "" or .output == "out" then "" else " " + (.output | html) end) | \((.path // "") | html) | \(.cause[:300] | html) |";
    (.rows | map(select(.verdict == "missing" or .verdict == "unknown"))) as $bad
    | (.rows | map(select(.verdict != "missing" and .verdict != "unknown"))) as $good
    | "### Cache", "",
      (if .cache.state == "none" then "No cache is configured." elif .cache.state == "ok" then (.cache.url | code) else (.cache.url | code) + " cannot be used: " + (.cache.message | html) end), "",
      "| in the cache | upstream | missing | unknown |", "| ---: | ---: | ---: | ---: |",
      "| \([.rows[] | select(.verdict == "in-cache")] | length) | \([.rows[] | select(.verdict == "upstream")] | length) | \([.rows[] | select(.verdict == "missing")] | length) | \([.rows[] | select(.verdict == "unknown")] | length) |", "",
      (if $bad == [] then empty else "| verdict | output | path | cause |", "| --- | --- | --- | --- |", ($bad[:1000][] | row), (if $bad | length > 1000 then "| | and \($bad | length - 1000) more | | |" else empty end), "" end),
      (if .unplanned == [] then empty else "Verified on their own runner: \([.unplanned[].system | html] | join(", ")).", "" end),
      (if $good == [] then empty else
        "<details><summary>there (\($good | length))</summary>", "", "| verdict | output | path | |", "| --- | --- | --- | --- |", ($good[:1000][] | row), (if $good | length > 1000 then "| | and \($good | length - 1000) more | | |" else empty end), "", "</details>", "" end)' "$tmp/full"
} >"$tmp/summary"
if [ "$(wc -c <"$tmp/summary")" -gt 900000 ]; then printf '### Cache\n\nThe table is too large to show; see the log.\n' >"$tmp/summary"; fi
cat "$tmp/summary" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

jq -r --arg mode "$MODE" "$safe"'
  def many($level; $n): (.[:$n][] | "::\($level) title=\(.attr | property)::\(.text | data)"), (if length > $n then "::notice title=Verify::and \(length - $n) more" else empty end);
  (if .cache.state == "none" and $mode == "all" then "::error title=Verify::no cache is configured" else empty end),
  (if .cache.state != "ok" and .cache.state != "none" then "::error title=Verify::" + ("the cache \(.cache.url) cannot be used: \(.cache.message)" | data) else empty end),
  ([.rows[] | select(.verdict == "missing") | .text = "\(.attr) \(.output): \(.path) is missing (\(.cause)). Build and push it again: run the build workflow on this branch, or re-run its failed jobs."] | many("error"; 20)),
  (if .cache.state != "ok" then empty else
    [.rows[] | select(.verdict == "unknown") | .text = "\(.attr) \(.output): unknown whether it is there (\(.cause))"] | many("error"; 10) end),
  (.unplanned[] | select(.runner == null) | "::error title=\(.system | property)::no runner is configured to verify the targets of \(.system | data)"),
  "\([.rows[] | select(.verdict == "in-cache")] | length) in the cache, \([.rows[] | select(.verdict == "upstream")] | length) upstream, \([.rows[] | select(.verdict == "missing")] | length) missing, \([.rows[] | select(.verdict == "unknown")] | length) unknown"' "$tmp/full"
jq -e --arg mode "$MODE" 'all(.rows[]; .verdict == "in-cache" or .verdict == "upstream") and all(.unplanned[]; .runner)
  and (.cache.state == "ok" or ($mode == "run" and .rows == []))' "$tmp/full" >/dev/null
