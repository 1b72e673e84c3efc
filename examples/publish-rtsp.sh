#!/usr/bin/env bash
# Publishes a video to Presage over RTSP with ffmpeg in a loop, as a robot would publish its camera.
#   presage watch rtsp-listen://:8554/camera
#   examples/publish-rtsp.sh [VIDEO] [rtsp://HOST:PORT/PATH]
# A webcam instead of a video: -f v4l2 -i /dev/video0
set -euo pipefail
video=${1:-$(dirname "$0")/pedestrians.mp4}
address=${2:-rtsp://127.0.0.1:8554/camera}
exec ffmpeg -nostdin -loglevel error -re -stream_loop -1 -i "$video" -an \
  -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -f rtsp -rtsp_transport tcp "$address"
