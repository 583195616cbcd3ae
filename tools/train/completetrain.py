#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Train vfi-complete-nano: flow with random holes, to be completed.

    python3 tools/train/completetrain.py --footage clips/ --out run/ --minutes 30
    python3 tools/train/completetrain.py --footage clips/ --out run/ --minutes 30 --resume run/last.ckpt

The flow is that of neighbouring frames of the footage by OpenCV's DIS where it finds its way back (worked out once, at half size, and
kept in the cache), and that of moving layers, which is exact (synth.py). The end-point error inside the holes of fixed samples of
clips that are held out is printed as it goes, beside that of the smooth fill. Checkpoints, averaging and schedule are train.py's.
"""
import argparse
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import completenet
import data
import filltrain
import gated
import masks
import net
import synth
import train

SIDE = completenet.SIDE
LEAST = 32  # pixels of a flow field's side that become a grid


def arguments(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    train.common(p, batch=16, **filltrain.DEFAULTS)
    p.add_argument('--exact', type=float, default=.3, metavar='PART', help='part of the samples from moving layers (default %(default)s)')
    p.add_argument('--every', type=int, default=15, metavar='N', help='a pair of frames from every N (default %(default)s)')
    args = p.parse_args(argv)
    args.model = completenet.NAME
    return args


def field(clip, a, dis):
    """Flow from frame a to the next (h/2,w/2,2) in pixels of that grid, and where it is believed, bytes."""
    y = [data._halve(np.ascontiguousarray(clip.crop(i, 0, 0, clip.w // 4 * 4, clip.h // 4 * 4)[0])) for i in (a, a + 1)]
    there, back = (torch.from_numpy(dis.calc(*p, None)).permute(2, 0, 1)[None] for p in (y, y[::-1]))
    wrong = (there + net.warp(back, there, torch.ones(1, 1, 1, 1))).norm(dim=1)
    good = wrong < .5 + .05 * there.norm(dim=1)
    return there[0].permute(1, 2, 0).half().numpy(), good[0].numpy().astype(np.uint8)


def fields(clips, cache, every):
    """All of them, for each clip one after the other: [(flow, believed)]."""
    out, dis = [], None
    for n, clip in enumerate(clips):
        path = os.path.join(cache, f'{clip.name}.flow{every}.npz')
        if not os.path.exists(path):
            import cv2
            cv2.setNumThreads(1)
            dis = dis or cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
            found = [field(clip, a, dis) for a in range(0, clip.n - 1, every) if clip.usable(a, a + 1)]
            flow, good = zip(*found) if found else ((), ())
            np.savez(path + '.part.npz', flow=np.array(flow), good=np.array(good))
            os.replace(path + '.part.npz', path)
            print(f'\rflow of {n + 1}/{len(clips)} clips', end='', flush=True)
        with np.load(path) as f:
            out += list(zip(f['flow'], f['good']))
    return [(f, g) for f, g in out if g.mean() > .5 and min(g.shape) >= LEAST]


def cut(flow, good, y, x, s):
    """A square of a field as a grid: flow (2,SIDE,SIDE), believed (1,SIDE,SIDE)."""
    z = np.concatenate((flow[y:y + s, x:x + s].astype(np.float32), good[y:y + s, x:x + s, None].astype(np.float32)), 2)
    z = torch.from_numpy(z).permute(2, 0, 1)[None]
    z = F.interpolate(z, size=(SIDE, SIDE), mode='area') if s >= SIDE else F.interpolate(z, size=(SIDE, SIDE), mode='bilinear')
    return z[0, :2], (z[0, 2:] > .99).float()


def turned(flow, k, flip):
    """A field turned by k quarters and mirrored, its vectors too."""
    flow = torch.rot90(flow, k, (-2, -1))
    for _ in range(k):
        flow = torch.stack((flow[1], -flow[0]))
    if flip:
        flow = flow.flip(-1) * flow.new_tensor((-1, 1)).view(2, 1, 1)
    return flow


def layered(gen):
    """The flow of up to three layers in front of each other: (2,SIDE,SIDE)."""
    base = flow = synth._layer_flow(gen, 1, SIDE, None, .5)
    for _ in range(int(torch.randint(0, 3, (1,), generator=gen))):
        own = synth._layer_flow(gen, 1, SIDE, base, .3)
        flow = torch.where(synth._shapes(gen, 1, SIDE) > .5, own, flow)
    return flow[0]


class Sampler:
    """Batches of flow (n,2,SIDE,SIDE), where it is believed and holes (n,1,SIDE,SIDE), all floats."""

    def __init__(self, bank, batch, exact):
        self.bank, self.n, self.exact = bank, batch, exact
        self.gen = torch.Generator()

    def one(self, rng):
        mask = torch.from_numpy(masks.hole(rng, SIDE).astype(np.float32))[None]
        if not self.bank or rng.random() < self.exact:
            return layered(self.gen), torch.ones(1, SIDE, SIDE), mask
        flow, good = self.bank[rng.integers(len(self.bank))]
        h, w = good.shape
        s = int(np.exp(rng.uniform(np.log(LEAST), np.log(min(h, w)))))
        k, flip = int(rng.integers(4)), rng.random() < .5
        f, g = cut(flow, good, rng.integers(h - s + 1), rng.integers(w - s + 1), s)
        f, g = turned(f, k, flip), torch.rot90(g, k, (-2, -1))
        g = g.flip(-1) if flip else g
        f = f * float(np.exp(rng.uniform(-.7, 1.1)) * rng.choice((-1, 1)))  # the way back in time, too
        if rng.random() < .4:  # the camera turns and zooms as well
            p = synth._pixels(1, SIDE, 'cpu')[0]
            f = f + torch.einsum('ij,jyx->iyx', torch.from_numpy(rng.normal(0, .02, (2, 2)).astype(np.float32)), p)
        return f, g, mask

    def batch(self, rng):
        self.gen.manual_seed(int(rng.integers(2 ** 31)))
        out = []
        while len(out) < self.n:
            f, g, m = self.one(rng)
            if (g * m).sum() > .5 * m.sum():
                out.append((f, g, m))
        return [torch.stack(x) for x in zip(*out)]


def held_out(bank, n=96):
    """Fixed samples: (flow, believed, hole)."""
    rng, out = np.random.default_rng(5), []
    for i in range(4 * n if bank else 0):
        flow, good = bank[i * 7919 % len(bank)]
        h, w = good.shape
        s = int(np.exp(rng.uniform(np.log(LEAST), np.log(min(h, w)))))
        f, g = cut(flow, good, rng.integers(h - s + 1), rng.integers(w - s + 1), s)
        m = torch.from_numpy(masks.hole(rng, SIDE).astype(np.float32))[None]
        if (g * m).sum() > .5 * m.sum():
            out.append((f, g, m))
    return out[:n]


class Run(filltrain.Run):
    def network(self):
        return completenet.CompleteNet().to(self.device).to(memory_format=self.layout())

    @staticmethod
    def problem(flow, mask):
        """What the network sees and what it is to add, in its units, and these."""
        filled = gated.harmonic(flow, mask)
        x, mean, unit = completenet.normalised(filled, mask)
        return torch.cat((x, mask), 1), (flow - filled) / unit, unit

    def learn(self, tensors, progress):
        """Returns (loss, error over that of the smooth fill) as tensors."""
        flow, good, mask = tensors
        x, add, _ = self.problem(flow, mask)
        with self.precision():
            out = self.trained(x.contiguous(memory_format=self.layout()))
        wrong = torch.sqrt(((out - add) ** 2).sum(1, keepdim=True) + 1e-4)
        e = (out - add) * mask
        slopes = filltrain.inside((e[..., 1:] - e[..., :-1]).abs(), (mask * good)[..., 1:]) + \
            filltrain.inside((e[..., 1:, :] - e[..., :-1, :]).abs(), (mask * good)[..., 1:, :])
        loss = filltrain.inside(wrong, mask * good) + .5 * slopes
        self.follow(loss)
        before = (add.norm(dim=1, keepdim=True) * mask * good).sum()
        return loss.detach(), (wrong.detach() * mask * good).sum() / before.clamp(min=1e-6)

    @staticmethod
    def note(ratio):
        return f'error {ratio:.3f} of the smooth fill\'s'

    @torch.no_grad()
    def scores(self, model, samples, cases):
        """End-point errors in the holes in pixels, in the network's units, and of the smooth fill."""
        rows = []
        for flow, good, mask in samples:
            flow, good, mask = (t[None].to(self.device) for t in (flow, good, mask))
            x, add, unit = self.problem(flow, mask)
            area = (mask * good).sum()
            errors = [float((e.norm(dim=1, keepdim=True) * mask * good).sum() / area) for e in (model(x) - add, add)]
            rows.append([e * u for u in (float(unit), 1) for e in errors])
        names = ('epe', 'smooth epe', 'units', 'smooth units')
        return dict(zip(names, (float(v) for v in np.mean(rows, 0)))) if rows else {}


def main(argv=None):
    args = arguments(argv)
    run = Run(args)
    learn, val = train.clips_of(args, run)
    bank = train.first_for_all(run, lambda: fields(learn, args.cache, args.every))
    samples = held_out(fields(val or learn, args.cache, args.every)) if not run.rank else ()
    if not run.rank:
        os.makedirs(args.out, exist_ok=True)
        print(f'\n{args.model} on {run.device}: {len(bank)} flow fields to train on, {len(samples)} held-out samples; from step {run.step}', flush=True)
    seed = args.seed + 1000 * run.rank + 7919 * run.step
    run.loop(data.loader(Sampler(bank, args.batch, args.exact), seed, args.workers, run.device.type == 'cuda'), samples)
    if run.world > 1:
        torch.distributed.destroy_process_group()


if __name__ == '__main__':
    main()
