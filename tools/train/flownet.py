# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-flow-nano and vfi-flow-base: dense optical flow, in PyTorch.

The twin of models/flow.c: same layers, same weight names, same numbers.

The bricks are those of net.py, seen from t = 0: the grid is the first frame's, v1 is the flow to the second frame, in pixels of the
grid, and sigmoid (logit) the confidence that what is seen here is seen there too. Two things differ. The cost volume holds
whole displacements, <f0 (x), f1 (x + d)>: in the symmetric one, seen from the first frame, every other is missing. And v0, which
has no effect at t = 0, is two numbers a pixel that the network may hand from level to level as it likes.

What each level finds is then looked for anew with patches of luma, which reach farther and hold better than either (net.inverse_search).
After the last level come Lucas-Kanade steps alone: one at 1/2, and two on the frame's own grid (sharpen), which is what sub-pixel motion takes.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import net
from correlation import Correlation

CONFIGS = {
    'vfi-flow-nano': net.Config(enc=(24, 40, 64), enc_convs=(0, 1, 1), dec=(0, 64, 80), dec_convs=(0, 3, 4),
                                feat=(0, 20), radius=(0, 3, 4)),  # the search alone is as good at 1/4
    'vfi-flow-base': net.Config(enc=(32, 64, 112), enc_convs=(1, 2, 3), dec=(96, 128, 160), dec_convs=(5, 6, 8),
                                feat=(32, 48), radius=(3, 4, 6)),
}
MULTIPLE = net.MULTIPLE


def correlation(f0, f1, r):
    """Cost volume seen from the first frame (n,(2r+1)^2,h,w): mean over channels of f0(x) f1(x + d), zero outside;
    channel (dy + r) (2r + 1) + dx + r."""
    if torch.is_grad_enabled():
        return Correlation.apply(f0, f1, r, 0)
    h, w = f0.shape[2:]
    p = F.pad(f1, (r, r, r, r))
    return torch.stack([(f0 * p[:, :, r + dy:r + dy + h, r + dx:r + dx + w]).mean(1)
                        for dy in range(-r, r + 1) for dx in range(-r, r + 1)], 1)


class FlowNet(nn.Module):
    def __init__(self, name='vfi-flow-nano'):
        super().__init__()
        c = CONFIGS[name]
        self.c, self.name = c, name
        self.enc = net.Encoder(c)
        for l in (2, 1, 0):
            if c.dec[l]:
                self.add_module(f'dec{l}', net.Decoder(c, l))
        self.register_buffer('state_in', net.state_in(), persistent=False)

    def forward(self, x0, x1, costs=None, own=None, both=False):
        """x0, x1 (n,6,H/2,W/2), H and W multiples of 32.
        Returns the states [at 1/8, at 1/4, at 1/2] (net.py) at t = 0; with `both` of twice the batch, then from x1 to x0.
        For training, lists given are appended: to costs (cost volume, flow its second frame was warped by or None) of each level, to `own` the state
        before patches are searched for, which is what learns. What they find is where the next level starts, and passes no gradient: a decoder
        whose errors the search repairs would be told of those that remain, and drift."""
        f0, f1 = self.enc(x0), self.enc(x1)
        y0, y1 = ([net.mean_pool(x[:, :4], 2 ** k) for k in range(5)] for x in (x0, x1))  # luma at 1/2 ... 1/32
        if both:
            (f0, f1), (y0, y1) = (([torch.cat(q) for q in zip(a, b)], [torch.cat(q) for q in zip(b, a)]) for a, b in ((f0, f1), (y0, y1)))
        t = y0[0].new_zeros(1, 1, 1, 1)
        state = net.lucas_kanade(y0[4], y1[4], None, t)[:, :5]
        state = net.finer(net.lucas_kanade(y0[4], y1[4], state, t)[:, :5])
        feat, states = None, []
        for l in (2, 1, 0):
            moved = net.lucas_kanade(y0[l + 1], y1[l + 1], state, t)
            state = moved[:, :5]
            if self.c.dec[l]:
                w1 = f1[l] if l == 2 else net.warp(f1[l], state[:, 2:4], 1 - t)
                k = correlation(f0[l], w1, self.c.radius[l])
                if costs is not None:
                    costs.append((k, None if l == 2 else state[:, 2:4]))
                v = (moved * self.state_in).to(w1.dtype)
                state, feat = getattr(self, f'dec{l}')(torch.cat((k, f0[l], w1, v) + (() if feat is None else (feat,)), 1), state)
            else:
                state = net.finer(state)
            if own is not None:
                own.append(state)
            state = torch.cat((state[:, :2], net.inverse_search(y0[l], y1[l], state)[:, 2:4], state[:, 4:]), 1)
            if l == 0:
                state = net.lucas_kanade(y0[0], y1[0], state, t)[:, :5]
            states.append(state)
        return states


def sharpen(state, x0, x1):
    """The last state, on the frame's own grid."""
    y0, y1 = (F.pixel_shuffle(net.exact(x[:, :4]), 2) for x in (x0, x1))
    state, t = net.finer(state), y0.new_zeros(1, 1, 1, 1)
    for _ in range(2):
        state = net.lucas_kanade(y0, y1, state, t)[:, :5]
    return state


def full(state, h, w):
    """Flow (n,2,h,w) and confidence (n,1,h,w) of frames of h x w, from a state on a grid 1/s of the padded size."""
    s = -(-h // MULTIPLE) * MULTIPLE // state.shape[2]
    up = F.interpolate(state[:, 2:], scale_factor=s, mode='bilinear', align_corners=False)[:, :, :h, :w]
    return up[:, :2] * s, torch.sigmoid(up[:, 2:])
