#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Train vfi-fill-nano: pictures of the footage with random holes, to be filled.

    python3 tools/train/filltrain.py --footage clips/ --out run/ --minutes 120
    python3 tools/train/filltrain.py --footage clips/ --out run/ --minutes 120 --resume run/last.ckpt
    torchrun --nproc-per-node 4 tools/train/filltrain.py --compile --batch 32 --small 0 --workers 8 --steps 300000 ...

PSNR inside the holes of fixed crops of clips that are held out is printed as it goes, beside OpenCV's where it is there; with --pictures also
a sheet of them is written. Checkpoints, averaging and schedule are train.py's.
"""
import argparse
import math
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import data
import fillnet
import gated
import masks
import train


DEFAULTS = dict(lr=2e-3, warmup=100, ema=.998, amp='auto')  # of all networks that fill holes


def arguments(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    train.common(p, batch=4, **DEFAULTS)
    train.square(p, 2 * fillnet.MULTIPLE)
    p.add_argument('--small', type=float, default=.6, metavar='PART',
                   help='part of the steps with four times as many crops of half the side (default %(default)s)')
    p.add_argument('--pictures', action='store_true', help='write a sheet of the held-out crops at each validation')
    args = p.parse_args(argv)
    args.model = fillnet.NAME
    return args


class Sampler:
    """Batches of one picture and one hole each: y (n,1,c,c), uv (n,2,c/2,c/2), mask (n,1,c,c), bytes."""

    def __init__(self, clips, crop, batch, small):
        self.crop, self.n, self.small = crop, batch, small
        self.clips = [c for c in clips if c.n and min(c.w, c.h) >= crop]
        if not self.clips:
            raise ValueError(f'no clip has frames of {crop}x{crop} or more')

    def picture(self, rng, c):
        clip = self.clips[rng.integers(len(self.clips))]
        s = 2 if min(clip.w, clip.h) >= 2 * c and rng.random() < .6 else 1
        x, y = (int(rng.integers((m - s * c) // 2 + 1)) * 2 for m in (clip.w, clip.h))
        luma, chroma = clip.crop(int(rng.integers(clip.n)), x, y, s * c, s * c)
        if s == 2:
            luma, chroma = data._halve(luma), data._halve(chroma)
        k = int(rng.integers(4)) * (rng.random() < .3)  # up is up, mostly
        luma, chroma = np.rot90(luma, k), np.rot90(chroma, k, (1, 2))
        return (luma[:, ::-1], chroma[..., ::-1]) if rng.random() < .5 else (luma, chroma)

    def batch(self, rng):
        c, n = (self.crop // 2, 4 * self.n) if rng.random() < self.small else (self.crop, self.n)
        y, uv = (np.stack(p) for p in zip(*(self.picture(rng, c) for _ in range(n))))
        mask = np.stack([masks.hole(rng, c) for _ in range(n)])
        return torch.from_numpy(y)[:, None], torch.from_numpy(uv), torch.from_numpy(mask)[:, None]


def to_rgb(y, uv):
    """Limited-range BT.709 bytes to r, g, b in [0,1] (n,3,h,w)."""
    y, uv = data.to_float(y, uv)
    u, v = F.interpolate(uv, scale_factor=2, mode='bilinear', align_corners=False).split(1, 1)
    return torch.cat((y + 1.5748 * v, y - .1873 * u - .4681 * v, y + 1.8556 * u), 1).clamp(0, 1)


def with_hole(rgb, mask):
    """What the network sees, and before it the smooth fill."""
    return torch.cat((gated.harmonic(rgb, mask), mask), 1)


def distance(a, b):
    """Charbonnier's."""
    return torch.sqrt((a - b) ** 2 + 1e-5)


def inside(d, mask):
    """Mean of d (n,c,h,w) over the pixels of the mask, each hole with a share between that of its size and an equal one."""
    share = (mask.mean((1, 2, 3), keepdim=True) + 1e-6) ** -.5
    return (d * mask * share).sum() / (d.shape[1] * (mask * share).sum())


def losses(coarse, out, rgb, mask):
    """Distances in the hole, coarse and refined; of the Laplacian pyramid and of the slopes where a hole has a part in them."""
    quarter = F.avg_pool2d(mask, 4)
    loss = inside(distance(out, rgb), mask) + .5 * inside(distance(coarse, F.avg_pool2d(rgb, 4)), quarter)
    e = (out - rgb) * mask  # the rest stays as it is
    loss = loss + .5 * sum(inside(distance(d, 0) - 1e-5 ** .5, m) for d, m in
                           ((e[..., 1:] - e[..., :-1], mask[..., 1:]), (e[..., 1:, :] - e[..., :-1, :], mask[..., 1:, :])))
    for k in range(4):
        half, m = F.avg_pool2d(e, 2), F.avg_pool2d(mask, 2)
        band = e - F.interpolate(half, scale_factor=2, mode='bilinear', align_corners=False)
        loss = loss + .3 * inside(distance(band, 0), mask)
        e, mask = half, m
    return loss + .3 * inside(distance(e, 0), mask)


