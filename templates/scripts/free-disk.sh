#!/usr/bin/env bash
# Removes software that GitHub preinstalls on its Linux runners and that a Nix build does not use.
#
# exit    0
set -euo pipefail

if [ "$(uname -s)" != Linux ]; then
  echo "only Linux runners are cleared"
  exit 0
fi
df -h /
sudo=()
if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
for path in /usr/local/lib/android /usr/share/dotnet /usr/share/swift /usr/share/miniconda /usr/local/share/powershell /usr/local/share/chromium \
  /usr/local/.ghcup /opt/ghc /opt/microsoft /opt/google /opt/az /opt/hostedtoolcache/CodeQL /opt/hostedtoolcache/go /opt/hostedtoolcache/PyPy; do
  if [ -e "$path" ]; then ${sudo[@]+"${sudo[@]}"} rm -rf -- "$path" || echo "$path stays"; fi
done
df -h /
