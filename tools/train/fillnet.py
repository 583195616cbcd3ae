# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-fill-nano: what no frame of a video shows, made up from what lies around it, in PyTorch.

The twin of models/fill.c: same layers, same weight names, same numbers.

It sees the hole filled smoothly, which has every line that enters the hole end there. So at 1/4 of the size two more fills are
made: straight across the hole along rows, and along columns (gated.bridge), which are to be trusted where both ends look alike. Dilated
gated convolutions at 1/8 see what surrounds the hole and say, for each pixel at 1/4, which of the three to take and what else to add;
then the result is refined at 1/2 and shuffled to the full size.
Coarse + refine and gated convolutions are DeepFill v2's (Yu et al., ICCV 2019); its attention is not here.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import gated
from gated import Gated
from net import exact

NAME = 'vfi-fill-nano'
MULTIPLE = 8
WIDTHS = (24, 48, 72)  # features at 1/2, 1/4, 1/8
DILATIONS = (1, 2, 4, 8, 2)
START = 1., 20.  # of what decides between bridges and the smooth fill: bias, slope over how far the ends of a bridge are apart


class FillNet(nn.Module):
    def __init__(self, name=NAME):
        super().__init__()
        a, b, c = WIDTHS
        self.name = name
        self.enc0, self.enc1, self.enc2 = Gated(4, a, 2), Gated(a, b, 2), Gated(b + 9, c, 2)
        for i, d in enumerate(DILATIONS):
            self.add_module(f'mid{i}', Gated(c, c, dilation=d))
        self.up1, self.dec1, self.coarse = nn.Conv2d(c, 4 * b, 1), Gated(b, b), nn.Conv2d(b + 2, 5, 1)
        self.up0, self.dec0, self.fine = nn.Conv2d(b, 4 * a, 1), Gated(a, a), nn.Conv2d(a, 12, 3, 1, 1)
        gated.start(self)
        for head in (self.coarse, self.fine):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        with torch.no_grad():
            for i in 0, 1:  # across, where both ends of the bridge look alike
                self.coarse.weight[i, b + i] = -START[1]
                self.coarse.bias[i] = START[0]

    def forward(self, x):
        """x (n,4,h,w): r, g, b in [0,1] with the hole filled smoothly, and the mask, 1 there. h, w: multiples of 8.
        Returns the coarse result at 1/4 and the result, neither clamped."""
        rgb, known = x[:, :3], 1 - x[:, 3:]
        smooth = F.avg_pool2d(F.avg_pool2d(rgb, 2), 2)
        own, n = F.avg_pool2d(F.avg_pool2d(torch.cat((rgb * known, known), 1), 2), 2).split((3, 1), 1)
        rows, columns, apart = gated.bridge(own / torch.where(n < .01, torch.ones_like(n), n), n).split((3, 3, 2), 1)
        apart = F.interpolate(F.avg_pool2d(apart, 2), scale_factor=2, mode='bilinear', align_corners=False)
        e0 = self.enc0(torch.cat((rgb - .5, x[:, 3:]), 1))
        e1 = self.enc1(e0)
        y = self.enc2(torch.cat((e1, rows - smooth, columns - smooth, n, apart), 1))
        for i in range(len(DILATIONS)):
            y = y + getattr(self, f'mid{i}')(y)
        y = self.dec1(F.pixel_shuffle(self.up1(y), 2) + e1)
        head = exact(self.coarse(torch.cat((y, apart), 1)))
        result = torch.lerp(smooth, columns, torch.sigmoid(head[:, 1:2]))
        result = torch.lerp(result, rows, torch.sigmoid(head[:, :1])) + head[:, 2:]
        y = self.dec0(F.pixel_shuffle(self.up0(y), 2) + e0)
        up = F.interpolate(result - smooth, scale_factor=2, mode='bilinear', align_corners=False)
        up = F.interpolate(up, scale_factor=2, mode='bilinear', align_corners=False)
        return result, rgb + up + F.pixel_shuffle(exact(self.fine(y)), 2)


def gflop(h, w):
    a, b, c = WIDTHS
    g = (1 + 1 / gated.SHARE) * 9
    px = h * w
    return 2e-9 * px * (g * (4 * a / 4 + a * b / 16 + (b + 9) * c / 64 + len(DILATIONS) * c * c / 64 + b * b / 16 + a * a / 4)
                        + 4 * b * c / 64 + 5 * (b + 2) / 16 + 4 * a * b / 16 + 9 * 12 * a / 4)


if __name__ == '__main__':
    print(f'{NAME}: {sum(p.numel() for p in FillNet().parameters()) / 1e6:.3f} M parameters; 256 x 256 {gflop(256, 256):.2f} GFLOP')
