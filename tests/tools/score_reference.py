# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the expected figures in test-score.c: PSNR, SSIM and IE by the definitions, with NumPy, written apart from tools/score.c.

The volume is padded and filtered as a whole, along each of its three axes in turn."""
import numpy as np


def picture(seed, w, h):
    """The generator of test-score.c: x' = x 1664525 + 1013904223 modulo 2^32, the top byte of each state; rows of RGB."""
    out = np.empty(w * h * 3, np.uint8)
    for i in range(out.size):
        seed = (seed * 1664525 + 1013904223) % 2**32
        out[i] = seed >> 24
    return out.reshape(h, w, 3)


def gradient(w, h):
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing='ij')
    return ((3 * x + 5 * y + 40 * c) % 256).astype(np.uint8)


def blur(v):
    k = np.exp(-np.arange(-5, 6)**2 / (2 * 1.5**2))
    k /= k.sum()
    v = np.pad(v, 5, mode='edge')
    for axis in range(3):
        n = v.shape[axis] - 10
        v = sum(k[i] * np.take(v, range(i, i + n), axis) for i in range(11))
    return v


def scores(a, b):
    mse = ((a.astype(float) - b.astype(float))**2).mean()
    a, b = a / 255.0, b / 255.0
    ma, mb = blur(a), blur(b)
    va, vb, cov = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    ssim = ((2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean()
    return 10 * np.log10(255**2 / mse), ssim, np.sqrt(mse)


def row(name, a, b):
    print('%s: { %.10f, %.10f, %.10f }' % ((name,) + scores(a, b)))


row('noise and noise', picture(1, 37, 29), picture(2, 37, 29))
g = gradient(64, 48)
row('gradient and noise over it', g, (g.astype(int) * 7 // 8 + picture(3, 64, 48) // 8).astype(np.uint8))
row('smaller than the window', gradient(4, 3), picture(4, 4, 3))
