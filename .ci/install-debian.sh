#!/usr/bin/env bash
# The Debian packages that the whole test suite needs; the product itself needs none of them.
set -euo pipefail
packages=(
  ffmpeg                                   # newer than the one inside npm; serves test streams
  chromium                                 # opens reports and pages
  python3 python3-numpy python3-scipy      # the scorer
)
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${packages[@]}"
