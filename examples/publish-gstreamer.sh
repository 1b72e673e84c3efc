#!/usr/bin/env bash
# Publishes a test picture to Presage as plain RTP with GStreamer, as many robots do.
#   presage watch 'rtp://:5004?codec=VP8'
#   examples/publish-gstreamer.sh [HOST] [PORT]
# A camera instead of the test picture: v4l2src ! videoconvert
set -euo pipefail
host=${1:-127.0.0.1}
port=${2:-5004}
exec gst-launch-1.0 -q videotestsrc is-live=true pattern=ball \
  ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 \
  ! vp8enc deadline=1 keyframe-max-dist=25 \
  ! rtpvp8pay mtu=1200 ! udpsink host="$host" port="$port"
