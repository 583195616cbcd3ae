# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-complete-nano: the flow in a hole from the flow around it, in PyTorch.

The twin of models/complete.c: same layers, same weight names, same numbers. The part of DFC-Net in "Deep Flow-Guided Video Inpainting" (Xu et
al., CVPR 2019), small and for one field: it sees a hole that was filled smoothly and says what is wrong with that inside of it. A smooth fill
knows no borders between motions and is led astray by a border that passes the hole; that is what there is to learn.
"""
import torch.nn as nn
import torch.nn.functional as F

import gated
from gated import Gated
from net import exact

NAME = 'vfi-complete-nano'
MULTIPLE = 2
WIDTHS = (24, 48)  # features at full size and 1/2
DILATIONS = (1, 2, 4, 8)
SIDE, FLOOR = 64, .5  # of the grid over a hole; pixels added to the deviation of the flow


class CompleteNet(nn.Module):
    def __init__(self, name=NAME):
        super().__init__()
        a, b = WIDTHS
        self.name = name
        self.enc0, self.enc1 = Gated(3, a), Gated(a, b, 2)
        for i, d in enumerate(DILATIONS):
            self.add_module(f'mid{i}', Gated(b, b, dilation=d))
        self.up0, self.dec0, self.head = nn.Conv2d(b, 4 * a, 1), Gated(a, a), nn.Conv2d(a, 2, 3, 1, 1)
        gated.start(self)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        """x (n,3,h,w): flow as `normalised` gives it, and the mask, 1 in the hole. h, w even. Returns what to add in the hole (n,2,h,w)."""
        e0 = self.enc0(x)
        y = self.enc1(e0)
        for i in range(len(DILATIONS)):
            y = y + getattr(self, f'mid{i}')(y)
        return exact(self.head(self.dec0(F.pixel_shuffle(self.up0(y), 2) + e0)))


def normalised(flow, mask):
    """Flow (n,2,h,w) less its mean over the known pixels, divided by their deviation from it (root of the mean square of its length)
    and half a pixel. Returns that, mean (n,2,1,1) and divisor (n,1,1,1)."""
    known = 1 - mask
    count = known.sum((2, 3), keepdim=True).clamp(min=1)
    mean = (flow * known).sum((2, 3), keepdim=True) / count
    unit = (((flow - mean) ** 2).sum(1, keepdim=True) * known).sum((2, 3), keepdim=True).div(count).sqrt() + FLOOR
    return (flow - mean) / unit, mean, unit


def gflop(h, w):
    a, b = WIDTHS
    g = (1 + 1 / gated.SHARE) * 9
    return 2e-9 * h * w * (g * (3 * a + a * b / 4 + len(DILATIONS) * b * b / 4 + a * a) + 4 * a * b / 4 + 9 * 2 * a)


if __name__ == '__main__':
    print(f'{NAME}: {sum(p.numel() for p in CompleteNet().parameters()) / 1e6:.3f} M parameters; 64 x 64 {gflop(64, 64):.2f} GFLOP')
