# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training samples from frames that stay on the GPU: for short leases of a fast one.

All planes of all clips lie in one uint8 tensor. A batch is one gather a plane: crop, flip, quarter turn and time reversal are
just the addresses, computed for the whole batch. What is not a plain copy of real frames, moving layers (synth.py), comes
from loader processes on the CPU, a few samples a batch.
"""
import numpy as np
import torch

import data

PLACES = 4  # looked at for each sample, one taken by its motion


class Resident:
    """Endless batches as data.py describes them, on `device`; clips are data.Clip. `layers`, if given, is an iterator of batches
    (y, uv, t, _) of synthetic samples; as many as one holds take the place of real ones in every batch."""

    def __init__(self, clips, crop, batch, device, seed, layers=None, other_t=.3, overlay=.05):
        self.sampler = data.Sampler(clips, crop, batch)
        self.crop, self.n, self.device, self.layers = crop, batch, device, layers
        self.other_t, self.overlay = other_t, overlay
        self.rng = np.random.default_rng(seed)
        self.random = torch.Generator(device).manual_seed(seed)
        self.start, at = {}, 0
        for c in self.sampler.clips:
            self.start[c.name] = at
            at += c.raw.size
        self.bytes = torch.empty(at, dtype=torch.uint8, device=device)
        for c in self.sampler.clips:
            self.bytes[self.start[c.name]:self.start[c.name] + c.raw.size] = torch.from_numpy(np.array(c.raw.reshape(-1))).to(device)

    def __iter__(self):
        while True:
            yield self.batch()

    def uniform(self, *shape):
        return torch.rand(*shape, generator=self.random, device=self.device)

    def planes(self, base, pitch, x, y, turn, c, scale):
        """Gathers (n,k,c,c): base (n,k) first bytes of planes, pitch (n), places x, y (n), turn (n,2,2) maps (row, column) to (dy, dx)."""
        a = torch.arange(c, device=self.device) - (c - 1) / 2
        row, col = torch.meshgrid(a, a, indexing='ij')
        dy = turn[:, 0, 0, None, None] * row + turn[:, 0, 1, None, None] * col + (c - 1) / 2
        dx = turn[:, 1, 0, None, None] * row + turn[:, 1, 1, None, None] * col + (c - 1) / 2
        at = (y[:, None, None] + dy.long() * scale) * pitch[:, None, None] + x[:, None, None] + dx.long() * scale
        at = base[:, :, None, None] + at[:, None]
        if scale == 1:
            return self.bytes[at]
        step = pitch[:, None, None, None]
        four = sum(self.bytes[at + o].short() for o in (0, 1, step, step + 1))
        return ((four + 2) >> 2).to(torch.uint8)

    def real(self, n):
        c, dev, rng = self.crop, self.device, self.rng
        other = rng.random() < self.other_t
        scale = 2 if rng.random() < .3 else 1
        rows = []
        while len(rows) < n:
            t = data.TIMES[rng.choice(len(data.TIMES), p=[w for _, w in data.TIMES])][0] if other else (1, 2)
            clip, frames = self.sampler._triplet(rng, t)
            if min(clip.w, clip.h) < scale * c:
                if rng.random() < .5:
                    scale = 1
                continue
            time = t[0] / t[1]
            if rng.random() < .5:
                frames, time = frames[::-1], 1 - time
            size = clip.w * clip.h
            rows.append([self.start[clip.name] + f * (size * 3 // 2) for f in frames] + [clip.w, clip.h, time])
        meta = torch.from_numpy(np.array(rows, np.float64))
        meta = (meta.pin_memory() if self.bytes.is_cuda else meta).to(dev, non_blocking=True)
        base, w, h, t = meta[:, :3].long(), meta[:, 3].long(), meta[:, 4].long(), meta[:, 5].float()
        # places, even; one of a few by how much its ends differ
        room = torch.stack((w, h), 1)[:, None] - scale * c
        place = (self.uniform(n, PLACES, 2) * (room // 2 + 1)).long().clamp(max=(room // 2).amax()) * 2
        place = torch.minimum(place, room // 2 * 2)
        grid = torch.arange(4, scale * c, 8, device=dev)
        at = (place[..., 1, None, None] + grid[:, None]) * w[:, None, None, None] + place[..., 0, None, None] + grid
        ends = [self.bytes[base[:, i, None, None, None] + at].float() for i in (0, 2)]
        motion = (ends[0] - ends[1]).abs().mean((2, 3)).clamp(max=16) + .3
        chosen = (-self.uniform(n, PLACES).log() / motion).argmin(1)  # with chances in proportion to it
        x, y = place[torch.arange(n, device=dev), chosen].unbind(1)
        # the eight ways to turn and flip
        turn = torch.zeros(n, 2, 2, device=dev)
        sign = torch.where(self.uniform(n, 2) < .5, -1., 1.)
        swap = (self.uniform(n) < .5).long()
        index = torch.arange(n, device=dev)
        turn[index, 0, swap] = sign[:, 0]
        turn[index, 1, 1 - swap] = sign[:, 1]
        luma = self.planes(base, w, x, y, turn, c, scale)
        size = (w * h)[:, None]
        chroma = [self.planes(base + size + k * (size // 4), w // 2, x // 2, y // 2, turn, c // 2, scale) for k in (0, 1)]
        return luma, torch.stack(chroma, 2), t

    def still(self, y, uv):
        """Pastes a piece of each sample's neighbour in the batch, the same on all frames: a logo, a caption, or bars that cover two sides."""
        n, c = y.shape[0], self.crop
        for i in range(n):
            if self.rng.random() >= self.overlay:
                continue
            j = (i + 1) % n
            if self.rng.random() < .3:
                bar = 2 * int(self.rng.integers(2, c // 10))
                for a in (slice(0, bar), slice(c - bar, c)):
                    y[i, :, a] = 16
                    uv[i, :, :, a.start // 2:a.stop // 2] = 128
                continue
            h, w = (2 * int(self.rng.integers(c // 16, c // 5)) for _ in range(2))
            v, u = 2 * int(self.rng.integers((c - h) // 2)), 2 * int(self.rng.integers((c - w) // 2))
            y[i, :, v:v + h, u:u + w] = y[j, 0, :h, :w].clone()
            uv[i, :, :, v // 2:(v + h) // 2, u // 2:(u + w) // 2] = uv[j, 0, :, :h // 2, :w // 2].clone()

    def batch(self):
        made = [b.to(self.device, non_blocking=True) for b in next(self.layers)[:3]] if self.layers is not None else None
        y, uv, t = self.real(self.n - (len(made[0]) if made else 0))
        if made:
            y, uv, t = (torch.cat(p) for p in zip((y, uv, t), made))
        self.still(y, uv)
        return y, uv, t, torch.empty(0)
