# SPDX-License-Identifier: LGPL-2.1-or-later
"""Synthetic samples: real still pictures moved in known ways.

They add what ordinary clips are short of: very large displacements with an exact frame between,
sharp occlusions, and logos or subtitles that stand still on a moving picture.
All pictures are (luma (c,c), chroma (2,c/2,c/2)) bytes; results are three frames of them.
"""
import numpy as np
import torch
import torch.nn.functional as F


def _motion(rng, reach):
    """A random linear motion, in units of half the picture: matrix b and shift d of dX/dt = b X + d."""
    turn, zoom, shear = rng.normal(0, .06), rng.normal(0, .06), rng.normal(0, .02)
    b = np.array([[zoom, shear - turn], [shear + turn, zoom]])
    angle, length = rng.uniform(0, 2 * np.pi), reach * rng.random() ** 1.5
    return b, length * np.array([np.cos(angle), np.sin(angle)])


def _place(b, d, s, offset):
    """Sampling matrix (2,3) of a layer at time s from its own middle: a point X is shown at X + s (b X + d)."""
    inv = np.linalg.inv(np.eye(2) + s * b)
    return np.concatenate((inv, (inv @ (-s * d) + offset)[:, None]), 1)


def _blob(rng, c):
    """A soft-edged random shape (1,1,c,c) in 0..1 that covers a fifth to a third of the picture."""
    n = int(rng.integers(3, 7))
    z = F.interpolate(torch.from_numpy(rng.normal(size=(1, 1, n, n)).astype(np.float32)), size=(c, c), mode='bicubic')
    level = torch.quantile(z[..., ::8, ::8], float(rng.uniform(.66, .82)))
    return ((z - level) * float(rng.uniform(8, 80)) + .5).clamp(0, 1)


def moving_layers(rng, pictures, t):
    """The first picture as background, the others as blobs in front of it, each in a motion of its own,
    at the times 0, t and 1: y (3,c,c), uv (3,2,c/2,c/2)."""
    c = pictures[0][0].shape[0]
    b0, d0 = _motion(rng, .3)
    y = uv = None
    for i, (luma, chroma) in enumerate(pictures):
        b, d = (b0, d0) if i == 0 else _motion(rng, .45)
        if i:
            d = d + d0 * (rng.random() < .7)
        offset = rng.uniform(-1, 1, 2) / c  # below a pixel: all three frames are resampled alike
        theta = torch.from_numpy(np.stack([_place(b, d, s - t, offset) for s in (0, t, 1)]).astype(np.float32))
        grid = F.affine_grid(theta, (3, 1, c, c), False)
        half = F.affine_grid(theta, (3, 1, c // 2, c // 2), False)
        py = F.grid_sample(torch.from_numpy(luma).float().expand(3, 1, c, c), grid, 'bilinear', 'reflection', False)
        puv = F.grid_sample(torch.from_numpy(chroma).float().expand(3, 2, c // 2, c // 2), half, 'bilinear', 'reflection', False)
        if i == 0:
            y, uv = py, puv
        else:
            m = F.grid_sample(_blob(rng, c).expand(3, 1, c, c), grid, 'bilinear', 'zeros', False)
            y = y + (py - y) * m
            uv = uv + (puv - uv) * F.avg_pool2d(m, 2)
    return y[:, 0].add(.5).clamp(0, 255).byte().numpy(), uv.add(.5).clamp(0, 255).byte().numpy()


def overlay(rng, y, uv, picture):
    """Paste the same opaque patch at the same place of all frames: rows of glyph-like blocks, or a piece of a picture."""
    y, uv = y.copy(), uv.copy()
    c = y.shape[1]
    h, w = (2 * int(rng.integers(c // 16, c // 5)) for _ in range(2))
    x0, y0 = 2 * int(rng.integers((c - w) // 2)), 2 * int(rng.integers((c - h) // 2))
    if rng.random() < .4:
        y[:, y0:y0 + h, x0:x0 + w] = picture[0][:h, :w]
        uv[:, :, y0 // 2:(y0 + h) // 2, x0 // 2:(x0 + w) // 2] = picture[1][:, :h // 2, :w // 2]
        return y, uv
    cell = 2 * int(rng.integers(1, 3))  # strokes of one or two chroma pixels
    mask = np.kron(rng.random((h // cell, w // cell)) < .5, np.ones((cell, cell), bool))
    mask[(np.arange(mask.shape[0]) // cell) % 6 >= 4] = False  # gaps between the lines
    region = (slice(None), slice(y0, y0 + mask.shape[0]), slice(x0, x0 + mask.shape[1]))
    y[region][:, mask] = int(rng.choice((16, 30, 200, 235)))
    uv[:, :, y0 // 2:(y0 + mask.shape[0]) // 2, x0 // 2:(x0 + mask.shape[1]) // 2][:, :, mask[::2, ::2]] = int(rng.choice((128, 90, 170)))
    return y, uv
