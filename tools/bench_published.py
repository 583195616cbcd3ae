#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Published networks here and in PyTorch and ONNX Runtime on the CPU: milliseconds of a frame and memory, side by side in one run.

    tools/bench_published.py [options] NETWORK=CHECKOUT ...

CHECKOUT is a folder with the authors' repository, as for tools/golden.py: tools/published/ says which repository and revision, and runs their code.
Weights are made from their names, the same on all sides, in fp32. Each side is a process of its own, by turns (ours, PyTorch, ONNX Runtime, ours, ...),
and sees a stream: each frame is new once, one frame is made between two, and what belongs to a frame alone is worked out once. A turn's figure is
the mean of its frames; the table's is the median of the turns, and behind each ratio stand its least and greatest in a turn. Ours goes from frame to
frame (I420, conversions included), the others from tensor to tensor of the size that the network sees. Memory is the most that the process held (its input not
counted in ours). ONNX Runtime takes part where torch.onnx.export can write the network and it can run it; what it says otherwise stands in the JSON
file. A JSON file that is there gets more turns and networks, so that a long run can be made of short ones on one machine; of a network all turns are of
one program, which the file knows by the hash of it and of libvfi: --again begins anew with those that are named.

SepConv's own operator is for GPUs only: PyTorch runs it in steps of torch.addcmul_, the fastest of three ways tried.
"""
import argparse
import datetime
import hashlib
import json
import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OPSET = 17
REALTIME = 'VFI_BENCH_REALTIME'  # in a child's environment: it measures with --realtime


SIDES = 'vfi', 'torch', 'onnxruntime'


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
        out.append(round((time.perf_counter() - before) * 1e3, 1))
    return out


# ---- the other sides, each in a process of its own ------------------------------------------------

def network(name, checkout):
    """The authors' code, as a module (x0, x1, kept of x0 ...) -> (result, kept of x1 ...), and two pictures of the padded size."""
    import torch

    import published
    from published import common
    torch.set_grad_enabled(False)

    def adaptive(x, v, h):
        n, (height, width) = v.shape[1], v.shape[2:]
        out = torch.zeros_like(x[:, :, :height, :width])
        for i in range(n):
            line = torch.zeros_like(out)
            for j in range(n):
                line.addcmul_(x[:, :, i:i + height, j:j + width], h[:, j:j + 1])
            out.addcmul_(line, v[:, i:i + 1])
        return out

    common.golden.adaptive = adaptive
    net = published.networks()[name](name, os.path.abspath(checkout))
    multiple = net.multiple[name] if isinstance(net.multiple, dict) else net.multiple
    more = 0 if getattr(net, 'reduces', False) else multiple - 1
    pictures = [common.picture(name, *((n + more) // multiple * multiple for n in SIZE[::-1]), i) for i in (0, 1)]
    keeps = hasattr(net, 'keep') and net.keep(pictures[0]) is not None

    class Stream(torch.nn.Module):
        def forward(self, x0, x1, *kept):
            if not keeps:
                return (net(x0, x1, .5, 1),)
            kept = *kept, net.keep(x1)
            return net(x0, x1, .5, 1, kept), kept[1]

        def first(self, x):
            """What a pair's first frame has from the pair before."""
            return (net.keep(x),) if keeps else ()

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


def program(vfi):
    """The hash of the program and of the library of ours that it loads."""
    loads = subprocess.run(['ldd', vfi], check=True, capture_output=True, text=True).stdout.splitlines()
    both = hashlib.sha256()
    for path in [vfi, *(words[2] for words in map(str.split, loads) if words[0].startswith('libvfi.so'))]:
        with open(path, 'rb') as f:
            both.update(f.read())
    return both.hexdigest()


def run_ours(vfi, name, weights, threads, frames):
    with tempfile.NamedTemporaryFile(suffix='.json') as f:
        subprocess.run([*(['chrt', '-f', '10'] if REALTIME in os.environ else []), vfi, 'bench', '--model', name, '--weights', weights, '--size', '%dx%d' % SIZE, '--threads', str(threads), '--precision', 'fp32',
                        '--frames', str(frames), '--json', f.name], check=True, capture_output=True)
        r = json.load(open(f.name, encoding='utf-8'))
    return {'version': r['backend'], 'ms': [round(r['frame_ms'], 1)], 'peak_mb': r['peak_mb']}


def summary(row):
    """Of all turns of a network: for each side the median of their means and the most memory, and how its time stands to ours: [least of a turn, of the medians, greatest of a turn]."""
    out = {}
    means = {side: [statistics.mean(r['ms']) if 'ms' in r else None for r in row[side]] for side in SIDES}
    for side in SIDES:
        ratios = sorted(t / ours for t, ours in zip(means[side], means['vfi']) if t)
        times = [t for t in means[side] if t]
        if times:
            out[side] = {'ms': statistics.median(times), 'spread_ms': [min(times), max(times)], 'peak_mb': max(r['peak_mb'] for r in row[side] if 'ms' in r)}
            if side != 'vfi':
                out[side]['ratio'] = [ratios[0], out[side]['ms'] / out['vfi']['ms'], ratios[-1]]
    return out


def line(name, s):
    ours = s['vfi']
    text = f'{name:16}{ours["ms"]:6.0f}'
    for side in SIDES[1:]:
        text += f'{s[side]["ms"]:8.0f}' + ' {1:5.2f} ({0:.2f} to {2:.2f})'.format(*s[side]['ratio']) if side in s else f'{"-":>8}{"":21}'
    return text + '   ' + ', '.join(f'{s[side]["peak_mb"]:.0f}' if side in s else '-' for side in SIDES)


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        words = dict(map(str.strip, x.split(':', 1)) for x in f if ':' in x)
    isa = max(('avx512_bf16', 'avx512f', 'avx2'), key=lambda i: (i in words['flags'].split(), len(i)))
    return f'{words["model name"]}, {len(os.sched_getaffinity(0))} cores, {isa}'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('networks', nargs='+', metavar='NETWORK=CHECKOUT')
    p.add_argument('--vfi', default='build/tools/vfi', help='the program (default: %(default)s)')
    p.add_argument('--python', default=sys.executable, help='that has PyTorch (default: this one)')
    p.add_argument('--onnx-python', help='that has PyTorch 2, onnx and onnxruntime; without it ONNX Runtime is left out')
    p.add_argument('--size', default='640x360', metavar='WxH')
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--turns', type=int, default=3, help='0: exports only (default: 3)')
    p.add_argument('--frames', type=int, default=3, help='of ours in a turn (default: 3)')
    p.add_argument('--seconds', type=float, default=2, help='of the others in a turn, at least 3 frames (default: 2)')
    p.add_argument('--channels-last', action='store_true', help='PyTorch gets pictures in that layout')
    p.add_argument('--realtime', action='store_true', help='measure with real-time priority, on a machine that is not quiet; needs the right to')
    p.add_argument('--exports', metavar='FOLDER', help='keep exported networks there, and use those that are there')
    p.add_argument('--json', metavar='FILE', help='write all turns there, or add them to what is there')
    p.add_argument('--again', action='store_true', help='forget the turns that the JSON file has of these networks')
    a = p.parse_args()
    if a.realtime:
        os.environ[REALTIME] = '1'
    global SIZE
    SIZE = tuple(map(int, a.size.split('x')))
    told = {'size': a.size, 'threads': a.threads, 'precision': 'fp32', 'layout': 'channels last' if a.channels_last else 'channels first', 'machine': machine(),
            'realtime': a.realtime, 'networks': {}}
    if a.json and os.path.exists(a.json):
        with open(a.json, encoding='utf-8') as f:
            before = json.load(f)
        if any(before.get(k) != v for k, v in told.items() if k != 'networks'):
            sys.exit(f'{a.json} is of another machine or other options')
        told = before
    told['date'] = datetime.date.today().isoformat()
    print(f'{"network":16}{"vfi":>6}{"PyTorch":>8} ratio{"":15}{"ONNX Rt":>8} ratio{"":15}   peak MB: vfi, PyTorch, ONNX Runtime', flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, checkout in (n.split('=', 1) for n in a.networks):
            weights, onnx = os.path.join(folder, 'weights'), os.path.join(a.exports or folder, f'{name}-{a.size}.onnx')
            problem = child(a.python, 'weights', a.vfi, name, weights).get('error')
            if problem:
                sys.exit(f'{name}: {problem}')
            row = told['networks'].setdefault(name, {})
            if a.again:
                row.clear()
            for side in SIDES:
                row.setdefault(side, [])
            timed = program(a.vfi)
            if row['vfi'] and row.get('program') != timed:
                sys.exit(f'{name}: {a.json} has turns of another program: begin --again, or in another file')
            row['program'] = timed
            problem = None if a.onnx_python else 'not asked for'
            if a.onnx_python and not os.path.exists(onnx):
                problem = child(a.onnx_python, 'export', a.size, name, checkout, onnx).get('error')
            for _ in range(a.turns):
                row['vfi'].append(run_ours(a.vfi, name, weights, a.threads, a.frames))
                if program(a.vfi) != timed:
                    sys.exit(f'{name}: {a.vfi} became another program while it was timed')
                row['torch'].append(child(a.python, 'torch', a.size, name, checkout, a.threads, a.seconds, int(a.channels_last)))
                row['onnxruntime'].append({'error': problem} if problem else child(a.onnx_python, 'onnx', a.size, name, onnx, a.threads, a.seconds))
            os.remove(weights)
            if not a.exports and os.path.exists(onnx):
                os.remove(onnx)
            if row['vfi']:
                row['summary'] = summary(row)
                print(line(name, row['summary']), flush=True)
            elif problem:
                print(f'{name:16}{problem}', flush=True)
            if a.json and a.turns:
                with open(a.json, 'w', encoding='utf-8') as f:
                    json.dump(told, f, indent=1)


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
