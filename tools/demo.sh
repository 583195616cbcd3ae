#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# demo.sh [CLIP]: installs what is needed, builds, and makes a slow-motion video of CLIP (default: one that Debian ships).
# Writes out/slowmo.mp4 and out/compare.png.
set -euo pipefail
clip=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."
. tools/deps.sh
multiplier=4

# vtest.avi, also where the machine is set to install no documentation.
debian_clip () {
  need opencv-doc >&2
  local file=/usr/share/doc/opencv-doc/examples/data/vtest.avi
  if [ ! -e "$file" ]; then
    (cd out && apt-get -qq download opencv-doc >&2 && dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -x --strip-components 7 ".$file")
    rm -f out/opencv-doc_*.deb
    file=$PWD/out/vtest.avi
  fi
  echo "$file"
}

# shellcheck disable=SC2086
need $DEPS_BUILD $DEPS_RUN
mkdir -p out
[ -n "$clip" ] || clip=$(debian_clip)
build build --buildtype release

pipeline=(filesrc "location=$clip" ! decodebin ! videoconvert
  ! vfiinterp name=interp mode=slowmo "multiplier=$multiplier"
  ! queue ! videoconvert ! x264enc pass=qual quantizer=18 speed-preset=veryfast ! h264parse
  ! mp4mux ! filesink location=out/slowmo.mp4)
printf '\n$ gst-launch-1.0'
printf ' %q' "${pipeline[@]}" | sed 's/\\!/!/g'
printf '\n\n'

inside () {
  meson devenv -C build -w . "$@"
}
start=$(date +%s.%N)
inside gst-launch-1.0 -v "${pipeline[@]}" | tee out/slowmo.log | grep -v ': caps = \|latency = ' || true
stop=$(date +%s.%N)
inside vfi sheet out/slowmo.mp4 out/compare.png --multiplier "$multiplier" | tee out/sheet.log
