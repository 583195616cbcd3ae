#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# carry.sh: what gpu-check.sh --build needs of a build, with the shared libraries and the GStreamer that it takes, in one file, for a machine that has
# a GPU, glibc and Python but neither a compiler nor GStreamer.
set -euo pipefail

usage () {
  cat <<'USAGE'
usage: tools/carry.sh BUILD FILE.tar.gz      or FILE.tar.xz, which is half as large
  BUILD    a build folder of Meson with the CUDA backend, in which what is needed is built first; smallest with -Dopencv=disabled and -Dcuda-archs= of
           the one GPU: meson setup BUILD --buildtype release -Dcuda=enabled -Dcuda-archs=90 -Dopencv=disabled
There: mkdir FOLDER; tar -xf FILE.tar.gz -C FOLDER; tools/gpu-check.sh --build FOLDER
USAGE
}

wrong () {
  echo "carry.sh: $*" >&2
  exit 2
}

case ${1-} in --help | -h) usage; exit 0 ;; esac
[ $# = 2 ] || { usage >&2; exit 2; }
build=$(realpath -m "$1") to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
files=(tests/cuda/device-{ops,frames,models} tests/cuda/cuda-bench tests/cuda/libvfi-trace.so tests/gst/device-gst tests/models/models-pictures cuda/libvfi-cuda.so gst/libgstvfi.so tools/vfi)
if [ -e "$build/build.ninja" ]; then # of all there is to build, half
  mapfile -t targets < <(ninja -C "$build" -t targets all | sed 's/: .*//' | grep -Fx "$(printf '%s\n' "${files[@]}")")
  [ ${#targets[@]} = 0 ] || ninja -C "$build" "${targets[@]}"
fi
for file in cuda/libvfi-cuda.so tests/cuda/device-ops; do
  [ -e "$build/$file" ] || wrong "there is no $build/$file: is the CUDA backend built there?"
done

plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0)
mkdir -p "$to/bin" "$to/lib/gstreamer-1.0"

# take FILE FOLDER: and what it needs, but for glibc and the compiler's, which must be those of the machine.
take () {
  local file=$1 folder=$2 need
  [ -e "$file" ] && [ ! -e "$folder/$(basename "$file")" ] || return 0
  mkdir -p "$folder"
  strip -o "$folder/$(basename "$file")" "$file"
  for need in $(ldd "$file" | awk '$3 ~ /^\// { print $3 }'); do
    case $(basename "$need") in
      libc.so* | libm.so* | libpthread.so* | libdl.so* | librt.so* | libresolv.so* | libstdc++.so* | libgcc_s.so* | libcuda.so* | libcudart.so* | libcudnn*) ;;
      *) case $need in
           "$build"/*) take "$need" "$to/$(dirname "${need#"$build"/}")" ;;
           *) take "$need" "$to/lib" ;;
         esac ;;
    esac
  done
}

for file in "${files[@]}"; do
  take "$build/$file" "$to/$(dirname "$file")"
done
for tool in gst-launch-1.0 gst-inspect-1.0; do
  take "$(command -v $tool)" "$to/bin"
done
for plugin in coreelements app typefindfunctions playback png videotestsrc videoconvertscale videoconvert videoscale videoparsersbad nvcodec x264; do
  take "$plugins/libgst$plugin.so" "$to/lib/gstreamer-1.0"
done
tar -caf "$2" -C "$to" .
