#!/usr/bin/env bash
# Asks the binary cache, over HTTP and not through nix (which remembers misses), which output paths it has.
#
# environment
#   CACHE_URL     the cache; empty: no cache is configured
#   UPSTREAMS     further caches, separated by spaces, asked for what CACHE_URL does not have
#   CACHE_TOKEN   password for CACHE_URL, for a private cache (optional)
#   INPUTS        files with .targets[].outputs, relative to the work folder, may be globs (default targets.json)
#   WAIT_MINUTES  ask again until everything is there, at most this long (default 0)
#   POLL_SECONDS  pause between two rounds (default 15)
# reads   $RUNNER_TEMP/garnix2gha/$INPUTS
# writes  $RUNNER_TEMP/garnix2gha/verdicts.json
# exit    0 whatever the answers are
set -euo pipefail
export LC_ALL=C

work="${RUNNER_TEMP:?}/garnix2gha"
mkdir -p "$work"
for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "::error::$tool is not installed on this runner"; exit 1; }
done
tmp=$(mktemp -d "$work/lookup.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

cache=${CACHE_URL:-}
cache=${cache%/}
wait_seconds=0
case "${WAIT_MINUTES:-0}" in
  *[!0-9]* | ?????*) echo "::error::wait-minutes must be a number of minutes" ; exit 1 ;;
  *) wait_seconds=$((10#${WAIT_MINUTES:-0} * 60)) ;;
esac
[ "$wait_seconds" -le 21600 ] || wait_seconds=21600

quote() { # quote TEXT: as a value in a curl configuration file
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//[$'\n\r']/}
  printf '"%s"' "$text"
}

# request URLBASE LIST TAG: GET a narinfo for every store path of the file LIST; answers go to $tmp/TAG.answers, a line each:
# path, HTTP code, curl's exit code, StorePath of the answer, curl's message, separated by tabs.
requests=0
request() {
  local base list=$2 tag=$3 token=${4:-}
  base=$(quote "$1/")
  base=${base%\"}
  mkdir -p "$tmp/$tag"
  rm -f "$tmp/$tag"/*
  (umask 077 && : >"$tmp/curlrc")
  {
    printf '%s\n' 'silent' 'location' 'parallel' 'parallel-max = 32' 'connect-timeout = 15' 'max-time = 20' 'max-filesize = 1048576' \
      'retry = 4' 'retry-connrefused' 'retry-max-time = 60' 'user-agent = "garnix2gha"' 'proto = "=https,http"' 'globoff' \
      'write-out = "%{filename_effective}\t%{http_code}\t%{exitcode}\t%{errormsg}\n"'
    if [ -n "$token" ]; then printf 'user = %s\n' "$(quote ":$token")"; fi
    while IFS= read -r path; do
      hash=${path#/nix/store/}
      hash=${hash%%-*}
      printf 'url = %s%s.narinfo"\noutput = "%s"\n' "$base" "$hash" "$tmp/$tag/$hash"
    done <"$list"
  } >"$tmp/curlrc"
  requests=$((requests + $(wc -l <"$list")))
  # The exit code is the last failed transfer's; every transfer reports for itself.
  curl --config "$tmp/curlrc" >"$tmp/$tag.raw" 2>/dev/null || true
  rm -f "$tmp/curlrc"
  awk -F '\t' -v dir="$tmp/$tag/" '
    FNR == NR { if (index($1, dir) == 1) answer[substr($1, length(dir) + 1)] = $2 "\t" $3 "\t" $4; next }
    {
      hash = $0; sub("^/nix/store/", "", hash); sub("-.*", "", hash)
      split(hash in answer ? answer[hash] : "000\t1\tno answer", got, "\t")
      stored = ""
      if (got[1] == "200") {
        while ((getline line < (dir hash)) > 0) if (line ~ /^StorePath: /) { stored = substr(line, 12); sub("\r$", "", stored); break }
        close(dir hash)
      }
      gsub("[\t\r]", " ", stored)
      print $0 "\t" got[1] "\t" got[2] "\t" stored "\t" got[3]
    }' "$tmp/$tag.raw" "$list" >"$tmp/$tag.answers"
}

# check_cache: does the cache exist and may it be read?
check_cache() {
  local code=000 failure=''
  (umask 077 && : >"$tmp/curlrc")
  {
    printf '%s\n' 'silent' 'location' 'connect-timeout = 15' 'max-time = 20' 'max-filesize = 1048576' 'retry = 4' 'retry-connrefused' 'retry-max-time = 60' \
      'proto = "=https,http"' 'globoff' 'write-out = "%{http_code}\t%{errormsg}"' 'user-agent = "garnix2gha"'
    if [ -n "${CACHE_TOKEN:-}" ]; then printf 'user = %s\n' "$(quote ":$CACHE_TOKEN")"; fi
    printf 'url = %s\noutput = "%s"\n' "$(quote "$cache/nix-cache-info")" "$tmp/info"
  } >"$tmp/curlrc"
  rm -f "$tmp/info"
  curl --config "$tmp/curlrc" >"$tmp/info.raw" 2>/dev/null || true
  rm -f "$tmp/curlrc"
  requests=$((requests + 1))
  IFS=$'\t' read -r code failure <"$tmp/info.raw" || true
  case "$code" in
    200)
      if tr -d '\r' <"$tmp/info" 2>/dev/null | grep -q -x 'StoreDir: /nix/store/*'; then
        state=ok message=''
      else
        state=not-a-cache message="its nix-cache-info names no StoreDir /nix/store"
      fi ;;
    401 | 403 | 404 | 407 | 410)
      state=missing-or-private
      message="HTTP $code: it does not exist, or it is private and the token is missing, wrong or expired" ;;
    000 | '') state=unreachable message="no answer: ${failure:-connection failed}" ;;
    429 | 5*) state=unreachable message="HTTP $code" ;;
    *) state=not-a-cache message="HTTP $code for nix-cache-info" ;;
  esac
}

# ---- the paths ----
: >"$tmp/all.targets"
IFS=' ' read -r -a patterns <<<"${INPUTS:-targets.json}"
IFS=' ' read -r -a upstreams <<<"${UPSTREAMS:-}"
for pattern in "${patterns[@]}"; do
  # A glob that matches nothing is no input; the files' content is checked because other jobs wrote some of them.
  for file in "$work"/$pattern; do
    [ -f "$file" ] || continue
    jq -r '.targets[]? | .outputs? // {} | .[]? | strings
      | select(test("^/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]+$"))' "$file" >>"$tmp/all.targets" \
      || { echo "::error title=Cache::a file that names outputs cannot be read"; exit 1; }
  done
done
sort -u "$tmp/all.targets" >"$tmp/all"
cp "$tmp/all" "$tmp/open"
: >"$tmp/known" # path, verdict, cause, separated by tabs; the last line about a path counts

state=none
message="no cache is configured"
deadline=$(($(date +%s) + wait_seconds))
while :; do
  if [ -n "$cache" ]; then check_cache; fi
  if [ "$state" = ok ]; then
    request "$cache" "$tmp/open" cache "${CACHE_TOKEN:-}"
    awk -F '\t' -v OFS='\t' '{
      verdict = "unknown"
      if ($3 != "0") cause = $5 == "" ? "curl error " $3 : $5
      else if ($2 == "200" && $4 == $1) { verdict = "in-cache"; cause = "" }
      else if ($2 == "200" && $4 == "") cause = "the answer is not a narinfo"
      else if ($2 == "200") { verdict = "missing"; cause = "the cache has another path under this hash: " substr($4, 1, 300) }
      else if ($2 == "404" || $2 == "410") { verdict = "missing"; cause = "HTTP " $2 }
      else if ($2 == "403") { verdict = "missing"; cause = "HTTP 403, which some stores answer for what they do not have" }
      else if ($2 == "401" || $2 == "407") cause = "credentials: HTTP " $2
      else cause = "HTTP " $2
      print $1, verdict, cause
    }' "$tmp/cache.answers" >>"$tmp/known"
    awk -F '\t' '{ verdict[$1] = $2 } END { for (path in verdict) if (verdict[path] != "in-cache") print path }' "$tmp/known" | sort >"$tmp/open"
  else
    awk -v cause="$message" '{ print $0 "\tunknown\t" cause }' "$tmp/open" >>"$tmp/known"
  fi
  for upstream in ${upstreams[@]+"${upstreams[@]}"}; do
    [ -s "$tmp/open" ] || break
    request "${upstream%/}" "$tmp/open" upstream
    awk -F '\t' -v OFS='\t' -v url="$upstream" '$2 == "200" && $3 == "0" && $4 == $1 { print $1, "upstream", url }' "$tmp/upstream.answers" >>"$tmp/known"
    awk -F '\t' '{ verdict[$1] = $2 } END { for (path in verdict) if (verdict[path] != "in-cache" && verdict[path] != "upstream") print path }' "$tmp/known" | sort >"$tmp/open"
  done
  left=$(wc -l <"$tmp/open")
  if [ "$left" -eq 0 ] || [ "$state" = none ] || [ "$(date +%s)" -ge "$deadline" ]; then break; fi
  echo "$((left)) paths are not there yet; asking again in ${POLL_SECONDS:-15} seconds"
  sleep "${POLL_SECONDS:-15}"
done

printf '%s' "$cache" >"$tmp/url"
printf '%s' "$message" >"$tmp/message"
jq -Rn --rawfile url "$tmp/url" --rawfile message "$tmp/message" --arg state "$state" --argjson requests "$requests" '
  reduce (inputs | split("\t")) as $line ({}; .[$line[0]] = {verdict: $line[1], cause: ($line[2] // "")})
  | {cache: {$url, $state, $message}, $requests, paths: .}' <"$tmp/known" >"$tmp/verdicts"
mv "$tmp/verdicts" "$work/verdicts.json"
jq -r '"cache: \(.cache.state)", (.paths | [.[].verdict] | group_by(.)[] | "\(.[0]): \(length)")' "$work/verdicts.json"
