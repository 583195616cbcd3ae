#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tools/gpu-check.sh says before it comes to a GPU: each wrong use, and that there is none.
#
#   gpu-check-test.sh SOURCE_ROOT
script=$1/tools/gpu-check.sh n=0
path=$(mktemp -d) # without nvidia-smi
trap 'rm -rf "$path"' EXIT
for program in bash dirname realpath cat head python3; do
  ln -s "$(command -v $program)" "$path"
done

# says STATUS WORDS ARGUMENT...
says () {
  local status=$1 words=$2 output got
  shift 2
  output=$(PATH=$path bash "$script" "$@" 2>&1)
  got=$?
  n=$((n + 1))
  if [ "$got" = "$status" ] && [[ $output == *"$words"* ]]; then
    echo "ok $n $*"
  else
    echo "not ok $n $*"
    echo "# $got: $output"
  fi
}

echo 1..8
says 0 "usage:" --help
says 2 "'--nope' is not an option" --nope
says 2 "--out needs a value" --out
says 2 "'720p' is not a size" --sizes 1280x720,720p
says 2 "there is no network 'vfi-huge'" --models vfi-huge
says 2 "is no build folder of Meson" --build "$path"
says 2 "there is no no-python" --python no-python
says 1 "there is no NVIDIA driver" --no-torch
