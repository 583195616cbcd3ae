#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# gpu-check.sh: what can only be checked on a machine with an NVIDIA GPU. Builds, or takes what was built elsewhere; runs the tests of operators,
# frames, networks and elements on the device, compute-sanitizer on the operators, and measures: our networks from CUDA memory and from system
# memory, and the same ones in PyTorch. Tests run side by side, measurements alone. What fails does not keep the rest from being done. Writes tests/bench/results/DATE-GPU.json and prints a
# table. Its last line is "N passed, N failed, N skipped".
set -uo pipefail

usage () {
  cat <<'USAGE'
usage: tools/gpu-check.sh [OPTION...]
  --build FOLDER    a build to use as it is, or what tools/carry.sh has packed of one; no compiler is needed then, nor GStreamer but for the elements
                    (default: build-gpu, which is made for this GPU, or brought up to date)
  --out FILE        results (default: tests/bench/results/DATE-GPU.json)
  --python PROGRAM  a Python that has PyTorch (default: python3); its cuDNN is used if the system has none
  --models LIST     networks to measure (default: vfi-nano,vfi-base)
  --sizes LIST      frame sizes (default: 1280x720,1920x1080,3840x2160)
  --torch-sizes LIST  those to measure PyTorch at (default: as --sizes); torch.compile takes minutes for each
  --limit SECONDS   how long a test or a measurement may take (default: 900)
  --no-torch        do not measure PyTorch
  --no-sanitizer    do not run compute-sanitizer
  --no-bench        tests only
USAGE
}

wrong () {
  echo "gpu-check.sh: $*" >&2
  echo "'tools/gpu-check.sh --help' explains" >&2
  exit 2
}

missing () {
  echo "gpu-check.sh: $*" >&2
  exit 1
}

build='' out='' python=python3 models=vfi-nano,vfi-base sizes=1280x720,1920x1080,3840x2160 torch_sizes='' limit=900 torch=yes sanitizer=yes bench=yes
while [ $# -gt 0 ]; do
  case $1 in
    --build | --out | --python | --models | --sizes | --torch-sizes | --limit)
      [ $# -gt 1 ] || wrong "$1 needs a value"
      case $1 in
        --build) build=$(realpath -m "$2") ;;
        --out) out=$(realpath -m "$2") ;;
        --python) python=$2 ;;
        --models) models=$2 ;;
        --sizes) sizes=$2 ;;
        --torch-sizes) torch_sizes=$2 ;;
        --limit) limit=$2 ;;
      esac
      shift ;;
    --no-torch) torch= ;;
    --no-sanitizer) sanitizer= ;;
    --no-bench) bench= ;;
    --help | -h) usage; exit 0 ;;
    *) wrong "'$1' is not an option" ;;
  esac
  shift
done
cd "$(dirname "$0")/.." || exit 1

torch_sizes=${torch_sizes:-$sizes}
for size in ${sizes//,/ } ${torch_sizes//,/ }; do
  [[ $size =~ ^[1-9][0-9]*x[1-9][0-9]*$ ]] || wrong "--sizes: '$size' is not a size such as 1280x720"
done
[[ $limit =~ ^[1-9][0-9]*$ ]] || wrong "--limit: '$limit' is not a number of seconds"
for model in ${models//,/ }; do
  [ -e "tests/models/golden/$model.weights" ] || wrong "--models: there is no network '$model'"
done
[ -z "$build" ] || [ -e "$build/tests/cuda/device-ops" ] || wrong "--build: $build is no build folder of Meson with the tests for devices"
command -v "$python" >/dev/null || wrong "--python: there is no $python"

command -v nvidia-smi >/dev/null || missing "there is no NVIDIA driver here (no nvidia-smi): this checks what only a GPU can show"
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1 | head -n 1) && [ -n "$gpu" ] && [[ $gpu != *failed* && $gpu != *"No devices"* ]] ||
  missing "the NVIDIA driver sees no GPU: ${gpu:-nvidia-smi lists none}"
driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1)

scratch=$(mktemp -d)
results=$scratch/tests
trap 'rm -rf "$scratch"' EXIT
: >"$results"

