#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tools/gpu-check.sh says before it comes to a GPU: each wrong use, and that there is none; and tools/carry.sh, of wrong use.
#
#   gpu-check-test.sh SOURCE_ROOT
root=$1 n=0
path=$(mktemp -d) # without nvidia-smi
trap 'rm -rf "$path"' EXIT
for program in bash dirname realpath cat head python3 mktemp rm; do
  ln -s "$(command -v $program)" "$path"
done

# says STATUS WORDS SCRIPT ARGUMENT...
says () {
  local status=$1 words=$2 script=$3 output got
  shift 3
  output=$(PATH=$path bash "$root/tools/$script.sh" "$@" 2>&1)
  got=$?
  n=$((n + 1))
  if [ "$got" = "$status" ] && [[ $output == *"$words"* ]]; then
    echo "ok $n $script $*"
  else
    echo "not ok $n $script $*"
    echo "# $got: $output"
  fi
}

echo 1..12
says 0 "usage:" gpu-check --help
says 2 "'--nope' is not an option" gpu-check --nope
says 2 "--out needs a value" gpu-check --out
says 2 "'720p' is not a size" gpu-check --sizes 1280x720,720p
says 2 "'soon' is not a number of seconds" gpu-check --limit soon
says 2 "there is no network 'vfi-huge'" gpu-check --models vfi-huge
says 2 "is no build folder of Meson" gpu-check --build "$path"
says 2 "there is no no-python" gpu-check --python no-python
says 1 "there is no NVIDIA driver" gpu-check --no-torch
says 0 "usage:" carry --help
says 2 "usage:" carry "$path"
says 2 "there is no $path/cuda/libvfi-cuda.so" carry "$path" "$path/x.tar.gz"
