#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# demo.sh [CLIP]: installs what is needed, builds, and makes a slow-motion video of CLIP (default: one that Debian ships).
# Writes out/slowmo.mp4 and out/compare.png.
set -euo pipefail
[ $# = 0 ] || [ -r "$1" ] || { echo "$1: no such file" >&2; exit 1; }
clip=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."
. tools/deps.sh
multiplier=4
mkdir -p out

# shellcheck disable=SC2086
need $DEPS_BUILD $DEPS_RUN $([ -n "$clip" ] || echo opencv-doc)
if [ -z "$clip" ]; then
  clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
  if [ ! -e $clip ]; then # this machine is set to install no documentation
    (cd out && apt-get -qq download opencv-doc && dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -xO .$clip >vtest.avi && rm opencv-doc_*.deb)
    clip=out/vtest.avi
  fi
fi
configure build --buildtype release
ninja -C build gst/libgstvfi.so tools/vfi # the tests can wait

inside=(meson devenv -C build -w "$PWD")
pipeline=(gst-launch-1.0 -v filesrc "location=$clip" ! decodebin ! videoconvert
  ! vfiinterp name=interp mode=slowmo "multiplier=$multiplier" lookahead=1
  ! queue ! videoconvert ! x264enc pass=qual quantizer=18 speed-preset=veryfast ! h264parse
  ! mp4mux ! filesink location=out/slowmo.mp4)
printf '\n$'
printf ' %q' "${inside[@]}" "${pipeline[@]}" | sed 's/\\!/!/g'
printf '\n'

start=$(date +%s%N)
"${inside[@]}" "${pipeline[@]}" >out/slowmo.log || { tail -n 20 out/slowmo.log; exit 1; }
stop=$(date +%s%N)
"${inside[@]}" vfi sheet out/slowmo.mp4 out/compare.png --multiplier $multiplier >/dev/null

# vfiinterp gives account when the stream ends.
stat () {
  sed -n "s/.*GstVfiInterp:interp: stats = .*[ ,]$1=([a-z0-9]*)\([^,;]*\).*/\1/p" out/slowmo.log | tail -n 1
}
rate=$(sed -n 's/.*GstVfiInterp:interp.GstPad:src: caps = .*framerate=(fraction)\([0-9/]*\).*/\1/p' out/slowmo.log | tail -n 1)
awk -v in_="$(stat in)" -v out="$(stat out)" -v made="$(stat synthesized)" -v model="$(stat model)" -v backend="$(stat backend)" \
    -v precision="$(stat precision)" -v rate="$rate" -v ns=$((stop - start)) 'BEGIN {
  split (rate, r, "/"); fps = r[2] ? r[1] / r[2] : 0; seconds = ns / 1e9
  gsub (/[\\"]/, "", model); gsub (/[\\"]/, "", backend); gsub (/[\\"]/, "", precision)
  printf "\n%s, %s, %s: %d frames in, %d out, %d of them synthesized\n", model, backend, precision, in_, out, made
  printf "%.1f s, %.1f frames a second with decoding and encoding", seconds, out / seconds
  if (fps)
    printf "; the video plays at %g: %s real time (%.1f times)", fps, (out / seconds < fps ? "slower than" : "faster than"), out / seconds / fps
  printf "\nout/slowmo.mp4: the video\nout/compare.png: real, synthesized and next real frame, side by side\n"
}'