# one NAME COMMAND...: a test that is a command; a command that skips itself, or has nothing to do, has failed here.
one () {
  local name=$1 log
  shift
  log=$scratch/$name.log
  echo "--- $name" >&2
  if timeout "$limit" "$@" >"$log" 2>&1 && ! grep -q -e '^1\.\.0' -e '^ok .*/cuda/.* # SKIP' "$log"; then
    echo "ok $name" >>"$results"
  else
    echo "not ok $name" >>"$results"
    tail -n 30 "$log" | sed "s/^/  $name: /" >&2
  fi
}

# beside NAME COMMAND...: the same, while others run, one for each processor.
beside () {
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
    wait -n
  done
  one "$@" &
}

skip () {
  echo "ok $1 # SKIP $2" >>"$results"
}

# lacks PROGRAM: why it does not run here, if so; for what takes GStreamer.
lacks () {
  [ -x "$1" ] || { echo "this build has no $(basename "$1")"; return 0; }
  ldd "$1" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/there is no \1/p' | head -n 1 | grep .
}

# ---- build ---------------------------------------------------------------------------------------

if [ -z "$build" ]; then
  build=$PWD/build-gpu
  command -v nvcc >/dev/null || [ ! -x /usr/local/cuda/bin/nvcc ] || PATH=$PATH:/usr/local/cuda/bin
  command -v nvcc >/dev/null || missing "there is no nvcc to build the CUDA backend with: install the CUDA toolkit, or give --build"
  [ -e "$build/build.ninja" ] ||
    meson setup "$build" --buildtype release -Dcuda=enabled "-Dcuda-archs=${capability//./}" ||
    missing "the build is not configured: see above. One that was made elsewhere will do: --build"
  ninja -C "$build" || missing "the build failed: see above"
fi
[ -e "$build/cuda/libvfi-cuda.so" ] || missing "$build has no CUDA backend: nvcc or cuDNN's headers were missing when it was configured"

given=${LD_LIBRARY_PATH-} # PyTorch brings all it needs
if [ -d "$build/lib/gstreamer-1.0" ]; then # packed by carry.sh
  export PATH=$build/bin:$PATH LD_LIBRARY_PATH=$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export GST_PLUGIN_SYSTEM_PATH_1_0=$build/lib/gstreamer-1.0 GST_REGISTRY_1_0=$scratch/registry GST_REGISTRY_FORK=no
fi

# ---- cuDNN, at run time --------------------------------------------------------------------------

export LD_LIBRARY_PATH=$build/cuda${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)")")")
for folder in '' "$toolkit/lib64" "$toolkit/lib" \
  "$("$python" -c 'import nvidia.cudnn as c; print (list (c.__path__)[0] + "/lib")' 2>/dev/null)"; do
  if LD_LIBRARY_PATH=$LD_LIBRARY_PATH${folder:+:$folder} python3 -c 'import ctypes; ctypes.CDLL ("libcudnn.so.9")' 2>/dev/null; then
    LD_LIBRARY_PATH=$LD_LIBRARY_PATH${folder:+:$folder}
    break
  fi
done

# ---- tests ---------------------------------------------------------------------------------------

export VFI_WEIGHTS_PATH=$PWD/models/weights G_TEST_SRCDIR=$PWD/tests/ops
for name in ops frames models; do
  beside "device-$name" "$build/tests/cuda/device-$name"
done
# Published networks, against their authors' code.
if [ -e "$build/tests/models/models-pictures" ]; then
  for test in $("$build/tests/models/models-pictures" -l | sed -n 's:^/models/cuda/::p'); do
    beside "device-pictures-${test//\//-}" env G_TEST_SRCDIR="$PWD/tests/models" "$build/tests/models/models-pictures" -p "/models/cuda/$test"
  done
else
  skip device-pictures "this build has no models-pictures"
fi
# Elements with frames in CUDA memory, and in pipelines with NVIDIA's decoder and encoder.
if reason=$(lacks "$build/tests/gst/device-gst"); then
  skip device-gst "$reason"
else
  beside device-gst env VFI_PLUGIN="$build/gst/libgstvfi.so" VFI_SHIPPED_WEIGHTS="$PWD/models/weights" "$build/tests/gst/device-gst"
