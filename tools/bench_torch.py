#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same networks in PyTorch: what vfi is held against on a GPU (tools/gpu-check.sh).

From two NV12 frames in device memory to the one between them, in fp16 and channels_last (flows in fp32, as the network has them). In a
stream each frame is new once: `stream_ms` is a pair's time less the encoder's, which a stream runs for one frame of two.

    bench_torch.py [--models vfi-nano,vfi-base] [--sizes 1280x720,...] [--modes eager,compile,graphs] [--json OUT]
"""
import argparse
import json
import os
import platform
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'train'))
import basenet
import flownet
import net as networks

MODES = ('eager', 'graphs', 'compile')  # what may take long comes last


def padded(x, k):
    """The last row and column of x (n,c,h,w) repeated up to a multiple of k, in floats. Not by F.pad: PyTorch 2.11 fails to compile for CUDA what
    pads so and then concatenates along the same axis ("is not comparable")."""
    for axis in (2, 3):
        n = x.shape[axis]
        if n % k:
            x = torch.cat((x, x.narrow(axis, n - 1, 1).repeat_interleave(-n % k, axis)), axis)
    return x.float()


class Interpolator(torch.nn.Module):
    """Planes of two NV12 frames (uint8: y (1,1,H,W), uv (1,2,H/2,W/2)) -> planes of the middle one."""

    def __init__(self, name, dtype):
        super().__init__()
        self.net = basenet.network(name).to(dtype)
        self.dtype = dtype

    @staticmethod
    def planes(y, uv):
        return padded(y, networks.MULTIPLE), padded(uv, networks.MULTIPLE // 2)

    def picture(self, y, uv):
        return networks.pack((y - 16) / 219, (uv - 128) / 224).to(self.dtype, memory_format=torch.channels_last)

    def forward(self, y0, uv0, y1, uv1, t):
        h, w = y0.shape[2:]
        first, second = self.planes(y0, uv0), self.planes(y1, uv1)
        state = self.net(self.picture(*first), self.picture(*second), t)[-1]
        made = (networks.synthesize(a, b, state, t, self.net.sampled) for a, b in zip(first, second))
        return [(x + .5).clamp(0, 255).to(torch.uint8)[:, :, :h // s, :w // s] for s, x in enumerate(made, 1)]


def symmetric(f0, f1, r):
    """net.correlation as one expression: a compiler makes one kernel of it, not one of each displacement; eager it would take (2r+1)^2 times
    the memory."""
    n, _, h, w = f0.shape
    a, b = (F.pad(f, (r,) * 4).unfold(2, h, 1).unfold(3, w, 1) for f in (f0, f1))
    return (a.flip(2, 3) * b).mean(1).reshape(n, -1, h, w)


def one_sided(f0, f1, r):
    """flownet.correlation, likewise."""
    n, _, h, w = f0.shape
    return (f0[:, :, None, None] * F.pad(f1, (r,) * 4).unfold(2, h, 1).unfold(3, w, 1)).mean(1).reshape(n, -1, h, w)


# What is compiled, each by itself: vfi-base as a whole takes longer than anyone waits. All of it is one CUDA graph in the end.
PIECES = ((networks, 'correlation', symmetric), (flownet, 'correlation', one_sided), (networks, 'lucas_kanade', None), (networks, 'inverse_search', None),
          (networks, 'dense_search', None), (networks, 'weigh', None), (networks, 'still', None), (networks, 'synthesize', None), (networks, 'warp', None),
          (basenet, 'evidence', None), (basenet, 'opinions', None), (networks.Encoder, 'forward', None), (networks.Decoder, 'forward', None))
PLAIN = [getattr(where, name) for where, name, _ in PIECES]


def pieces(compiled):
    for (where, name, other), plain in zip(PIECES, PLAIN):
        setattr(where, name, torch.compile(other or plain, fullgraph=True, dynamic=False) if compiled else plain)


def capture(call, args):
    """call (*args) as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call(*args)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call(*args)
    return lambda *_: graph.replay()


