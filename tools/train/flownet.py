# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-flow-nano and vfi-flow-base: dense optical flow, in PyTorch.

The twin of models/flow.c: same layers, same weight names, same numbers.

The bricks are those of net.py, seen from t = 0: the grid is the first frame's, v1 is the flow to the second frame, in pixels of the
grid, and sigmoid (logit) the confidence that what is seen here is seen there too. Two things differ. The cost volume holds
whole displacements, <f0 (x), f1 (x + d)>: in the symmetric one, seen from the first frame, every other is missing. And v0, which
has no effect at t = 0, is two numbers a pixel that the network may hand from level to level as it likes.

What each level finds is then looked for anew with patches of luma, which reach farther and hold better than either (inverse_search).
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


PATCH, CELL, STEPS, ROUNDS = 8, 4, 5, 4
GREY, RIDGE, MARGIN, LOOSE, KEPT = 255., .064, .05, .3, .9


def grey(x):
    return net.exact(x) * GREY


@torch.no_grad()
def inverse_search(y0, y1, state):
    """A state (n,5,h,w) whose flow is looked for anew with patches of luma y0, y1 (n,1,h,w), h and w multiples of 4 (Kroeger et al., Fast
    Optical Flow using Dense Inverse Search, 2016), where that explains the picture better.

    Patches of 8x8 pixels, 4 apart, the first 4 outside; beyond the border pixels repeat. Brightness counts in 256ths, less the patch's mean. Each starts from
    the mean flow of the 2x2 pixels in its middle and takes 5 Lucas-Kanade steps with the gradient of the first frame, (sum g g' + RIDGE I) d = - sum g e; unless the
    mean square of e is then less by more than MARGIN, at most 8 pixels away, it stays. Then the flow of each of its four neighbours (right, below, left, above) is
    taken in turn if it is better by MARGIN, and 5 steps follow again. With k = 1 / (1 + mean square of e), four times: u = (k u + LOOSE * mean over 3x3 of u,
    weighted by k) / (k + LOOSE). A pixel's flow is the mean of its four patches', weighted by k; it takes it unless the flow it had is better:
    its |e|, mean over 5x5, below KEPT times the new one's."""
    n, _, h, w = y0.shape
    my, mx = h // CELL + 1, w // CELL + 1
    around = (PATCH,) * 4
    a, b = F.pad(grey(y0), around, 'replicate'), grey(y1)
    gx, gy = F.pad((a[..., 2:] - a[..., :-2]) / 2, (1, 1)), F.pad((a[:, :, 2:] - a[:, :, :-2]) / 2, (0, 0, 1, 1))

    def centred(x):
        return x - x.mean(-1, keepdim=True)

    def patches(x):
        x = x[:, :, CELL:CELL + (my - 1) * CELL + PATCH, CELL:CELL + (mx - 1) * CELL + PATCH]
        return centred(F.unfold(x, PATCH, stride=CELL).view(n, PATCH * PATCH, my, mx).permute(0, 2, 3, 1))
    look, gx, gy = patches(a), patches(gx), patches(gy)
    xx, xy, yy = (gx * gx).sum(-1) + RIDGE, (gx * gy).sum(-1), (gy * gy).sum(-1) + RIDGE
    det = xx * yy - xy * xy
    first = torch.stack(torch.meshgrid(torch.arange(my), torch.arange(mx), indexing='ij')[::-1]).to(a) * CELL - CELL  # x, y of the first pixel
    inside = torch.stack(torch.meshgrid(torch.arange(PATCH), torch.arange(PATCH), indexing='ij')[::-1]).to(a).view(2, 1, 1, -1)
    grid = first.unsqueeze(-1) + inside

    def difference(u):
        p = grid + u.unsqueeze(-1)
        p = torch.stack([(2 * p[:, i] + 1) / k - 1 for i, k in ((0, w), (1, h))], -1).view(n, my, -1, 2)
        e = centred(F.grid_sample(b, p, 'bilinear', 'border', False).view(n, my, mx, -1) - look)
        return e, (e * e).mean(-1)

    def better(here, there, ok=True):
        take = (there[2] + MARGIN < here[2]) & ok
        return [torch.where(take.unsqueeze(1) if i == 0 else take.unsqueeze(-1) if i == 1 else take, y, x) for i, (x, y) in enumerate(zip(here, there))]

    def steps(here):
        u, e = here[:2]
        for _ in range(STEPS):
            p, q = (gx * e).sum(-1), (gy * e).sum(-1)
            u = u + torch.stack((xy * q - yy * p, xy * p - xx * q), 1) / det.unsqueeze(1)
            e, square = difference(u)
        return better(here, (u, e, square), (u - here[0]).square().sum(1) <= PATCH ** 2)

    was = net.exact(state[:, 2:4])
    u = F.avg_pool2d(F.pad(was, (1, 1, 1, 1), 'replicate'), 2, 1)[:, :, ::CELL, ::CELL]
    here = steps((u, *difference(u)))
    near = F.pad(here[0], (1, 1, 1, 1), 'replicate')
    for y, x in ((1, 2), (2, 1), (1, 0), (0, 1)):
        u = near[:, :, y:y + my, x:x + mx]
        here = better(here, (u, *difference(u)))
    u, _, square = steps(here)
    k = (1 / (1 + square)).unsqueeze(1)
    for _ in range(ROUNDS):
        z = F.avg_pool2d(F.pad(torch.cat((u * k, k), 1), (1, 1, 1, 1), 'replicate'), 3, 1)
        u = (k * u + LOOSE * z[:, :2] / z[:, 2:]) / (k + LOOSE)
    z = F.avg_pool2d(torch.cat((u * k, k), 1), 2, 1).repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)
    new = z[:, :2] / z[:, 2:]

    def fit(flow):
        e = (net.warp(grey(y1), flow, torch.ones_like(flow[:1, :1, :1, :1])) - grey(y0)).abs()
        return F.avg_pool2d(F.pad(e, (2, 2, 2, 2), 'replicate'), 5, 1)
    return torch.cat((state[:, :2], torch.where(fit(was) < KEPT * fit(new), was, new).to(state.dtype), state[:, 4:]), 1)


class FlowNet(nn.Module):
    def __init__(self, name='vfi-flow-nano'):
        super().__init__()
        c = CONFIGS[name]
        self.c, self.name = c, name
        self.enc = net.Encoder(c)
        for l in (2, 1, 0):
            if c.dec[l]:
                self.add_module(f'dec{l}', net.Decoder(c, l))

    def forward(self, x0, x1, costs=None, both=False):
        """x0, x1 (n,6,H/2,W/2), H and W multiples of 32.
        Returns the states [at 1/8, at 1/4, at 1/2] (net.py) at t = 0; with `both` of twice the batch, then from x1 to x0.
        For training: a list given as costs is appended (cost volume, flow its second frame was warped by or None) of each level."""
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
                v = (moved * moved.new_tensor(net.STATE_IN).view(1, 7, 1, 1)).to(w1.dtype)
                state, feat = getattr(self, f'dec{l}')(torch.cat((k, f0[l], w1, v) + (() if feat is None else (feat,)), 1), state)
            else:
                state = net.finer(state)
            found = inverse_search(y0[l], y1[l], state)
            state = state + (found - state).detach()  # gradients pass as if nothing had been found
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
