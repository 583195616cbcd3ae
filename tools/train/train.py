#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Train vfi-nano on a folder of video clips.

    python3 tools/train/train.py --footage clips/ --out run/ --minutes 120
    python3 tools/train/train.py --footage clips/ --out run/ --minutes 120 --resume run/last.ckpt
    torchrun --nproc-per-node 4 tools/train/train.py --footage clips/ --out run/ --steps 300000

OUT receives last.ckpt (all that --resume needs), MODEL.safetensors (the averaged weights, which are
what the program loads) and log.csv. The learning rate follows a cosine over --minutes of wall-clock
time or over --steps.
"""
import argparse
import contextlib
import copy
import csv
import math
import os
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import data
import evaluate
import losses
import net
import resident


def common(p, **defaults):
    """Options that every network is trained with, of these defaults."""
    p.add_argument('--footage', required=True, metavar='DIR', help='folder of clips to learn from')
    p.add_argument('--exclude', default='', metavar='A,B', help='leave out clips whose names contain one of these')
    p.add_argument('--cache', default=os.path.expanduser('~/.cache/gst-vfi-train'), metavar='DIR',
                   help='where decoded clips are kept (about 0.7 MB a frame; default %(default)s)')
    p.add_argument('--out', required=True, metavar='DIR', help='folder of checkpoint, weights and log')
    length = p.add_mutually_exclusive_group(required=True)
    length.add_argument('--minutes', type=float, help='length of the run in wall-clock time, all resumed parts together')
    length.add_argument('--steps', type=int, help='length of the run in optimiser steps')
    p.add_argument('--batch', type=int, default=8, help='samples per step and process (default %(default)s)')
    p.add_argument('--lr', type=float, default=1e-3, help='peak learning rate (default %(default)s)')
    p.add_argument('--warmup', type=int, default=300, help='steps of linear warm-up (default %(default)s)')
    p.add_argument('--decay', type=float, default=1e-4, help='weight decay (default %(default)s)')
    p.add_argument('--ema', type=float, default=.999, help='decay of the averaged weights (default %(default)s)')
    p.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    p.add_argument('--amp', default='bf16', choices=('auto', 'off', 'bf16'),
                   help='precision of the convolutions; auto: bf16 on a GPU (default %(default)s)')
    p.add_argument('--compile', action='store_true', help='use torch.compile')
    p.add_argument('--eager', action='store_true',
                   help='on a GPU, start each kernel from Python, as several processes do: without it a step is captured once and replayed')
    p.add_argument('--resume', metavar='CKPT', help='continue a run from its last.ckpt')
    p.add_argument('--init', metavar='FILE', help='start a new run from these .safetensors weights')
    p.add_argument('--val-every', type=float, default=5, metavar='MIN', help='minutes between validations (default %(default)s)')
    p.add_argument('--workers', type=int, default=1, help='loader processes (default %(default)s; 0 loads in line)')
    p.add_argument('--seed', type=int, default=1)
    p.set_defaults(**defaults)


def square(p, multiple):
    """The option --crop."""
    def side(text):
        if int(text) % multiple:
            raise argparse.ArgumentTypeError(f'must be a multiple of {multiple}')
        return int(text)
    p.add_argument('--crop', type=side, default=256, metavar='N', help=f'side of the square samples, a multiple of {multiple} (default %(default)s)')


def arguments(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--model', default='vfi-nano', choices=sorted(net.CONFIGS))
    common(p)
    square(p, net.MULTIPLE)
    p.add_argument('--val', metavar='DIR', help='triplet folders to score while training (see evaluate.py)')
    p.add_argument('--val-limit', type=int, default=0, metavar='N', help='score only N triplets of --val, evenly spread')
    p.add_argument('--loss', default='frames', choices=('frames', 'cc', 'cc+ps'),
                   help='frames: the real frame in between is the aim. cc: only that successive frames come back from frames made '
                        'between them (cycle consistency), for footage at its only rate; cc+ps: and that what is made stays near '
                        'what the weights given as --init make (default %(default)s)')
    p.add_argument('--teacher', default='none', choices=('none', 'dis'),
                   help='early in the run also learn motion from OpenCV\'s optical flow to the true frame (needs cv2)')
    p.add_argument('--resident', action='store_true',
                   help='keep all frames in the memory of the GPU (0.8 MB each at 960x540) and draw the samples there: see resident.py')
    args = p.parse_args(argv)
    if args.resident and (args.loss != 'frames' or args.teacher != 'none'):
        p.error('--resident goes with --loss frames and without a teacher')
    if args.loss == 'cc+ps' and not args.init:
        p.error('--loss cc+ps needs the weights to stay near to, as --init')
    return args


class Average:
    """Exponential moving average of the weights, short in memory while the run is young."""

    def __init__(self, model, decay):
        self.decay, self.n = decay, 0
        self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model):
        self.n += 1
        d = min(self.decay, (1 + self.n) / (10 + self.n))
        own = model.state_dict()
        weights = list(self.weights.values())
        torch._foreach_mul_(weights, d)
        torch._foreach_add_(weights, [own[k] for k in self.weights], alpha=1 - d)


class Captured:
    """A function of (tensors on the GPU, the run's progress) that returns tensors, as CUDA graphs: a step has thousands of small kernels,
    which Python starts more slowly than the GPU runs them. What is a number of Python, and which way was taken by it, stays as it was when the graph
    was made, so one is made for every other set of shapes, and again in every twentieth of the run."""

    WARM = 3  # calls before that: what is chosen or allocated on the way of the first ones must not be captured

    def __init__(self, call):
        self.call, self.calls, self.graphs, self.part = call, {}, {}, None  # calls, graphs: of this part, by shapes
        self.side = torch.cuda.Stream()

    def __call__(self, tensors, progress):
        shapes, part = tuple(x.shape for x in tensors), int(progress * 20)
        if part != self.part:
            self.calls, self.graphs, self.part = {}, {}, part
        self.calls[shapes] = self.calls.get(shapes, 0) + 1
        if self.calls[shapes] <= self.WARM:
            self.side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.side):
                out = self.call(tensors, progress)
            torch.cuda.current_stream().wait_stream(self.side)
            return out
        if shapes not in self.graphs:
            graph, inputs = torch.cuda.CUDAGraph(), [x.clone() for x in tensors]
            with torch.cuda.graph(graph, capture_error_mode='thread_local'):  # a loader's thread pins memory meanwhile
                out = self.call(inputs, progress)
            self.graphs[shapes] = graph, inputs, out
        graph, inputs, out = self.graphs[shapes]
        torch._foreach_copy_(inputs, list(tensors))
        graph.replay()
        return [x.clone() for x in out]


@torch.no_grad()
def calibrate(model, *inputs, only=''):
    """Scale the fresh convolutions (those whose names begin with `only`) so that on real frames every channel comes out with mean 0 and deviation 1.
    Without this the features shrink from layer to layer, the cost volume (their product) to nothing, and the coarse
    levels take very long to see any motion. Heads stay as they are, zero."""
    for name, m in model.named_modules():
        if isinstance(m, net.Decoder) and name.startswith(only):
            m.reduce.weight[:, :m.cost] *= 4  # a mean of many products varies less than the features beside it

    def hook(conv, _, out):
        mean, std = out.mean((0, 2, 3)), out.std((0, 2, 3)) + 1e-4
        conv.weight /= std.view(-1, 1, 1, 1)
        conv.bias.copy_((conv.bias - mean) / std)
        conv.hook.remove()
        return (out - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)

    for name, m in model.named_modules():
        if isinstance(m, torch.nn.Conv2d) and name.startswith(only) and not name.endswith('head'):
            m.hook = m.register_forward_hook(hook)
    model(*inputs)


def atomically(path, write):
    write(path + '.part')
    os.replace(path + '.part', path)


def fixed_samples(clips, crop, n=48):
    """Held-out samples that are the same in every run: centred crops, three spans."""
    out = []
    for i in range(n if clips else 0):
        clip = clips[i % len(clips)]
        step = (1, 2, 1, 3)[i // len(clips) % 4]
        a = (i * 7919) % max(clip.n - 2 * step, 1)
        if a + 2 * step >= clip.n or min(clip.w, clip.h) < crop or not clip.usable(a, a + 2 * step):
            continue
        x, y = (clip.w - crop) // 4 * 2, (clip.h - crop) // 4 * 2
        planes = [clip.crop(a + k * step, x, y, crop, crop) for k in range(3)]
        out.append([torch.from_numpy(np.stack(p)) for p in zip(*planes)])
    return out


@torch.no_grad()
def validate(model, samples, cases, device):
    """{set: mean PSNR}; 'footage' is luma of fixed samples of the footage: of clips held out, if there are any."""
    scores = {}
    if samples:
        each = []
        for y, uv in samples:
            y, uv = data.to_float(y[None].to(device), uv[None].to(device))
            t = torch.full((1, 1, 1, 1), .5, device=device)
            x0, x1 = net.pack(y[:, 0:1], uv[:, 0]), net.pack(y[:, 2:3], uv[:, 2])
            out = net.synthesize(y[:, 0:1], y[:, 2:3], model(x0, x1, t)[-1], t)
            each.append(evaluate.psnr(out, y[:, 1:2]))
        scores['footage'] = float(np.mean(each))
    for group, s in evaluate.evaluate(model, cases, device).items():
        scores[group] = float(np.mean([v for _, v in s]))
    return scores


class Run:
    """One training run: everything a checkpoint holds, and the loop."""

    floor = .005  # of the learning rate, at the end

    def __init__(self, args):
        self.args = args
        self.rank, self.world = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
        local = int(os.environ.get('LOCAL_RANK', 0))
        cuda = args.device == 'cuda' or args.device == 'auto' and torch.cuda.is_available()
        self.device = torch.device('cuda', local) if cuda else torch.device('cpu')
        bf16 = args.amp == 'bf16' or args.amp == 'auto' and cuda
        self.precision = (lambda: torch.autocast(self.device.type, torch.bfloat16)) if bf16 else contextlib.nullcontext
        if self.world > 1:
            dist.init_process_group('nccl' if cuda else 'gloo')
        torch.manual_seed(args.seed + self.rank)
        self.model, self.anchor = self.network(), None
        if args.init:
            self.start_from(load_file(args.init))
        self.average = Average(self.model, args.ema)
        self.captured = cuda and self.world == 1 and not args.eager
        if self.captured:
            torch.backends.cudnn.benchmark = True
        self.way = dict(lr=torch.tensor(args.lr, device=self.device) if self.captured else args.lr, capturable=self.captured, foreach=True)
        self.optim = torch.optim.AdamW(self.model.parameters(), weight_decay=args.decay, **self.way)
        self.step, self.elapsed, self.started, self.teacher = 0, 0., time.time(), None
        if args.resume:
            self.restore(torch.load(args.resume, map_location=self.device))
        self.trained = torch.nn.parallel.DistributedDataParallel(self.model) if self.world > 1 else self.model
        if args.compile:
            self.trained = torch.compile(self.trained)
        self.learner = Captured(self.learn) if self.captured else self.learn

    def network(self):
        return net.Net(self.args.model).to(self.device).to(memory_format=torch.channels_last)

    def start_from(self, weights):
        self.model.load_state_dict(weights)
        if self.args.loss == 'cc+ps':
            self.anchor = copy.deepcopy(self.model).eval().requires_grad_(False)

    def restore(self, ckpt):
        if ckpt['name'] != self.args.model:
            sys.exit(f'{self.args.resume} is a checkpoint of {ckpt["name"]}')
        self.model.load_state_dict(ckpt['model'])
        self.average.weights, self.average.n = ckpt['ema'], ckpt['step']
        for g in ckpt['optim']['param_groups']:
            g.update(self.way)
        self.optim.load_state_dict(ckpt['optim'])
        self.step, self.elapsed = ckpt['step'], ckpt['elapsed']

    def seconds(self):
        return self.elapsed + time.time() - self.started

    def progress(self):
        """0 at the start of the run, 1 at its end; the same in every process."""
        done = self.step / self.args.steps if self.args.steps else self.seconds() / (60 * self.args.minutes)
        if self.world > 1 and not self.args.steps:
            done = torch.tensor(done, device=self.device)
            dist.broadcast(done, 0)
        return min(float(done), 1)

    def save(self):
        os.makedirs(self.args.out, exist_ok=True)
        state = dict(name=self.args.model, model=self.model.state_dict(), ema=self.average.weights,
                     optim=self.optim.state_dict(), step=self.step, elapsed=self.seconds())
        atomically(os.path.join(self.args.out, 'last.ckpt'), lambda p: torch.save(state, p))
        weights = {k: v.detach().cpu().float().contiguous() for k, v in self.average.weights.items()}
        atomically(os.path.join(self.args.out, self.args.model + '.safetensors'), lambda p: save_file(weights, p))

    def log(self, row):
        path = os.path.join(self.args.out, 'log.csv')
        new = not os.path.exists(path)
        with open(path, 'a', newline='') as f:
            writer = csv.writer(f)
            if new:
                writer.writerow(row)
            writer.writerow([f'{v:.4f}' if isinstance(v, float) else v for v in row.values()])

    def draw(self, batch):
        """What `learn` takes, from a batch of the loader: tensors on the device. y, uv (floats), t and, with a teacher, v."""
        y, uv, t, v = (b.to(self.device, non_blocking=True) for b in batch)
        return *data.jitter(*data.to_float(y, uv)), t.view(-1, 1, 1, 1), *([v] if v.numel() else [])

    @staticmethod
    def inputs(y, uv, t):
        x0, x1 = (net.pack(y[:, i:i + 1], uv[:, i]).contiguous(memory_format=torch.channels_last) for i in (0, 2))
        return x0, x1, t

    def rate(self, progress):
        """Warm-up by steps, then half a cosine by the clock."""
        self.lr = self.args.lr * min((self.step + 1) / self.args.warmup, 1) * (
            self.floor + (1 - self.floor) * .5 * (1 + math.cos(math.pi * progress)))
        for g in self.optim.param_groups:
            if self.captured:
                g['lr'].fill_(self.lr)
            else:
                g['lr'] = self.lr

    def follow(self, loss):
        """One step against the slope of the loss."""
        self.optim.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        overflow = ~torch.isfinite(norm)
        for p in self.model.parameters():  # a batch that overflows has no slope, rather than ending the run
            if p.grad is not None:
                p.grad.masked_fill_(overflow, 0)
        self.optim.step()

    def train_step(self, batch, progress):
        """One optimiser step; returns what `learn` does."""
        self.rate(progress)
        out = self.learner(self.draw(batch), progress)
        self.average.update(self.model)
        self.step += 1
        return out

    def learn(self, tensors, progress):
        """The step itself, which waits for nothing on the device; returns (loss, luma MSE) as tensors."""
        y, uv, t, *v = tensors
        if self.args.loss == 'frames':
            x0, x1, t = self.inputs(y, uv, t)
            costs = []
            with self.precision():
                states = self.trained(x0, x1, t, costs)
            loss, mse = losses.total(states, y, uv, t, progress, costs, *v)
        else:
            with self.precision():
                loss, mse = losses.cycle(self.trained, y, uv, t, progress, self.anchor)
        self.follow(loss)
        return loss.detach(), mse

    def scores(self, model, samples, cases):
        return validate(model, samples, cases, self.device)

    @staticmethod
    def note(mse):
        """What the progress line says of the smoothed second result of train_step."""
        return f'luma {-10 * math.log10(mse):.2f} dB'

    def check(self, samples, cases, loss):
        """Validate the averaged weights, write everything, say it in a line."""
        model = self.network().eval()
        model.load_state_dict(self.average.weights)
        scores = self.scores(model, samples, cases)
        self.save()
        self.log(dict(step=self.step, minutes=self.seconds() / 60, loss=float(loss), **scores))
        print(f'\n[{self.seconds() / 60:6.1f} min, step {self.step}] ' + '  '.join(f'{k} {v:.3f}' for k, v in scores.items()), flush=True)

    def prepare(self, batch):
        """Calibrate a network that starts from nothing; the same in every process."""
        if self.step == 0 and not self.args.init:
            x0, x1, t = self.inputs(*self.draw(batch)[:3])
            calibrate(self.model, x0, x1, t)
            if self.world > 1:
                for p in self.model.parameters():
                    dist.broadcast(p.data, 0)
            self.average = Average(self.model, self.args.ema)

    def loop(self, batches, samples=(), cases=()):
        loss = mse = None
        begun, first, shown = time.time(), self.step, 0.
        checked = saved = time.time()
        batches = iter(batches)
        self.prepare(next(batches))
        if self.args.init and self.step == 0 and not self.rank:  # what there is to improve on
            self.check(samples, cases, 0)
        for batch in batches:
            progress = self.progress()
            if progress >= 1:
                break
            if self.teacher and progress >= losses.TEACH_END:
                self.teacher.on.zero_()
                self.teacher = None
            one, err = self.train_step(batch, progress)
            loss, mse = (one, err) if loss is None else (loss * .98 + one * .02, mse * .98 + err * .02)
            if self.rank:
                continue
            now = time.time()
            if now - shown > 5:
                shown, rate = now, (self.step - first) / (now - begun)
                print(f'\r{100 * progress:5.1f} %  step {self.step}  {rate:.2f}/s  loss {float(loss):.5f}  '
                      f'{self.note(float(mse))}  lr {self.lr:.2e}', end='  ', flush=True)
            if now - checked > 60 * self.args.val_every:
                self.check(samples, cases, loss)
                checked = saved = time.time()
            elif now - saved > 180:
                self.save()
                saved = time.time()
        if not self.rank and loss is not None:
            self.check(samples, cases, loss)


def first_for_all(run, work):
    """What work () gives. The first process does it before the others, which find its results in the cache."""
    if run.world > 1 and run.rank:
        dist.barrier()
    result = work()
    if run.world > 1 and not run.rank:
        dist.barrier()
    return result


def clips_of(args, run):
    """(clips to train on, clips held out)."""
    index = first_for_all(run, lambda: data.build_cache(args.footage, args.cache))
    unwanted = [x for x in args.exclude.split(',') if x]
    return data.held_out([data.Clip(e, args.cache) for e in index if e['frames'] and not any(x in e['name'] for x in unwanted)])


def main(argv=None):
    args = arguments(argv)
    run = Run(args)
    train, val = clips_of(args, run)
    run.teacher = data.Teacher() if args.teacher == 'dis' and run.progress() < losses.TEACH_END else None
    kinds = {} if args.loss == 'frames' else dict(synthetic=0, overlay=0, successive=True)
    sampler = data.Sampler(train, args.crop, args.batch, teacher=run.teacher, **kinds)
    samples = fixed_samples(val or train, args.crop) if not run.rank else ()
    cases = evaluate.triplets(args.val) if args.val and not run.rank else []
    if args.val_limit and len(cases) > args.val_limit:
        cases = [cases[i * len(cases) // args.val_limit] for i in range(args.val_limit)]
    if not run.rank:
        os.makedirs(args.out, exist_ok=True)
        print(f'{args.model} on {run.device}: {len(sampler.clips)} clips to train on, {len(val)} held out '
              f'({len(samples)} samples), {len(cases)} triplets; from step {run.step}', flush=True)
    seed = args.seed + 1000 * run.rank + 7919 * run.step
    if args.resident:
        sampler = data.Sampler(train, args.crop, max(round(.12 * args.batch), 1), synthetic=1, overlay=0)

    loader = data.loader(sampler, seed, args.workers, run.device.type == 'cuda')
    if args.resident:
        loader = resident.Resident(train, args.crop, args.batch, run.device, seed, iter(loader))
    run.loop(loader, samples, cases)
    if run.world > 1:
        dist.destroy_process_group()


if __name__ == '__main__':
    main()
