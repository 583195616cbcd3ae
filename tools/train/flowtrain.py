#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Train vfi-flow-nano or vfi-flow-base.

    python3 tools/train/flowtrain.py --footage clips/ --out run/ --minutes 120 --init models/weights/vfi-nano.safetensors
    python3 tools/train/flowtrain.py --footage clips/ --out run/ --minutes 120 --resume run/last.ckpt
    torchrun --nproc-per-node 4 tools/train/flowtrain.py --model vfi-flow-base --compile --batch 16 --crop 320 --steps 300000 ...

Pictures of the footage become moving layers whose flow is known exactly, drawn on the device that trains; from --real-from of the run on,
--real pairs of neighbouring frames a step are learned from as they are (flowloss.py: unsupervised). --init takes what fits of any
weights: the encoder of an interpolation network is a good start. Checkpoints, averaging and schedule are train.py's.
"""
import argparse
import os
import sys

import numpy as np
import torch
import torch.distributed as dist

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import data
import flowevaluate
import flowloss
import flownet
import net
import synth
import train

LAYERS = 4


def arguments(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--model', default='vfi-flow-nano', choices=sorted(flownet.CONFIGS))
    train.common(p, lr=8e-4)
    train.square(p, net.MULTIPLE)
    p.add_argument('--things', type=float, default=0., metavar='PART', help='part of the moving layers that is thin things on a background (default %(default)s)')
    p.add_argument('--real', type=int, default=2, help='pairs of footage per step and process (default %(default)s)')
    p.add_argument('--real-from', type=float, default=.6, metavar='PART', help='part of the run before them (default %(default)s)')
    p.add_argument('--val', metavar='DIR', help='pairs with exact flow to score while training (see flowevaluate.py)')
    return p.parse_args(argv)


class Sampler(data.Sampler):
    """Batches of stills y (n,LAYERS,c,c), uv (n,LAYERS,2,c/2,c/2) for moving layers, and of real pairs y (m,2,c,c), uv (m,2,2,c/2,c/2)."""

    def __init__(self, clips, crop, batch, real):
        super().__init__(clips, crop, batch)
        self.m = real

    def turned(self, rng, y, uv):
        k = int(rng.integers(4))
        y, uv = np.rot90(y, k, (-2, -1)), np.rot90(uv, k, (-2, -1))
        return (y[..., ::-1], uv[..., ::-1]) if rng.random() < .5 else (y, uv)

    def batch(self, rng):
        stills = [self.turned(rng, *self.still(rng)) for _ in range(self.n * LAYERS)]
        pairs = []
        for _ in range(self.m):
            y, uv = self.real(rng, (1, 2))
            pairs.append(self.turned(rng, y[:2], uv[:2]))
        out = []
        for items, n in ((stills, self.n), (pairs, self.m)):
            out += [torch.from_numpy(np.stack(p)).unflatten(0, (n, -1)) for p in zip(*items)] or [torch.empty(0, 1)] * 2
        y, uv, real_y, real_uv = out
        return y, uv, real_y.squeeze(1), real_uv.squeeze(1)


class Run(train.Run):
    def __init__(self, args):
        super().__init__(args)
        self.generator = torch.Generator(self.device).manual_seed(args.seed + 1000 * self.rank + 7919 * self.step)

    def network(self):
        return flownet.FlowNet(self.args.model).to(self.device).to(memory_format=torch.channels_last)

    def start_from(self, weights):
        own = self.model.state_dict()
        fits = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
        self.model.load_state_dict(fits, strict=False)
        self.fresh = sorted({k.split('.')[0] for k in own if k not in fits})
        print(f'{len(fits)} of {len(own)} weights taken over', flush=True)

    def draw(self, batch):
        """Network inputs, flow and visibility of a batch's moving layers, and its real pairs, if any: y, uv."""
        with torch.no_grad():
            y, uv = (b.to(self.device, non_blocking=True).float() for b in batch[:2])
            m = round(self.args.things * y.shape[0])
            drawn = [draw(self.generator, y[part], uv[part]) for draw, part in ((synth.thing_pairs, slice(m)), (synth.flow_pairs, slice(m, None))) if y[part].shape[0]]
            y, uv, flow, seen = map(torch.cat, zip(*drawn))
            noise = torch.rand(y.shape[0], 1, 1, 1, device=y.device) ** 2 * 4
            y = y + torch.randn_like(y) * noise
            y, uv = data.jitter(*data.to_float(y, uv))
            y = y * (1 + .06 * torch.randn(y.shape[0], 2, 1, 1, device=y.device))  # brightness changes a little
        return *self.inputs(y, uv), flow, seen, *(b.to(self.device, non_blocking=True) for b in batch[2:] if b.numel())

    @staticmethod
    def inputs(y, uv):
        return [net.pack(y[:, i:i + 1], uv[:, i]).contiguous(memory_format=torch.channels_last) for i in (0, 1)]

    def learn(self, tensors, progress):
        """Returns (loss, end-point error) as tensors."""
        x0, x1, flow, seen, *pairs = tensors
        real = pairs and progress >= self.args.real_from
        with self.precision():
            costs, own, real_own = [], [], []
            final = self.trained(x0, x1, costs, own)[-1]
            if real:
                y, uv = data.jitter(*data.to_float(*pairs))
                self.trained(*self.inputs(y, uv), None, real_own, True)
        loss = flowloss.supervised(own, costs, flow, seen)
        if real:
            loss = loss + flowloss.unsupervised(real_own, y)
        self.follow(loss)
        return loss.detach(), flowloss.end_point_error(final, flow)

    @staticmethod
    def note(epe):
        return f'end-point error {epe:.2f}'

    def scores(self, model, samples, cases):
        return {name: float(np.mean([r['epe'] for r in rows])) for name, rows in flowevaluate.evaluate(model, cases, self.device).items()}

    def prepare(self, batch):
        """Calibrate what starts from nothing; the same in every process."""
        if self.step == 0:
            x0, x1 = self.draw(batch)[:2]
            for part in self.fresh if self.args.init else ['']:
                train.calibrate(self.model, x0, x1, only=part)
            if self.world > 1:
                for p in self.model.parameters():
                    dist.broadcast(p.data, 0)
            self.average = train.Average(self.model, self.args.ema)


def main(argv=None):
    args = arguments(argv)
    run = Run(args)
    sampler = Sampler(train.clips_of(args, run)[0], args.crop, args.batch, args.real)
    cases = flowevaluate.cases(args.val) if args.val and not run.rank else []
    if not run.rank:
        os.makedirs(args.out, exist_ok=True)
        print(f'{args.model} on {run.device}: {len(sampler.clips)} clips, {len(cases)} pairs to score; from step {run.step}', flush=True)
    seed = args.seed + 1000 * run.rank + 7919 * run.step
    run.loop(data.loader(sampler, seed, args.workers, run.device.type == 'cuda'), (), cases)
    if run.world > 1:
        dist.destroy_process_group()


if __name__ == '__main__':
    main()