fi
has () {
  GST_PLUGIN_PATH=$build/gst gst-inspect-1.0 --exists "$1"
}
encoder='' sink=fakesink # not every GPU has an encoder
if command -v gst-inspect-1.0 >/dev/null; then
  for name in x264enc nvh264enc; do
    has $name && encoder=$name
  done
  [ "$encoder" != nvh264enc ] || sink='nvh264enc ! fakesink'
  if [ -z "$encoder" ]; then
    skip pipeline-gpu "GStreamer has neither nvh264enc nor x264enc here"
  elif ! has nvh264dec; then
    skip pipeline-gpu "GStreamer has no nvh264dec here"
  else
    # shellcheck disable=SC2086
    beside pipeline-gpu env GST_PLUGIN_PATH="$build/gst" gst-launch-1.0 -q videotestsrc num-buffers=60 pattern=ball ! \
      'video/x-raw,format=NV12,width=1280,height=720,framerate=30/1' ! $encoder ! h264parse ! nvh264dec ! 'video/x-raw(memory:CUDAMemory)' ! \
      vfiinterp backend=cuda model=vfi-nano ! 'video/x-raw(memory:CUDAMemory),framerate=60/1' ! $sink
  fi
else
  skip pipeline-gpu "there is no gst-inspect-1.0"
fi
if [ -z "$sanitizer" ]; then
  skip compute-sanitizer "--no-sanitizer"
elif command -v compute-sanitizer >/dev/null; then
  for op in $("$build/tests/cuda/device-ops" -l | sed -n 's:^/ops/cuda/fp16/\([^/]*\).*:\1:p' | sort -u); do
    beside "memcheck-$op" compute-sanitizer --tool memcheck --error-exitcode 9 "$build/tests/cuda/device-ops" -p "/ops/cuda/fp16/$op"
  done
  beside memcheck-frames compute-sanitizer --tool memcheck --error-exitcode 9 "$build/tests/cuda/device-frames"
  for op in conv2d-mma correlation evidence inverse_search lucas_kanade moments weigh; do # what has shared memory of our own
    beside "racecheck-$op" compute-sanitizer --tool racecheck --error-exitcode 9 "$build/tests/cuda/device-ops" -p "/ops/cuda/fp16/$op"
  done
else
  skip compute-sanitizer "it is not installed"
fi
wait
tests=$(meson test -C "$build" --list 2>/dev/null | sed 's/.* //' | grep -E '^(cuda|gst)-') || skip meson-tests "Meson does not run them here"
for name in $tests; do
  one "$name" meson test -C "$build" --no-rebuild "$name" # elements use the device where backend is auto
done

# ---- measurements --------------------------------------------------------------------------------

