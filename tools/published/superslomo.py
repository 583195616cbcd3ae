# SPDX-License-Identifier: LGPL-2.1-or-later
import functools
import importlib
import os
import sys
import types

import torch

from .common import cast, fill, golden, old_grid_sample, stub


class SuperSlomo:
    """avinashpaliwal/Super-SloMo 544802b543e4aaaa707ebac6ae6c61e1da72a6f6; one time at once, as its eval.py, which resizes bytes: here floats"""
    sizes = (128, 128, .5), (64, 128, .25), (96, 75, .5), (77, 64, .75), (101, 70, .9), (45, 40, .4)  # multiples of 32 stay as they are
    multiple = 32
    reduces = True
    scales = (1,)
    any_t = True

    def __init__(self, name, checkout):
        sys.path.insert(0, checkout)
        stub('torchvision', transforms=None)
        stub('torchvision.transforms')
        self.code = importlib.import_module('model')
        old_grid_sample()
        self.flow, self.refine = self.code.UNet(6, 4), self.code.UNet(20, 5)
        self.shapes = {**fill(self.flow, 'state_dictFC.'), **fill(self.refine, 'state_dictAT.')}
        torch.Tensor.float = cast

    @functools.lru_cache
    def warp(self, h, w):
        warp = self.code.backWarp(w, h, 'cpu')
        warp.gridX, warp.gridY = cast(warp.gridX), cast(warp.gridY)
        return warp

    def __call__(self, x0, x1, t, scale):
        h, w = x0.shape[2:]
        size = h // 32 * 32, w // 32 * 32
        if (h, w) != size:
            y = self(*(golden.resized(x, *size, 'LANCZOS') for x in (x0, x1)), t, scale)
            return golden.resized(y, h, w, 'BILINEAR')
        mean = torch.tensor([.429, .431, .397]).view(1, 3, 1, 1)
        warp = self.warp(*x0.shape[2:])
        i0, i1 = x0 - mean, x1 - mean
        f01, f10 = self.flow(torch.cat((i0, i1), 1)).split(2, 1)
        c = -t * (1 - t)
        ft0, ft1 = c * f01 + t * t * f10, (1 - t) * (1 - t) * f01 + c * f10
        out = self.refine(torch.cat((i0, i1, f01, f10, ft1, ft0, warp(i1, ft1), warp(i0, ft0)), 1))
        v0 = torch.sigmoid(out[:, 4:5])
        g0, g1 = warp(i0, out[:, :2] + ft0), warp(i1, out[:, 2:4] + ft1)
        return ((1 - t) * v0 * g0 + t * (1 - v0) * g1) / ((1 - t) * v0 + t * (1 - v0)) + mean


class SuperSlomoUvi:
    """NVIDIA/unsupervised-video-interpolation 55161c4f5e1bcd07a286f8162f817900f6ac73bc"""
    unit = 64
    multiple = 64
    padding = 'constant'
    scales = (1, .5)
    any_t = True

    def __init__(self, name, checkout):
        sys.path.insert(0, checkout)
        vgg = torch.nn.Sequential(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1)))
        stub('torchvision', models=types.SimpleNamespace(vgg16=lambda pretrained: vgg))
        stub('models', __path__=[os.path.join(checkout, 'models')])
        torch.nn.Module.cuda = lambda self: self
        torch.float32 = torch.get_default_dtype()
        self.code = importlib.import_module('models.HJSuperSloMo')
        old_grid_sample()
        ignored = ('vgg16', 'resample2d', 'tlinespace', 'mean_pix')
        self.wanted = lambda k: not k.startswith(ignored)
        self.shapes = fill(self.network(1, .5), keep=self.wanted)

    @functools.lru_cache
    def network(self, scale, t):
        model = self.code.HJSuperSloMo(types.SimpleNamespace(crop_size=(64, 64), flow_scale=1 / scale, num_interp=1)).to(torch.get_default_dtype())
        model.tlinespace = torch.tensor([0, t, 1.])
        model.mean_pix = torch.tensor([109.93, 109.167, 101.455]).view(1, 3, 1, 1)
        fill(model, keep=self.wanted)
        return model

    def __call__(self, x0, x1, t, scale):
        return self.network(scale, t)([255 * x0, 255 * x0, 255 * x1], torch.tensor([1]))[1] / 255


NETWORKS = {'superslomo': SuperSlomo, 'superslomo-uvi': SuperSlomoUvi}
