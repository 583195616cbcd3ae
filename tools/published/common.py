# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the authors' code is run with: pictures and weights made from names, and stand-ins for what it imports and does not need."""
import functools
import os
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tests'))
import golden  # noqa: E402


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


# Of pictures: superslomo-uvi sees 0 to 255, so weights made from names make flows of it that lead far.
CONTRAST = {'superslomo-uvi': .125}


def picture(name, h, w, i):
    """Frame i, r g b in [0, 1]: blocks of 8 x 8 that move by 3 to the left and 1 up, and noise."""
    fine = golden.uniform(f'{name}/{h}x{w}/x{i}', h, w, 3)
    y, x = (np.arange(h) + i) // 8, (np.arange(w) + 3 * i) // 8
    p = golden.uniform(f'{name}/{h}x{w}', h, w, 3)[y][:, x] * np.float32(.375) + fine * np.float32(.125)
    return cast(golden.nchw(p * np.float32(CONTRAST.get(name, 1)) + np.float32(.5)))


def frame_between(network, name, a, b, t):
    """The bytes (h, w, 3; red first) that the authors' program writes between two such frames."""
    multiple = network.multiple[name] if isinstance(network.multiple, dict) else network.multiple
    h, w = a.shape[:2]
    down, right = (0, 0) if getattr(network, 'reduces', False) else (-h % multiple, -w % multiple)
    top, left = (down // 2, right // 2) if getattr(network, 'centred', False) else (0, 0)
    step = -1 if getattr(network, 'blue_first', False) else 1

    def seen(frame):
        x = cast(torch.from_numpy(frame[:, :, ::step].copy())).permute(2, 0, 1)[None] / 255
        return F.pad(x, (left, right - left, top, down - top), network.padding) if down or right else x
    y = network(seen(a), seen(b), t, 1)[0, :, top:top + h, left:left + w]
    return y.clamp(0, 1).mul(255).byte().permute(1, 2, 0).numpy()[:, :, ::step]


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
