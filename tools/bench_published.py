#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Published networks here and in PyTorch and ONNX Runtime on the CPU: milliseconds of a frame and memory, side by side in one run.

    tools/bench_published.py [options] NETWORK=CHECKOUT ...

CHECKOUT is a folder with the authors' repository, as for tools/golden.py, which says which repository and revision, and runs their code. Weights are made from
their names, the same on all sides, in fp32. Each side is a process of its own, by turns (ours, PyTorch, ONNX Runtime, ours, ...), and sees a
stream: each frame is new once, one frame is made between two, and what belongs to a frame alone is worked out once. A turn's figure is its median frame,
the table's the best turn. Ours goes from frame to frame (I420, conversions included), the others from tensor to tensor of the padded size.
Memory is the most that the process held (its input not counted in ours). ONNX Runtime takes part where torch.onnx.export can write
the network; what it says otherwise stands in the JSON file.

SepConv's own operator is for GPUs only: PyTorch runs it in steps of torch.addcmul_, the fastest of three ways tried.
"""
import argparse
import importlib.util
import json
import os
import platform
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MULTIPLE = {'ifrnet': 16, 'rife-4.6': 32, 'rife-4.25': 64, 'superslomo': 32, 'superslomo-uvi': 64, 'dvf': 8, 'sepconv': 128, 'sepconv-plus': 16}
OPSET = 17
REALTIME = 'VFI_BENCH_REALTIME'  # in a child's environment: it measures with --realtime


def padded(name, size):
    m = MULTIPLE[name] if name in MULTIPLE else MULTIPLE[name.split('-')[0]]
    return [(n + m - 1) // m * m for n in size]


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6


def measure(step, seconds):
    """Milliseconds of each call, after two that do not count."""
    out = []
    if REALTIME in os.environ:
        for task in os.listdir('/proc/self/task'):
            os.sched_setscheduler(int(task), os.SCHED_FIFO, os.sched_param(10))
    for i in range(2):
        step(i)
    start = time.perf_counter()
    while len(out) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step(len(out))
        out.append((time.perf_counter() - before) * 1e3)
    return out


# ---- the other sides, each in a process of its own ------------------------------------------------

def network(name, checkout):
    """The authors' code, and a module (x0, x1, kept of x0 ...) -> (result, kept of x1 ...)."""
    sys.path.insert(0, HERE)
    import torch
    torch.set_grad_enabled(False)
    spec = importlib.util.spec_from_file_location('golden_published', os.path.join(HERE, 'golden.py'))
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)

    def adaptive(x, v, h):
        n, (height, width) = v.shape[1], v.shape[2:]
        out = torch.zeros_like(x[:, :, :height, :width])
        for i in range(n):
            line = torch.zeros_like(out)
            for j in range(n):
                line.addcmul_(x[:, :, i:i + height, j:j + width], h[:, j:j + 1])
            out.addcmul_(line, v[:, i:i + 1])
        return out

    published.golden.adaptive = adaptive
    net = published.NETWORKS[name](name, os.path.abspath(checkout))

    class Stream(torch.nn.Module):
        def forward(self, x0, x1, *kept):
            if not hasattr(net, 'keep') or net.keep(x1[:, :, :64, :64]) is None:
                return (net(x0, x1, .5, 1),)
            kept = *kept, net.keep(x1)
            return net(x0, x1, .5, 1, kept), kept[1]

        def first(self, x):
            """What a pair's first frame has from the pair before."""
            kept = net.keep(x) if hasattr(net, 'keep') else None
            return () if kept is None else (kept,)

    pictures = [published.picture(name, *padded(name, SIZE[::-1]), i) for i in (0, 1)]
    return torch, Stream(), pictures


def run_torch(name, checkout, threads, seconds, channels_last):
    before = peak_mb()
    import torch
    torch.set_num_threads(threads)
    imported = peak_mb()
    torch, stream, x = network(name, checkout)
    if channels_last:
        x = [p.contiguous(memory_format=torch.channels_last) for p in x]
    with torch.inference_mode():
        kept = stream.first(x[0])

        def step(i):
            nonlocal kept
            _, *kept = stream(x[i % 2], x[1 - i % 2], *kept)
        times = measure(step, seconds)
    return {'version': torch.__version__, 'ms': times, 'peak_mb': peak_mb(), 'imported_mb': imported - before}


def export(name, checkout, path):
    torch, stream, x = network(name, checkout)
    torch.onnx.export(stream, (*x, *stream.first(x[0])), path, opset_version=OPSET, dynamo=False)
    return {'version': torch.__version__}


def run_onnx(name, path, threads, seconds):
    import numpy as np
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    inputs = session.get_inputs()
    rng = np.random.default_rng(1)
    x = [rng.random(inputs[0].shape, np.float32) for _ in range(2)]
    kept = [np.zeros(i.shape, np.float32) for i in inputs[2:]]

    def step(i):
        nonlocal kept
        _, *kept = session.run(None, dict(zip([i.name for i in inputs], [x[i % 2], x[1 - i % 2], *kept])))
    return {'version': ort.__version__, 'ms': measure(step, seconds), 'peak_mb': peak_mb()}


# ---- driver ---------------------------------------------------------------------------------------

