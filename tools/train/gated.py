# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bricks of the networks that fill holes (fillnet.py, completenet.py); the twin of models/gated.c.

A gated convolution (Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019) learns, pixel by pixel, what of its result counts:
LeakyReLU (features) * sigmoid (gates). Here three features share a gate, which costs a third more than a plain convolution, not twice as much.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

SLOPE, SHARE = .2, 3  # of the leaky ReLU; features to a gate
ENOUGH = .3  # a mean of known values counts where more of its area is known


def gate(x, gates):
    """(n,c + gates,h,w) -> (n,c,h,w): feature i has gate i mod gates."""
    c = x.shape[1] - gates
    return F.leaky_relu(x[:, :c], SLOPE) * torch.sigmoid(x[:, c:]).repeat(1, c // gates, 1, 1)


class Gated(nn.Conv2d):
    """A 3x3 convolution to `cout` features and cout / 3 gates."""

    def __init__(self, cin, cout, stride=1, dilation=1):
        super().__init__(cin, cout + cout // SHARE, 3, stride, dilation, dilation)
        self.gates = cout // SHARE

    def forward(self, x):
        return gate(super().forward(x), self.gates)


def harmonic(x, mask, sweeps=8, top=24):
    """x (n,c,h,w) with the hole (mask (n,1,h,w) is 1) filled so that each pixel of it is the mean of its neighbours, at the border of those that
    there are: the smooth fill that the networks improve on; core/membrane.c is its twin in kind, not to the last digit. From coarse
    to fine: each level starts from the coarser one's, and relaxes it."""
    known = 1 - mask
    levels = [(x * known, known)]
    while min(levels[-1][0].shape[2:]) >= 4 and all(s % 2 == 0 for s in levels[-1][0].shape[2:]):
        v, n = (F.avg_pool2d(p, 2) for p in levels[-1])
        some = (n > 0).to(n)
        levels.append((v / torch.where(n > 0, n, some + 1) * some, some))
    u = None
    for i in reversed(range(len(levels))):
        v, n = levels[i]
        if u is None:
            u = torch.lerp((v * n).sum((2, 3), keepdim=True) / n.sum((2, 3), keepdim=True).clamp(min=1), v, n)
        else:
            u = torch.lerp(F.interpolate(u, scale_factor=2, mode='bilinear', align_corners=False), v, n)
        h, w = u.shape[2:]
        checks = (torch.arange(h, device=u.device).view(-1, 1) + torch.arange(w, device=u.device)) % 2
        pull = [1.5 * (1 - n) * (checks == k).to(n) for k in (0, 1)]
        for k in range(2 * (sweeps if i < 3 else top)):
            p = F.pad(u, (1, 1, 1, 1), 'replicate')
            mean = (p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:]) / 4
            u = u + pull[k % 2] * (mean - u)
    return u


def nearest(known, axis):
    """Index of the nearest known pixel before each, itself included, along an axis; -1 where there is none."""
    n = known.shape[axis]
    at = torch.arange(n, device=known.device).view([-1 if a == axis else 1 for a in range(4)])
    return torch.where(known, at, torch.full_like(at, -1)).cummax(axis).values


def span(x, known, axis):
    """x (n,c,h,w), where it is not known, from the nearest known pixels on either side of it along an axis, straight between the two, or
    the only one. Also (n,1,h,w) whether there was one, and by how much the two differ (the mean over channels; 1 without a second one)."""
    n = x.shape[axis]
    before, after = nearest(known, axis), n - 1 - nearest(known.flip(axis), axis).flip(axis)
    left, right = before >= 0, after < n
    at = torch.arange(n, device=x.device).view([-1 if a == axis else 1 for a in range(4)])
    a, b = (x.gather(axis, i.clamp(0, n - 1).expand_as(x)) for i in (before, after))
    f = (at - before).to(x) / (after - before).clamp(min=1).to(x)
    f = torch.where(left & right, f, torch.where(left, torch.zeros_like(f), torch.ones_like(f)))
    return a + f * (b - a), left | right, torch.where(left & right, (b - a).abs().mean(1, True), torch.ones_like(f))


def bridge(x, known):
    """x (n,c,h,w) from known (n,1,h,w: more than ENOUGH) pixels along rows and along columns, and by how much those differ: (n,2c + 2,h,w). Where one
    finds none, the other; where neither does, 0."""
    known = known > ENOUGH
    (r, have_r, dr), (c, have_c, dc) = span(x, known, 3), span(x, known, 2)
    none = torch.zeros_like(x)
    return torch.cat((torch.where(have_r, r, torch.where(have_c, c, none)), torch.where(have_c, c, torch.where(have_r, r, none)), dr, dc), 1)


def start(module):
    """He's start for what is in front of gates, which open a little at first."""
    for m in module.modules():
        if isinstance(m, Gated):
            nn.init.kaiming_normal_(m.weight, SLOPE)
            nn.init.zeros_(m.bias)
            with torch.no_grad():
                m.weight[-m.gates:] *= .5
                m.bias[-m.gates:] = 1.
