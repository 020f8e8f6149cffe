#!/usr/bin/env bash
# Tells what the build job did: annotations for what failed, a table for everything.
#
# environment
#   ENTRY   id of the entry
# reads   $RUNNER_TEMP/garnix2gha/result/$ENTRY.json
# writes  the step's summary
# exit    0
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
case "${ENTRY:?}" in *[!A-Za-z0-9_-]*) echo "::error::the entry's id is malformed"; exit 0 ;; esac
command -v jq >/dev/null || { echo "::error::jq is not installed on this runner"; exit 0; }
result="$work/result/$ENTRY.json"
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
if [ ! -s "$result" ]; then
  echo "::error title=$ENTRY::there is no result: the evaluation or the build step ended early; see their logs"
  printf '### %s\n\nThere is no result: the evaluation or the build step ended early.\n' "$ENTRY" >>"$summary"
  exit 0
fi

# Text from a repository: control characters, runner commands and Markdown become harmless.
safe='def safe: gsub("\u001b\\[[0-9;]*[A-Za-z]"; "") | explode | map(if (. < 32 and . != 10) or (. > 126 and . < 160) or (. > 8231 and . < 8239) or (. > 8293 and . < 8298)
  then 32 else . end) | implode | gsub("##\\["; "## [");
def data: safe | gsub("%"; "%25") | gsub("\n"; "%0A");
def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
def html: safe | explode | map(if . == 10 then " " elif . == 32 or . > 127 or (. > 38 and . < 58 and . != 42) or (. > 64 and . < 91) or (. > 96 and . < 123)
  then [.] | implode else "&#\(.);" end) | join("") | gsub("(?<w>www)[.]"; "\(.w)&#46;"; "i");
def code: "<code>" + html + "</code>";'

jq -r "$safe"'
  [.targets[] | select(.state != "built")] as $failed
  | (if .disk_full then 9 else 10 end) as $limit
  | (if .disk_full then "::error title=disk full::No space left on device. Set disk-space: free in garnix2gha'"'"'s settings, or name a larger runner." else empty end),
    ($failed[:$limit][] | "::error title=\(.attr | property)::\((.attr + (if .state == "evaluation-failed" then " does not evaluate: " else " is not built: " end) + .cause
      + (if .log == "" then "" else "\n" + .log[-2500:] end)) | .[:4000] | data)"),
    (if ($failed | length) > $limit then "::notice title=Build::and \(($failed | length) - $limit) more targets that failed" else empty end)' "$result"

jq -r --argjson rows 2000 "$safe"'
  (.targets | sort_by(.state == "built", .attr)) as $targets
  | "### \(.entry)", "",
    "\([$targets[] | select(.state == "built")] | length) built, \([$targets[] | select(.state != "built")] | length) not; \(if .pushed then "pushed" else "not pushed" end).", "",
    (if $targets == [] then empty else
      "| state | attribute | |", "| --- | --- | --- |",
      ($targets[:$rows][] | "| \(.state) | \(.attr | code) | \(if .state == "built" then "\(.outputs | length) output\(if .outputs | length == 1 then "" else "s" end)" else .cause[:300] | html end) |"),
      (if $targets | length > $rows then "| | and \($targets | length - $rows) more | |" else empty end), "" end)' "$result" >"$work/summary"
# More than a megabyte would be shown as nothing.
if [ "$(wc -c <"$work/summary")" -gt 900000 ]; then
  head -c 900000 "$work/summary" | sed '$d' >>"$summary"
  printf '\nand more; see the log.\n' >>"$summary"
else
  cat "$work/summary" >>"$summary"
fi
rm -f "$work/summary"
