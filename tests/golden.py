#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the stored results that the C tests compare with, from PyTorch.

    tests/golden.py ops BUILD/tests/ops/ops-reference     writes tests/ops/golden/ops.safetensors
    tests/golden.py models [NAME...]                      writes tests/models/golden/

Inputs and weights are made from their names, by the same functions as in generate.c and ops/harness.c.
"""
import os
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tools', 'train'))
import basenet  # noqa: E402
import completenet  # noqa: E402
import fillnet  # noqa: E402
import flownet  # noqa: E402
import gated  # noqa: E402
import net  # noqa: E402


def splitmix(name, n):
    h = 0xcbf29ce484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001b3) & (2 ** 64 - 1)
    with np.errstate(over='ignore'):
        z = np.uint64(h) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return z ^ (z >> np.uint64(31))


def uniform(name, *shape):
    """[-1, 1) in steps of 2^-23."""
    z = splitmix(name, int(np.prod(shape))) >> np.uint64(40)
    return (z.astype(np.float32) / np.float32(2 ** 23) - np.float32(1)).reshape(shape)


def coarse(name, *shape):
    """[-1, 1) in steps of 2^-7."""
    z = splitmix(name, int(np.prod(shape))) >> np.uint64(56)
    return (z.astype(np.float32) / np.float32(2 ** 7) - np.float32(1)).reshape(shape)


def nchw(a):
    return torch.from_numpy(np.ascontiguousarray(a)).permute(2, 0, 1)[None]


def nhwc(x):
    return np.ascontiguousarray(x[0].permute(1, 2, 0).float().numpy())


def save(tensors, folder, name):
    from safetensors.numpy import save_file
    path = os.path.join(HERE, folder, 'golden', name)
    save_file(tensors, path)
    os.chmod(path, 0o644)


# ---- operators ------------------------------------------------------------------------------------

def conv2d(k, src):
    groups = max(k.groups, 1)
    shape = (k.channels, k.c // groups, k.kernel, k.kernel)
    fan_in = int(np.prod(shape[1:]))
    weight = coarse(k.name + '.weight', *shape) * 2.0 ** -np.floor(np.log2(np.sqrt(fan_in)))
    weight = np.roll(weight, -k.first, 1)  # the last channels of the source are the file's first ones
    bias = None if k.no_bias else torch.from_numpy(coarse(k.name + '.bias', k.channels) / 4)
    x = F.pad(src(k.h, k.w, k.c), [k.padding, k.padding + k.after] * 2)
    y = F.conv2d(x, torch.from_numpy(weight.astype(np.float32)), bias, max(k.stride, 1), 0, max(k.dilation, 1), groups)
    if k.fold == 1:
        y = y * torch.from_numpy(coarse('gain', 1, k.channels, 1, 1) * np.float32(2.0 ** -np.floor(np.log2(np.sqrt(k.channels)))))
    if k.fold == 2:
        gain, shift, mean, var = (torch.from_numpy(coarse('norm.' + n, k.channels) / 4) for n in ('weight', 'bias', 'running_mean', 'running_var'))
        y = F.batch_norm(y, mean, var + 1, gain, shift)
    if k.residual:
        y = y + src(y.shape[2], y.shape[3], y.shape[1])
    slopes = torch.from_numpy(coarse('slopes', 1 if k.one_slope else k.channels) / 4)
    return (lambda v: v, F.relu, lambda v: F.leaky_relu(v, k.slope or 0.01), torch.sigmoid, torch.tanh, lambda v: F.prelu(v, slopes),
            F.elu, F.hardtanh)[k.act](y)


def warp(k, src):
    x = src(k.h, k.w, k.c)
    flow = nchw(uniform(k.name + '/src1', k.h, k.w, 2) * np.float32(k.flow))
    gain = np.float32(1) if not k.timed else np.float32(1) - np.float32(k.time) if k.side else -np.float32(k.time)
    # float64 inside: grid_sample's own rounding of normalised coordinates is not what is tested
    return net.warp(x.double(), flow.double(), torch.full((1, 1, 1, 1), float(gain), dtype=torch.float64)).float()


def correlation(k, src):
    return (flownet if k.one_sided else net).correlation(src(k.h, k.w, k.c), src(k.h, k.w, k.c), k.radius)


def shear(k, src):
    return net.shear(src(k.h, k.w, k.c), k.radius, torch.full((1, 1, 1, 1), k.time))


def resize(k, src):
    x = src(k.h, k.w, k.c)
    y = F.interpolate(x, scale_factor=k.scale, mode='bilinear', align_corners=False)
    y = y * gain(k)
    if k.detail:
        y = y + F.pixel_shuffle(src(k.h, k.w, k.c * k.scale ** 2), k.scale)
    return y


def mean_pool(k, src):
    return net.mean_pool(src(k.h, k.w, k.c), k.scale)


def motion(k, name, *shape):
    """harness.c: is_flow."""
    z = uniform(f'{k.name}/{name}', *shape)
    return -np.float32(k.flow) * (np.float32(.5) + z / 8) if k.flow < 0 else z * np.float32(k.flow)


def part(k):
    """harness.c: what of the picture counts."""
    return [float(np.float32(v)) for v in (.2, .15, .9, .7)] if '/within' in k.name else None


def within(k, src):
    return torch.tensor([3 / k.to_h, 5 / k.to_w, 18 / k.to_h, 30 / k.to_w]).view(1, 4, 1, 1)


def lucas_kanade(k, src):
    y0, y1 = src(k.h, k.w, 1).double(), src(k.h, k.w, 1).double()
    state = nchw(motion(k, 'src3', k.h, k.w, 5)).double() if k.residual else None
    return net.lucas_kanade(y0, y1, state, torch.full((1, 1, 1, 1), k.time, dtype=torch.float32).double(), part(k))[:, :5 if k.detail else 7].float()


def wave(k, i):
    """harness.c has the same."""
    y, x = torch.meshgrid(torch.arange(k.h).double(), torch.arange(k.w).double(), indexing='ij')
    px, py = x - 1.5 * i, y + .75 * i
    return (.5 + .2 * torch.sin(.55 * px + .2 * py) + .15 * torch.sin(.15 * px - .6 * py + 1) + .1 * torch.sin(.9 * px + .8 * py)).view(1, 1, k.h, k.w)


def inverse_search(k, src):
    state = nchw(motion(k, 'src2', k.h, k.w, 5)).double()
    return net.inverse_search(wave(k, 0), wave(k, 1), state, bool(k.residual)).float()


def dense_search(k, src):
    flow = nchw(motion(k, 'src2', k.h // 2, k.w // 2, 2)).double() if k.residual else None
    return net.dense_search(wave(k, 0), wave(k, 1), flow, k.stride, k.radius, k.scale, k.kernel, k.slope).float()


def weigh(k, src):
    state, flow = nchw(motion(k, 'src3', k.h, k.w, 5)).double(), motion(k, 'src4', k.h, k.w, 2)
    n = k.w // 2
    flow[:, :n] = np.array((1.5, -.75), np.float32) + uniform(k.name + '/src4', k.h, k.w, 2)[:, :n] / 8  # nearly how the waves move
    seen = nchw(np.abs(coarse(k.name + '/src5', k.h, k.w, 1)) / 4).double()
    return net.weigh(wave(k, 0), wave(k, 1), state, nchw(flow).double(), torch.full((1, 1, 1, 1), k.time, dtype=torch.float32).double(), seen, part(k)).float()


def still(k, src):
    y0, y1 = wave(k, 0), wave(k, 1)
    y1[..., :k.w // 2 + 1] = y0[..., :k.w // 2 + 1]  # it moves to the right of the middle, and there is noise
    noise = np.float32(k.flow) * coarse(k.name + '/src1', k.h, k.w, 1)
    flow = np.float32(20) * np.float32(k.flow) * uniform(k.name + '/src2', k.h, k.w, 2)
    over = nchw(np.abs(coarse(k.name + '/src3', k.h, k.w, 1)) / 4).double()
    return net.still(y0, (y1.float() + nchw(noise)).double(), nchw(flow).double(), over).float()


def overlay(k, src):
    y0, y1 = wave(k, 0), wave(k, 1)
    y1[..., :k.w // 2 + 1] = y0[..., :k.w // 2 + 1]  # it moves to the right of the middle, and some of it differs a little
    y1 = (y1.float() + nchw(coarse(k.name + '/src1', k.h, k.w, 1)) / 16).double()
    before = 0. if '/first' in k.name else 4 * nchw(coarse(k.name + '/src4', k.h, k.w, 2))[:, :1].abs().double()
    return torch.cat(net.overlay(y0, y1, nchw(motion(k, 'src2', k.h // k.scale, k.w // k.scale, 2)).double(), before), 1).float()


def exposure(k, src):
    return net.exposure(wave(k, 0).float(), np.float32(k.flow) * wave(k, 1).float() + np.float32(.0625))


def expose(k, src):
    return net.expose(src(k.h, k.w, k.c), src(1, 1, 2))


def curve(k, src):
    flow = [nchw(motion(k, f'src{i}', k.h, k.w, 2) * np.float32(much)).double() for i, much in enumerate((1, .375, 2))]  # it grows faster
    kind = k.name.split('/')[1].split('-')[0]
    return net.curve(*flow, torch.full((1, 1, 1, 1), k.time, dtype=torch.float32).double(), .75 * (kind in ('before', 'both')), 1.5 * (kind in ('after', 'both'))).float()


def evidence(k, src):
    v = motion(k, 'src3', k.h // 2, k.w // 2, 5 if k.residual else 2)
    return basenet.evidence(wave(k, 0), wave(k, 1), nchw(v).double(), torch.full((1, 1, 1, 1), k.time, dtype=torch.float32).double(), part(k)).float()


def opinions(k, src):
    state, evidence, flows = (src(k.h, k.w, c) for c in (k.c, k.radius, 2 * k.radius - 2))
    return basenet.opinions(torch.cat((state[:, :4], (1 + k.time) * state[:, 4:]), 1), evidence, flows)


def interleave(k, src):
    x = src(k.h, k.w, k.c)
    y = x.new_empty(1, k.c // 4, 2 * (k.h - 1), 2 * (k.w - 1))
    for i in range(2):
        for j in range(2):
            y[:, :, i::2, j::2] = x.chunk(4, 1)[2 * i + j][:, :, i:k.h - 1 + i, j:k.w - 1 + j]
    return y


def downsample(k, src):
    return F.interpolate(src(k.h, k.w, k.c), scale_factor=1 / k.scale, mode='bilinear', align_corners=False) * gain(k)


def fill(k, src):
    return torch.full((1, 1, k.h, k.w), k.time)


P, Q = (-.25, 1.5, .5), (1, 0, -.75)  # cases.c


def mix(k, src):
    t = k.time if k.timed else 0
    return (P[0] + P[1] * t + P[2] * t * t) * src(k.h, k.w, k.c) + (Q[0] + Q[1] * t + Q[2] * t * t) * src(k.h, k.w, k.c)


def blend(k, src):
    a, b, logit = src(k.h, k.w, k.c), src(k.h, k.w, k.c), src(k.h, k.w, 1)
    m = (1 + logit) / 2 if k.detail else torch.sigmoid(logit * (k.slope or 1))
    if k.timed:
        m = (1 - k.time) * m / ((1 - k.time) * m + k.time * (1 - m))
    return m * a + (1 - m) * b + (src(k.h, k.w, k.c) if k.residual else 0)


def affine(k, src):
    return src(k.h, k.w, k.c) * 2.5 + torch.tensor([-.5, .25, 3]).view(1, 3, 1, 1)


def warp_zeros(k, src):
    x = src(k.h, k.w, k.c).double()
    flow = nchw(uniform(k.name + '/src1', k.h, k.w, 2) * np.float32(k.flow)).double()
    y, x0 = torch.meshgrid(torch.arange(k.h).double(), torch.arange(k.w).double(), indexing='ij')
    gx, gy = x0 + flow[:, 0], y + flow[:, 1]
    gx, gy = (2 * gx / k.w - 1, 2 * gy / k.h - 1) if k.detail else (2 * gx / (k.w - 1) - 1, 2 * gy / (k.h - 1) - 1)
    return F.grid_sample(x, torch.stack((gx, gy), 3), 'bilinear', 'zeros', True).float()


def crop(k, src):
    return src(k.h, k.w, k.c)[:, :, :-1, :-1]


def resample(k, src):
    return resized(src(k.h, k.w, k.c), k.to_h, k.to_w, 'LANCZOS' if k.detail else 'BILINEAR')


def resized(x, h, w, how):
    """A picture (1,c,h,w) at another size, each channel as Pillow resizes one of floats."""
    from PIL import Image
    planes = [Image.fromarray(p.float().numpy()).resize((w, h), getattr(Image, how)) for p in x[0]]
    return torch.from_numpy(np.stack([np.asarray(p) for p in planes])).to(x.dtype)[None]


def max_pool(k, src):
    return F.max_pool2d(src(k.h, k.w, k.c), 2)


def prelu(k, src):
    return F.prelu(src(k.h, k.w, k.c), torch.from_numpy(coarse(k.name + '.weight', 1) / 4))


def resize_corners(k, src):
    return F.interpolate(src(k.h, k.w, k.c), scale_factor=2, mode='bilinear', align_corners=True)


def sepconv(k, src):
    n, s = k.kernel, 2 if k.detail else 1
    x = F.pad(src(k.h, k.w, 3), [n // 2] * 4, 'replicate')
    if k.residual:
        x = torch.cat((x, torch.ones_like(x[:, :1])), 1)
    parts = []
    for name in 'vertical', 'horizontal':
        f = src(k.h // s, k.w // s, k.channels)
        f = F.interpolate(f, scale_factor=2, mode='bilinear', align_corners=True) if k.detail else f
        weight = coarse(name + '.weight', n, k.channels, 3, 3) * np.float32(2.0 ** -np.floor(np.log2(np.sqrt(k.channels * 9))))
        parts.append(F.conv2d(f.double(), torch.from_numpy(weight).double(), torch.from_numpy(coarse(name + '.bias', n) / 4).double(), 1, 1))
    return adaptive(x.double(), *parts).float()


def adaptive(x, v, h):
    """A padded picture under one separable kernel for each pixel."""
    n, (height, width) = v.shape[1], v.shape[2:]
    rows = 0
    for i in range(n):
        line = sum(h[:, j:j + 1] * x[:, :, i:i + height, j:j + width] for j in range(n))
        rows = rows + v[:, i:i + 1] * line
    return rows


def divide(k, src):
    x = src(k.h, k.w, k.c)
    n = x[:, -1:]
    return x[:, :-1] / torch.where(n.abs() < .01, torch.ones_like(n), n)


def bridge(k, src):
    x, n = src(k.h, k.w, k.c).split((k.c - 1, 1), 1)
    return gated.bridge(x / torch.where(n > gated.ENOUGH, n, torch.ones_like(n)), n)


def contextual_attention(k, src):
    x = src(k.h, k.w, k.c).double() / 8
    h, w, s = k.h // 2, k.w // 2, k.scale
    y, at = np.arange(h * s), np.arange(w * s)
    mask = torch.from_numpy(((y >= h * s // 3) & (y < h * s // 2))[:, None] & ((at >= w * s // 4) & (at < w * s // 2))).double()[None, None]
    places = F.unfold(x[:, :, ::2, ::2], 3, padding=1)[0]  # (9 c, n)
    like = places.T @ (places / places.norm(dim=0).clamp_min(1e-4))

    def diagonals(m):
        m = F.pad(m, (1, 1, 1, 1))
        return m[:-2, :-2] + m[1:-1, 1:-1] + m[2:, 2:]
    by_columns = torch.arange(h * w).view(h, w).T.reshape(-1)
    like = diagonals(diagonals(like)[by_columns][:, by_columns])
    back = by_columns.argsort()
    like = like[back][:, back]
    free = (F.unfold(mask[:, :, ::s, ::s], 3, padding=1)[0].sum(0) == 0).double()
    weights = (10 * like * free).softmax(1) * free
    return F.fold((weights @ F.unfold(x, 4, padding=1, stride=2)[0].T).T[None], (k.h, k.w), 4, padding=1, stride=2).float() / 4


def gate(k, src):
    x = src(k.h, k.w, k.c)
    n = k.c - k.radius
    return F.leaky_relu(x[:, :n], k.slope) * torch.sigmoid(x[:, n:]).repeat(1, n // k.radius, 1, 1)


def weighted_median(k, src):
    state, apart = (nchw(motion(k, f'src{i}', k.h, k.w, c)).double() for i, c in ((0, 5), (1, 2)))
    luma, chroma = (nchw(coarse(f'{k.name}/src{i}', k.h, k.w, c)).double() / 64 for i, c in ((2, 1), (3, 2)))
    return flownet.weighted_median(state, apart, luma, chroma).float()


def moments(k, src):
    x = src(k.h, k.w, k.c).double()
    return torch.stack((x.mean(), (x * x).mean())).view(1, 2, 1, 1)


def normalize(k, src):
    x = src(k.h, k.w, k.c)
    m0, m1 = (torch.from_numpy(moment(f'{k.name}/src{i}')) for i in (1, 2))
    m = (m0[0] + m1[0]) / 2
    return (x - m) / (((m0[1] + m1[1]) / 2 - m * m).sqrt() + 1e-7 if k.detail else 1)


def moment(name):
    """A mean and a mean of squares that fit each other."""
    a, b = coarse(name, 2)
    return np.array([a, a * a + abs(b)], np.float32)


def pixel_shuffle(k, src):
    return F.pixel_shuffle(src(k.h, k.w, k.c), k.scale)


def scale(k, src):
    return src(k.h, k.w, k.c) * gain(k)


def gain(k):
    return torch.from_numpy(coarse(k.name + '/gain', k.c)).view(1, -1, 1, 1) if k.gain else 1.0


class Case:
    def __init__(self, line):
        self.name, *fields = line.split()
        for f in fields:
            key, value = f.split('=')
            setattr(self, key, value if key == 'op' else float(value) if key in ('slope', 'flow', 'time') else int(value))

    def run(self):
        count = iter(range(4))
        return nhwc(globals()[self.op](self, lambda *shape: nchw(coarse(f'{self.name}/src{next(count)}', *shape))))


def ops(program):
    cases = [Case(line) for line in subprocess.run([program, '--list'], check=True, capture_output=True, text=True).stdout.splitlines()]
    save({k.name: k.run() for k in cases}, 'ops', 'ops.safetensors')


# ---- models ---------------------------------------------------------------------------------------

RUNS = [(64, 96, 0.5), (32, 128, 0.25), (64, 32, 0.9), (32, 32, 0.4)]  # padded height and width, t
LASTS = [(1, 1), (.5, 0), (0, 2), (0, 0)]  # how long the pairs before and after last


def weight(name, shape):
    fan_in = int(np.prod(shape[1:]))
    bound = np.float32(np.sqrt(3 / fan_in)) if len(shape) > 1 else np.float32(0.25)
    return torch.from_numpy(uniform(name, *shape) * bound + np.float32(name.endswith('running_var')))


def picture(name, h, w, i):
    """Frame i: luma is a smooth texture that moves by 3 to the left and 1 up, chroma blocks of 8 x 8 that do so, and noise. (What searches and
    Lucas-Kanade steps find in noise hangs on the last bit.)"""
    fine = uniform(f'{name}/{h}x{w}/x{i}', h // 2, w // 2, 6)
    y, x = (np.arange(h // 2) + i) // 8, (np.arange(w // 2) + 3 * i) // 8
    out = uniform(f'{name}/{h}x{w}', h // 2, w // 2, 6)[y][:, x] * np.float32(.375) + fine * np.float32(.125)
    y, x = np.mgrid[:h, :w].astype(np.float64) + np.array([i, 3 * i])[:, None, None]
    luma = texture(x, y).astype(np.float32)
    out[..., :4] = np.stack([luma[::2, ::2], luma[::2, 1::2], luma[1::2, ::2], luma[1::2, 1::2]], -1)
    return nchw(out)


def texture(x, y):
    """generate.c has the same."""
    return .5 + .15 * np.sin(x * .25 + y * .11) + .15 * np.sin(y * .21 - x * .13) + .1 * np.sin(x * .06) * np.cos(y * .07)


HOLES = {  # inputs and sizes of networks that fill holes
    fillnet.NAME: (fillnet.FillNet, [(64, 96), (40, 24), (32, 32), (8, 8)]),
    completenet.NAME: (completenet.CompleteNet, [(64, 64), (24, 38), (6, 10)]),
}


def with_hole(name, h, w):
    """Values in blocks of 8 x 8, grey in the hole of a picture, and the mask."""
    y, x = np.arange(h), np.arange(w)
    hole = ((y >= h // 4) & (y < h * 5 // 8))[:, None] & ((x >= w // 3) & (x < w * 3 // 4))
    if name != completenet.NAME:
        values = uniform(f'{name}/{h}x{w}', h, w, 3)[y // 8][:, x // 8] * np.float32(.375) + np.float32(.5)
        return nchw(np.concatenate((np.where(hole[..., None], np.float32(.5), values), hole[..., None]), 2).astype(np.float32))
    return nchw(np.concatenate((uniform(f'{name}/{h}x{w}', h, w, 2)[y // 8][:, x // 8] * 2, hole[..., None]), 2).astype(np.float32))


def generated(m):
    state = m.state_dict()
    m.load_state_dict({k: weight(k, tuple(v.shape)) for k, v in state.items()})
    return m.double()  # exact: PyTorch's own rounding of normalised coordinates is not what is tested


def listed(m):
    with open(os.path.join(HERE, 'models', 'golden', m.name + '.weights'), 'w') as f:
        f.writelines(' '.join([k, *map(str, v.shape)]) + '\n' for k, v in sorted(m.state_dict().items()))


def hole_model(name):
    """As model, for a network that fills holes."""
    kind, sizes = HOLES[name]
    m, out = generated(kind()), {}
    for h, w in sizes:
        y = m(with_hole(name, h, w).double())
        out[f'{h}x{w}'] = nhwc(y[1] if isinstance(y, tuple) else y)
    save(out, 'models', name + '.safetensors')
    listed(m)


def model(name):
    """Outputs of a network whose weights are made from their names, and the list of those names."""
    flow = name in flownet.CONFIGS
    m = generated(flownet.FlowNet(name).eval() if flow else basenet.network(name).eval())
    out = {}
    for (h, w, t), lasts in zip(RUNS, LASTS):
        x0, x1 = picture(name, h, w, 0).double(), picture(name, h, w, 1).double()
        if flow:
            out[f'{h}x{w}/t=0'] = nhwc(flownet.sharpen(m(x0, x1)[-1], x0, x1))
        else:
            out[f'{h}x{w}/t={t:g}'] = nhwc(m(x0, x1, torch.full((1, 1, 1, 1), t, dtype=torch.float64))[-1])
            course = [nchw(uniform(f'{h}x{w}/bend{k}', h // 16, w // 16, 2) + np.float32(fast)).double() for k, fast in enumerate((6, 2.25, 12))]
            out[f'{h}x{w}/bend'] = nhwc(net.curve(*course, torch.full((1, 1, 1, 1), t, dtype=torch.float32).double(), *lasts))
    save(out, 'models', name + '.safetensors')
    listed(m)


if __name__ == '__main__':
    torch.set_grad_enabled(False)
    if sys.argv[1:2] == ['ops'] and len(sys.argv) == 3:
        ops(sys.argv[2])
    elif sys.argv[1:2] == ['models']:
        for name in sys.argv[2:] or (*basenet.MODELS, *flownet.CONFIGS, *HOLES):
            (hole_model if name in HOLES else model)(name)
    else:
        sys.exit(__doc__)
