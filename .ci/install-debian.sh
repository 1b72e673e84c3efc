#!/usr/bin/env bash
# The Debian packages that the whole test suite needs; the product itself needs none of them.
set -euo pipefail
packages=(
  ffmpeg                                   # newer than the one inside npm; serves test streams
  chromium                                 # opens reports and pages
)
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${packages[@]}"