def measure(call, mode, args, device, seconds):
    """Milliseconds of one call, the best of five rounds; seconds until the first is done, in which a compiler compiles."""
    def wait():
        if device == 'cuda':
            torch.cuda.synchronize()
    start = time.perf_counter()
    if mode != 'eager' and device == 'cuda':
        call = capture(call, args)
    call(*args)
    wait()
    first = time.perf_counter() - start
    for _ in range(2):
        call(*args)
    wait()
    start = time.perf_counter()
    call(*args)
    wait()
    n = max(1, int(seconds / 5 / max(time.perf_counter() - start, 1e-6)))
    best = float('inf')
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(n):
            call(*args)
        wait()
        best = min(best, (time.perf_counter() - start) / n)
    return best * 1e3, first


@torch.inference_mode()
def bench(name, w, h, mode, device, seconds):
    torch.manual_seed(1)
    dtype = torch.float16 if device == 'cuda' else torch.float32
    model = Interpolator(name, dtype).to(device).to(memory_format=torch.channels_last).eval()
    frames = [torch.randint(16, 236, (1, c, h >> s, w >> s), dtype=torch.uint8, device=device) for c, s in ((1, 0), (2, 1)) * 2]
    args = (*frames, torch.full((1, 1, 1, 1), .5, device=device))
    x = (model.picture(*model.planes(*frames[:2])),)
    pieces(mode == 'compile')
    pair, first = measure(model, mode, args, device, seconds)
    encoder, _ = measure(model.net.encode, mode, x, device, seconds)
    return {'model': name, 'width': w, 'height': h, 'mode': mode, 'first_s': first, 'pair_ms': pair, 'encoder_ms': encoder,
            'stream_ms': pair - encoder}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', default='vfi-nano,vfi-base')
    p.add_argument('--sizes', default='1280x720,1920x1080,3840x2160')
    p.add_argument('--modes', default=','.join(MODES))
    p.add_argument('--seconds', type=float, default=2, help='of each measurement')
    p.add_argument('--device', default='cuda', choices=('cuda', 'cpu'), help='cpu: only to see that this runs')
    p.add_argument('--json', metavar='OUT')
    a = p.parse_args()
    for name in a.models.split(','):
        if name not in basenet.MODELS:
            p.error(f'--models: {name} is none of {", ".join(basenet.MODELS)}')
    for mode in a.modes.split(','):
        if mode not in MODES:
            p.error(f'--modes: {mode} is none of {", ".join(MODES)}')
    if a.device == 'cuda' and not torch.cuda.is_available():
        sys.exit('bench_torch.py: PyTorch sees no CUDA device')
    torch.backends.cudnn.benchmark = True
    torch._dynamo.config.cache_size_limit = torch._dynamo.config.recompile_limit = 64  # a piece is compiled for each size that it works at
    rows = []
    result = {'torch': torch.__version__, 'device': torch.cuda.get_device_name() if a.device == 'cuda' else platform.processor()}
    for mode in a.modes.split(','):
        for name in a.models.split(','):
            for size in a.sizes.split(','):
                w, h = map(int, size.split('x'))
                try:
                    row = bench(name, w, h, mode, a.device, a.seconds)
                except Exception as e:  # one way of running that fails leaves the others: a compiler that is missing, say
                    row = {'model': name, 'width': w, 'height': h, 'mode': mode, 'error': f'{type(e).__name__}: {e}'.splitlines()[0]}
                rows.append(row)
                print(json.dumps(row), flush=True)
                if a.json:  # now: what comes may take long
                    with open(a.json, 'w', encoding='utf-8') as f:
                        json.dump({**result, 'rows': rows}, f, indent=1)
                if a.device == 'cuda':
                    torch.cuda.empty_cache()
                torch._dynamo.reset()
    sys.exit(any('error' in row for row in rows))


if __name__ == '__main__':
    main()
