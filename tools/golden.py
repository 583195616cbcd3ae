#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the stored results that published networks are tested against, from their authors' own code run in PyTorch.

    tools/golden.py NETWORK CHECKOUT     writes tests/models/golden/NETWORK.{safetensors,weights}

CHECKOUT is a folder with the authors' repository, which is not part of this one; tools/published/ has a file for each, with the revision that the stored
results were made with. Weights and pictures are made from their names, as in tests/golden.py. The code runs in double precision, so that its
own rounding is not what is tested. Of each result every third pixel of every third row is stored. One is of a frame: what the authors' program makes of bytes, with
its padding, and writes as bytes.

A network that fills holes gets a picture with one (tests/golden.py: with_hole) of some sizes, and all of its result is stored.
"""
import os
import sys

import numpy as np
import torch

import published
from published.common import frame_between, golden, picture

STRIDE = 3
FRAME = 45, 70  # nothing divides it
HOLES = (8, 12), (5, 3), (4, 4), (1, 1)  # height and width of pictures with one, in units


def filled(network, name):
    m = network.unit
    sizes = [(h * m, w * m) for h, w in HOLES]
    x = [golden.with_hole(name, *size).double() for size in sizes]
    return {'%dx%d' % size: golden.nhwc(network.fill(p[:, :3], p[:, 3:])) for size, p in zip(sizes, x)}


def between(network, name):
    m, out = getattr(network, 'unit', 1), {}
    for h, w, t in getattr(network, 'sizes', ((2 * m, 2 * m, .5), (m, 2 * m, .25), (3 * m, m, .9))):
        t = t if network.any_t else .5
        for scale in network.scales:
            if h * scale % m == 0 and w * scale % m == 0:
                y = network(picture(name, h, w, 0), picture(name, h, w, 1), float(np.float32(t)), scale)
                run = f'{h}x{w}/t={t:g}' + (f'/scale={scale:g}' if scale != 1 else '')
                out[run] = np.ascontiguousarray(golden.nhwc(y)[::STRIDE, ::STRIDE].astype(np.float32))
    t = .25 if network.any_t else .5
    a, b = (np.floor(255 * golden.nhwc(picture(name, *FRAME, i)).astype(np.float64) + .5).astype(np.uint8) for i in (0, 1))
    out['frame/%dx%d/t=%g' % (*FRAME, t)] = np.ascontiguousarray(frame_between(network, name, a, b, t)[::STRIDE, ::STRIDE].astype(np.float32))
    return out


def main(name, checkout):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    network = published.networks()[name](name, os.path.abspath(checkout))
    out = (filled if hasattr(network, 'fill') else between)(network, name)
    golden.save(out, 'models', name + '.safetensors')
    with open(os.path.join(golden.HERE, 'models', 'golden', name + '.weights'), 'w') as f:
        f.writelines(' '.join([k, *map(str, s)]) + '\n' for k, s in sorted(network.shapes.items()))


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in published.networks():
        sys.exit(__doc__ + '\nNetworks: ' + ', '.join(published.networks()))
    main(*sys.argv[1:])
