#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the stored results that published networks are tested against, from their authors' own code run in PyTorch.

    tools/golden.py NETWORK CHECKOUT     writes tests/models/golden/NETWORK.{safetensors,weights}

CHECKOUT is a folder with the authors' repository, which is not part of this one; the revision that the stored results were made with stands
beside each network below. Weights and pictures are made from their names, as in tests/golden.py. The code runs in double precision, so that its
own rounding is not what is tested. Of each result every third pixel of every third row is stored.
"""
import importlib
import os
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests'))
import golden  # noqa: E402

STRIDE = 3


def stub(name, **what):
    """A module that the authors' code imports and does not need here."""
    module = types.ModuleType(name)
    module.__dict__.update(what)
    sys.modules[name] = module


def picture(name, h, w, i):
    """Frame i, r g b in [0, 1]: blocks of 8 x 8 that move by 3 to the left and 1 up, and noise."""
    fine = golden.uniform(f'{name}/{h}x{w}/x{i}', h, w, 3)
    y, x = (np.arange(h) + i) // 8, (np.arange(w) + 3 * i) // 8
    p = golden.uniform(f'{name}/{h}x{w}', h, w, 3)[y][:, x] * np.float32(.375) + fine * np.float32(.125) + np.float32(.5)
    return golden.nchw(p).double()


def fill(module, prefix=''):
    """Gives a module weights made from their names, and returns their shapes."""
    state = {k: v for k, v in module.state_dict().items() if v.is_floating_point()}
    module.load_state_dict({k: golden.weight(prefix + k, tuple(v.shape)).double() for k, v in state.items()}, strict=False)
    module.eval()
    return {prefix + k: tuple(v.shape) for k, v in state.items()}


class IFRNet:
    """ltkong218/IFRNet b117bcafcf074b2de756b882f8a6ca02c3169bfe"""
    unit = 32
    scales = (1,)

    def __init__(self, name, checkout):
        sys.path.insert(0, checkout)
        stub('imageio', imread=None, imwrite=None)
        self.model = importlib.import_module('models.' + {'ifrnet-s': 'IFRNet_S', 'ifrnet': 'IFRNet', 'ifrnet-l': 'IFRNet_L'}[name]).Model()
        self.shapes = fill(self.model)

    def __call__(self, x0, x1, t, scale):
        return self.model.inference(x0, x1, torch.full((1, 1, 1, 1), t))


class Rife:
    """HolyWu/vs-rife 2a7f2c8d1f614642a996a52d90d74aa25cf1ba22, which has the networks that come with the weights of hzwer/Practical-RIFE"""
    unit = 64
    scales = (1, .5)

    def __init__(self, name, checkout):
        folder = os.path.join(checkout, 'vsrife')
        stub('vsrife', __path__=[folder])
        with open(os.path.join(folder, 'warplayer.py'), encoding='utf-8') as f:
            warp = f.read().replace('torch.float)', 'torch.double)')  # it is made to sample in single precision
        stub('vsrife.warplayer')
        exec(warp, sys.modules['vsrife.warplayer'].__dict__)
        self.network = importlib.import_module('vsrife.IFNet_HDv3_v' + name[5:].replace('.', '_')).IFNet
        self.shapes = fill(self.network())

    def __call__(self, x0, x1, t, scale):
        model = self.network(scale)
        fill(model)
        h, w = x0.shape[2:]
        grid = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing='ij')[::-1]
        features = [model.encode(x) for x in (x0, x1)] if hasattr(model, 'encode') else []
        return model(x0, x1, torch.full((1, 1, h, w), t), [(w - 1) / 2, (h - 1) / 2], torch.stack(grid)[None], *features)


NETWORKS = {'rife-4.6': Rife, 'rife-4.25': Rife, 'ifrnet-s': IFRNet, 'ifrnet': IFRNet, 'ifrnet-l': IFRNet}


def main(name, checkout):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    network = NETWORKS[name](name, os.path.abspath(checkout))
    m, out = network.unit, {}
    for h, w, t in (2 * m, 2 * m, .5), (m, 2 * m, .25), (3 * m, m, .9):
        for scale in network.scales:
            if h * scale % m == 0 and w * scale % m == 0:
                y = network(picture(name, h, w, 0), picture(name, h, w, 1), float(np.float32(t)), scale)
                run = f'{h}x{w}/t={t:g}' + (f'/scale={scale:g}' if scale != 1 else '')
                out[run] = np.ascontiguousarray(golden.nhwc(y)[::STRIDE, ::STRIDE])
    golden.save(out, 'models', name + '.safetensors')
    with open(os.path.join(golden.HERE, 'models', 'golden', name + '.weights'), 'w') as f:
        f.writelines(' '.join([k, *map(str, s)]) + '\n' for k, s in sorted(network.shapes.items()))


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in NETWORKS:
        sys.exit(__doc__ + 'Networks: ' + ', '.join(NETWORKS))
    main(*sys.argv[1:])