def write_weights(vfi, name, path):
    """A safetensors file with weights made from their names. In a process of its own, since numbers are made with PyTorch's help."""
    sys.path.insert(0, os.path.join(HERE, '..', 'tests'))
    import golden
    lines = subprocess.run([vfi, 'models', '--weights'], check=True, capture_output=True, text=True).stdout.splitlines()
    head, data, end = {}, [], 0
    for _, key, *shape in (line.split() for line in lines if line.startswith(name + ' ')):
        data.append(golden.weight(key, tuple(map(int, shape))).numpy().astype('<f4').tobytes())
        head[key] = {'dtype': 'F32', 'shape': list(map(int, shape)), 'data_offsets': [end, end := end + len(data[-1])]}
    text = json.dumps(head).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + b''.join(data))


def child(python, *args):
    """What a call of this program as `args` prints, as JSON; or {'error': its last line}."""
    done = subprocess.run([python, os.path.abspath(__file__), '--child', *map(str, args)], capture_output=True, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    return {'error': (done.stderr.strip() or f'ended with {done.returncode}').splitlines()[-1]}


def run_ours(vfi, name, weights, threads, frames):
    with tempfile.NamedTemporaryFile(suffix='.json') as f:
        subprocess.run([*(['chrt', '-f', '10'] if REALTIME in os.environ else []), vfi, 'bench', '--model', name, '--weights', weights, '--size', '%dx%d' % SIZE, '--threads', str(threads), '--precision', 'fp32',
                        '--frames', str(frames), '--json', f.name], check=True, capture_output=True)
        r = json.load(open(f.name, encoding='utf-8'))
    return {'version': r['backend'], 'ms': [r['frame_ms']], 'peak_mb': r['peak_mb'], 'stages': r['stages']}


def best(runs):
    good = [r for r in runs if 'ms' in r]
    return min(statistics.median(r['ms']) for r in good) if good else None


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('networks', nargs='+', metavar='NETWORK=CHECKOUT')
    p.add_argument('--vfi', default='build/tools/vfi', help='the program (default: %(default)s)')
    p.add_argument('--python', default=sys.executable, help='that has PyTorch (default: this one)')
    p.add_argument('--onnx-python', help='that has PyTorch 2, onnx and onnxruntime; without it ONNX Runtime is left out')
    p.add_argument('--size', default='640x360', metavar='WxH')
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--turns', type=int, default=2)
    p.add_argument('--frames', type=int, default=3, help='of ours in a turn (default: 3)')
    p.add_argument('--seconds', type=float, default=2, help='of the others in a turn, at least 3 frames (default: 2)')
    p.add_argument('--channels-last', action='store_true', help='PyTorch gets pictures in that layout')
    p.add_argument('--realtime', action='store_true', help='measure with real-time priority, on a machine that is not quiet; needs the right to')
    p.add_argument('--exports', metavar='FOLDER', help='keep exported networks there, and use those that are there')
    p.add_argument('--json', metavar='OUT')
    a = p.parse_args()
    if a.realtime:
        os.environ[REALTIME] = '1'
    global SIZE
    SIZE = tuple(map(int, a.size.split('x')))
    rows = {}
    print(f'{"network":16}{"vfi":>10}{"PyTorch":>10}{"ratio":>7}{"ONNX Rt":>10}{"ratio":>7}   peak MB: vfi, PyTorch, ONNX Runtime', flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, checkout in (n.split('=', 1) for n in a.networks):
            weights, onnx = os.path.join(folder, 'weights'), os.path.join(a.exports or folder, f'{name}-{a.size}.onnx')
            problem = child(a.python, 'weights', a.vfi, name, weights).get('error')
            if problem:
                sys.exit(f'{name}: {problem}')
            row = rows[name] = {'vfi': [], 'torch': [], 'onnxruntime': []}
            problem = None if a.onnx_python else 'not asked for'
            if a.onnx_python and not os.path.exists(onnx):
                problem = child(a.onnx_python, 'export', a.size, name, checkout, onnx).get('error')
            for _ in range(a.turns):
                row['vfi'].append(run_ours(a.vfi, name, weights, a.threads, a.frames))
                row['torch'].append(child(a.python, 'torch', a.size, name, checkout, a.threads, a.seconds, int(a.channels_last)))
                row['onnxruntime'].append({'error': problem} if problem else child(a.onnx_python, 'onnx', a.size, name, onnx, a.threads, a.seconds))
            os.remove(weights)
            if not a.exports and os.path.exists(onnx):
                os.remove(onnx)
            ours, theirs = best(row['vfi']), [best(row[side]) for side in ('torch', 'onnxruntime')]
            columns = ''.join(f'{t:10.0f}{t / ours:7.2f}' if t else f'{"-":>10}{"":7}' for t in theirs)
            memory = [max((r['peak_mb'] for r in runs if 'peak_mb' in r), default=None) for runs in row.values()]
            print(f'{name:16}{ours:10.0f}{columns}   ' + ', '.join('-' if m is None else f'{m:.0f}' for m in memory), flush=True)
    if a.json:
        with open(a.json, 'w', encoding='utf-8') as f:
            json.dump({'size': a.size, 'threads': a.threads, 'machine': platform.processor() or platform.machine(), 'networks': rows}, f, indent=1)


def main_child(role, *args):
    global SIZE
    if role == 'weights':
        write_weights(*args)
        out = {}
    else:
        SIZE = tuple(map(int, args[0].split('x')))
        if role == 'torch':
            out = run_torch(args[1], args[2], int(args[3]), float(args[4]), args[5] == '1')
        elif role == 'export':
            out = export(*args[1:])
        else:
            out = run_onnx(args[1], args[2], int(args[3]), float(args[4]))
    print(json.dumps(out))


if __name__ == '__main__':
    if sys.argv[1:2] == ['--child']:
        sys.dont_write_bytecode = True
        main_child(*sys.argv[2:])
    else:
        main()