mkdir "$scratch/host" "$scratch/device"
if [ -n "$bench" ]; then
  for model in ${models//,/ }; do
    weights=models/weights/${model/vfi-base/vfi-nano}.safetensors # vfi-base has none of its own
    if [ ! -e "$weights" ]; then # speed does not depend on them
      weights=$scratch/$model.safetensors
      python3 tests/gst/zero_weights.py "tests/models/golden/$model.weights" "$weights"
    fi
    for size in ${sizes//,/ }; do
      if reason=$(lacks "$build/tools/vfi"); then
        skip "bench-$model-$size" "$reason"
      else
        one "bench-$model-$size" "$build/tools/vfi" bench --backend cuda --model "$model" --weights "$weights" --size "$size" --format NV12 \
          --json "$scratch/host/$model-$size.json"
      fi
      one "bench-device-$model-$size" sh -c '"$@" >"$0"' "$scratch/device/$model-$size.json" \
        "$build/tests/cuda/cuda-bench" "$model" "$weights" "${size%x*}" "${size#*x}"
    done
  done
  if [ -z "$torch" ]; then
    skip bench-torch "--no-torch"
  elif "$python" -c 'import torch' 2>/dev/null; then
    one bench-torch env LD_LIBRARY_PATH="$given" "$python" tools/bench_torch.py --models "$models" --sizes "$torch_sizes" --json "$scratch/torch.json"
  else
    skip bench-torch "$python has no PyTorch"
  fi
fi

cuda=$(nvcc --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/\1/p')
out=${out:-tests/bench/results/$(date +%Y-%m-%d)-$(tr -cs 'A-Za-z0-9\n' - <<<"$gpu").json}
mkdir -p "$(dirname "$out")"
if python3 - "$scratch" "$out" "$gpu" "$driver" "$cuda" "$(git rev-parse HEAD 2>/dev/null)" <<'PYTHON'
import datetime, glob, json, os, sys

scratch, out, gpu, driver, cuda, commit = sys.argv[1:]

def read(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):  # what failed has written nothing, or half of it
        return None

rows = lambda kind: [r for r in map(read, sorted(glob.glob(f'{scratch}/{kind}/*.json'))) if r]
with open(f'{scratch}/tests') as f:
    tests = [line.strip() for line in f]
result = {'date': datetime.date.today().isoformat(), 'gpu': gpu, 'driver': driver, 'cuda': cuda, 'commit': commit, 'tests': tests,
          'device': rows('device'), 'host': rows('host'), 'torch': read(f'{scratch}/torch.json')}
if not cuda and result['device']:
    result['cuda'] = result['device'][0]['cuda']
key = lambda r: (r['model'], int(r['width']), int(r['height']))
ms = {}
for r in result['device']:
    ms.setdefault(key(r), {}).update(device=r['frame_ms'], carried=r['host_ms'])
for r in result['host']:
    ms.setdefault(key(r), {})['host'] = r['frame_ms']
for r in (result['torch'] or {}).get('rows', []):
    if 'stream_ms' in r:
        ms.setdefault(key(r), {})[r['mode']] = r['stream_ms']
number = lambda row, column: f'{row[column]:.3f}' if column in row else '-'
if ms:
    print('milliseconds per frame made | vfi, CUDA memory | vfi, system memory | vfi bench | PyTorch | torch.compile | PyTorch, CUDA graph')
for (model, w, h), row in sorted(ms.items()):
    print(f'{model} {w} x {h} | ' + ' | '.join(number(row, c) for c in ('device', 'carried', 'host', 'eager', 'compile', 'graphs')))
if result['device']:
    print('vfi, CUDA memory | GFLOP | MB | floor, ms | of the floor | device MB | system memory, times | PyTorch, times | torch.compile, times')
for r in result['device']:
    # No stage can be faster than its arithmetic at the measured peak, nor than its bytes at the measured rate of copies.
    flop, byte = r['machine_conv_gflops'], r['machine_copy_gbytes']
    r['gflop'], r['mbytes'] = (sum(s[k] for s in r['stages']) for k in ('gflop_per_frame', 'mbytes_per_frame'))
    r['floor_ms'] = sum(max(s['gflop_per_frame'] / flop * 1e3, s['mbytes_per_frame'] / byte) for s in r['stages'])
    times = {k: v / r['frame_ms'] for k, v in ms[key(r)].items()}
    print(f"{r['model']} {r['width']} x {r['height']} | {r['gflop']:.1f} | {r['mbytes']:.1f} | {r['floor_ms']:.3f} | "
          f"{100 * r['floor_ms'] / r['frame_ms']:.0f} % | {r['device_mb']:.0f} | " + ' | '.join(number(times, c) for c in ('carried', 'eager', 'compile')))
for r in result['device'][:1]:
    print(f"this GPU: {r['machine_conv_gflops'] * 1e-3:.1f} TFLOP/s in convolutions, {r['machine_copy_gbytes']:.0f} GB/s copied (read and written)")
with open(out, 'w') as f:
    json.dump(result, f, indent=1)
print(f'written: {out}')
PYTHON
then
  echo "ok results" >>"$results"
else
  echo "not ok results" >>"$results"
fi

grep '^not ok' "$results"
grep '# SKIP' "$results" | sed 's/^ok \(.*\) # SKIP */skipped \1: /'
failed=$(grep -c '^not ok' "$results")
skipped=$(grep -c '^ok .*# SKIP' "$results")
passed=$(($(grep -c '^ok' "$results") - skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
