#!/usr/bin/env bash
# Publishes a video to Presage as plain RTP with ffmpeg: no connection, one side sends, the other listens.
#   presage watch rtp://:5004
#   examples/publish-rtp.sh [VIDEO] [HOST:PORT]
set -euo pipefail
video=${1:-$(dirname "$0")/pedestrians.mp4}
address=${2:-127.0.0.1:5004}
# dump_extra repeats the codec's parameters before each key frame, for receivers that start later.
exec ffmpeg -nostdin -loglevel error -re -stream_loop -1 -i "$video" -an \
  -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -bsf:v dump_extra \
  -payload_type 96 -f rtp "rtp://$address?pkt_size=1200" >/dev/null
