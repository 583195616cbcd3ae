#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# check.sh: installs what the tests need, builds, runs every test, then the core's and the elements' again with sanitizers, checks the
# formatting and an installation. Its last line is "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "$0")/.."
. tools/deps.sh
results=$(mktemp)
scratch=$(mktemp -d)
trap 'rm -rf "$results" "$scratch"' EXIT

# one NAME COMMAND...: a test that is a command. 77: skipped, the last line it printed says why.
one () {
  local name=$1 output status
  shift
  output=$("$@" 2>&1)
  status=$?
  case $status in
    0) echo "ok $name" ;;
    77) echo "ok $name # SKIP $(tail -n 1 <<<"$output")" ;;
    *) echo "not ok $name"; printf '%s\n' "$output" | tail -n 40 | sed 's/^/  /' >&2 ;;
  esac >>"$results"
}

# suite FOLDER [TEST...]: runs Meson's tests there, and counts what they report.
suite () {
  local folder=$1
  meson test -C "$@" --no-rebuild --print-errorlogs
  python3 tools/tap.py "$folder/meson-logs/testlog.json" "$folder" >>"$results"
}

formatted () {
  local tool=clang-format-14
  command -v $tool >/dev/null || { echo "there is no clang-format 14"; return 77; }
  git ls-files '*.c' '*.h' '*.cu' | xargs $tool --dry-run -Werror
}

# What is installed is complete, and the example of README.md compiles and links against it.
installed () {
  local root=$scratch/root prefix file
  DESTDIR=$root meson install -C build --no-rebuild --quiet || return 1
  prefix=$root$(meson introspect build --buildoptions | python3 -c 'import json, sys; print (next (o["value"] for o in json.load (sys.stdin) if o["name"] == "prefix"))')
  for file in bin/vfi include/vfi.h include/gstreamer-1.0/gst/vfi/gstvfiflowmeta.h share/gst-vfi/weights/vfi-nano.safetensors; do
    [ -e "$prefix/$file" ] || { echo "not installed: $file"; return 1; }
  done
  [ -n "$(find "$root" -path '*/gstreamer-1.0/libgstvfi.so')" ] || { echo "no plugin in a folder of GStreamer"; return 1; }
  # As the installed file will read once it lies where it belongs.
  sed "s|^prefix=.*|prefix=$prefix|" "$(find "$prefix" -name gst-vfi.pc)" > "$scratch/gst-vfi.pc" || return 1
  # shellcheck disable=SC2046
  cc tests/tools/example.c $(PKG_CONFIG_PATH=$scratch pkg-config --cflags --libs gst-vfi) -o "$scratch/example" || return 1
  [[ $(LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name 'libvfi.so.0')") "$scratch/example" 2>&1) == *usage* ]]
}

# shellcheck disable=SC2086
need $DEPS_BUILD $DEPS_RUN $DEPS_TEST || exit 1
need clang-format-14 || true # without this very version, the formatting is not checked

if configure build --buildtype release && ninja -C build; then
  suite build --timeout-multiplier 4
  one install installed
else
  echo "not ok build" >>"$results"
fi
# -O1 and line tables only: the same checks, and a third of the time to compile.
if configure build-sanitize --buildtype debugoptimized -Doptimization=1 -Dc_args=-g1 -Db_sanitize=address,undefined -Dcuda=disabled && ninja -C build-sanitize; then
  # Not the published networks (models-pictures): they take long, and the operators they are made of are here.
  # shellcheck disable=SC2046
  suite build-sanitize $(meson test -C build-sanitize --list 2>/dev/null | sed 's/.* //' | grep -E '^(core|ops|gst)-|^models-interpolation') --timeout-multiplier 4
else
  echo "not ok build with sanitizers" >>"$results"
fi
one training python3 tests/train/test_train.py # says that it is skipped where there is no PyTorch
one flow-training python3 tests/train/test_flow.py
one hole-training python3 tests/train/test_holes.py
one format formatted

grep '^not ok' "$results"
grep '# SKIP' "$results" | sed 's/^ok \(.*\) # SKIP */skipped \1: /'
failed=$(grep -c '^not ok' "$results")
skipped=$(grep -c '^ok .*# SKIP' "$results")
passed=$(($(grep -c '^ok' "$results") - skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