def held_out(clips, crop, n=36):
    """Fixed crops of held-out clips, each with a hole of a quarter to half its side in the middle: (y, uv, mask)."""
    out, rng = [], np.random.default_rng(7)
    clips = [c for c in clips if c.n and min(c.w, c.h) >= crop]
    for i in range(n if clips else 0):
        clip, size = clips[i % len(clips)], crop * (64 + 64 * (i // len(clips)) * len(clips) // n) // 256
        x, y = ((m - crop) // 4 * 2 for m in (clip.w, clip.h))
        if i // len(clips) % 2:
            x, y = (int(rng.integers((m - crop) // 2 + 1)) * 2 for m in (clip.w, clip.h))
        planes = clip.crop((i * 7919) % clip.n, x, y, crop, crop)
        mask, a = np.zeros((crop, crop), np.uint8), (crop - size) // 2
        shape = masks.hole(rng, size, .5, .95) if i % 3 else np.ones((size, size), np.uint8)
        mask[a:a + size, a:a + size] = shape
        out.append([torch.from_numpy(np.ascontiguousarray(p))[None] for p in (planes[0][None], planes[1], mask[None])])
    return out


def psnr(a, b, mask):
    return float(-10 * torch.log10(((a.clamp(0, 1) - b) ** 2 * mask).sum() / (3 * mask.sum()) + 1e-10))


def to_bytes(x):
    return (x[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy() * 255 + .5).astype(np.uint8)


def classical(rgb, mask):
    """What needs no training: {name: filled}."""
    out = {'smooth': gated.harmonic(rgb, mask)}
    try:
        import cv2
    except ImportError:
        return out
    for name, how in (('Telea', cv2.INPAINT_TELEA), ('Navier-Stokes', cv2.INPAINT_NS)):
        filled = cv2.inpaint(to_bytes(rgb)[..., ::-1].copy(), mask[0, 0].cpu().numpy().astype(np.uint8), 5, how)[..., ::-1]
        out[name] = torch.from_numpy(filled / np.float32(255)).permute(2, 0, 1)[None].to(rgb.device)
    return out


class Run(train.Run):
    floor = .01  # of the learning rate, at the end

    def __init__(self, args):
        super().__init__(args)
        self.told = False

    def network(self):
        return fillnet.FillNet().to(self.device).to(memory_format=self.layout())

    def layout(self):
        """Fastest on a GPU is not fastest on a CPU."""
        return torch.channels_last if self.device.type == 'cuda' else torch.contiguous_format

    def start_from(self, weights):
        self.model.load_state_dict(weights)

    def prepare(self, batch):
        """It starts from what a smooth fill gives (heads of zero); nothing to calibrate."""

    def draw(self, batch):
        return [b.to(self.device, non_blocking=True) for b in batch]

    def learn(self, tensors, progress):
        """Returns (loss, MSE in the hole) as tensors."""
        y, uv, mask = tensors
        mask = mask.float()
        rgb = to_rgb(y, uv)
        rgb = (rgb * (.75 + .45 * torch.rand(len(rgb), 1, 1, 1, device=rgb.device))).clamp(0, 1)
        x = with_hole(rgb, mask)
        with self.precision():
            coarse, out = self.trained(x.contiguous(memory_format=self.layout()))
        loss = losses(coarse, out, rgb, mask)
        self.follow(loss)
        return loss.detach(), ((out.detach() - rgb) ** 2 * mask).sum() / (3 * mask.sum())

    @staticmethod
    def note(mse):
        return f'in the hole {-10 * math.log10(mse):.2f} dB'

    @torch.no_grad()
    def scores(self, model, samples, cases):
        """Mean PSNR in the holes; {'hole': ...} and, the first time, what others make of them."""
        each, rows = {}, []
        for y, uv, mask in samples:
            mask = mask.to(self.device).float()
            rgb = to_rgb(y.to(self.device), uv.to(self.device))
            out = torch.lerp(rgb, model(with_hole(rgb, mask))[1], mask)
            others = {} if self.told and not self.args.pictures else classical(rgb, mask)
            for name, filled in {'hole': out, **others}.items():
                each.setdefault(name, []).append(psnr(filled, rgb, mask))
            if self.args.pictures:
                rows.append(np.concatenate([to_bytes(x) for x in (rgb * (1 - mask), others.get('Telea', others['smooth']), out, rgb)], 1))
        if rows:
            rows = rows[:24]
            n = (len(rows) + 1) // 2 * 2
            rows += [np.zeros_like(rows[0])] * (n - len(rows))
            columns = [np.concatenate(rows[i::2], 0) for i in (0, 1)]
            Image.fromarray(np.concatenate(columns, 1)).save(os.path.join(self.args.out, 'held-out.png'))
        means = {k: float(np.mean(v)) for k, v in each.items()}
        if not self.told and means:
            print('\nheld out: ' + '  '.join(f'{k} {v:.2f} dB' for k, v in means.items() if k != 'hole'), flush=True)
            self.told = True
        return {'hole': means['hole']} if means else {}


def main(argv=None):
    args = arguments(argv)
    run = Run(args)
    learn, val = train.clips_of(args, run)
    sampler = Sampler(learn, args.crop, args.batch, args.small)
    samples = held_out(val or learn, args.crop) if not run.rank else ()
    if not run.rank:
        os.makedirs(args.out, exist_ok=True)
        print(f'{args.model} on {run.device}: {len(sampler.clips)} clips to train on, {len(val)} held out '
              f'({len(samples)} holes); from step {run.step}', flush=True)
    seed = args.seed + 1000 * run.rank + 7919 * run.step
    run.loop(data.loader(sampler, seed, args.workers, run.device.type == 'cuda'), samples)
    if run.world > 1:
        dist.destroy_process_group()


if __name__ == '__main__':
    main()
