# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-flow-nano and vfi-flow-base: dense optical flow, in PyTorch.

The twin of models/flow.c: same layers, same weight names, same numbers.

The bricks are those of net.py, seen from t = 0: the grid is the first frame's, v1 is the flow to the second frame, in pixels of the
grid, and sigmoid (logit) the confidence that what is seen here is seen there too. Two things differ. The cost volume holds
whole displacements, <f0 (x), f1 (x + d)>: in the symmetric one, seen from the first frame, every other is missing. And v0, which
has no effect at t = 0, is two numbers a pixel that the network may hand from level to level as it likes.

What each level finds is then looked for anew with patches of luma, which reach farther and hold better than either (net.inverse_search).
After the last level come Lucas-Kanade steps alone: one at 1/2, and two on the frame's own grid (sharpen), which is what sub-pixel motion takes.

vfi-flow-base is vfi-flow-nano both ways, as it is, and a second network that corrects the way there (Refine): what is hidden in the second frame has no match
there, which searches do not know, and most of the error of the first one is found round it. What comes of it is taken over by all that looks alike round it (weighted_median), which does not learn.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import net
from correlation import Correlation

NANO = net.Config(enc=(24, 40, 64), enc_convs=(0, 1, 1), dec=(0, 64, 80), dec_convs=(0, 3, 4), feat=(0, 20), radius=(0, 3, 4))  # the search alone is as good at 1/4
REFINE = net.Config(enc=(24, 40, 64), enc_convs=(0, 1, 1), dec=(40, 96, 128), dec_convs=(2, 3, 3), feat=(24, 32), radius=(0, 4, 8))
UNLEARNT = net.Config(enc=(0, 0, 0), enc_convs=(0, 0, 0), dec=(0, 0, 0), dec_convs=(0, 0, 0), feat=(0, 0), radius=(0, 0, 0))  # Lucas-Kanade steps and searches alone
CONFIGS = {'vfi-flow-nano': (NANO, None), 'vfi-flow-base': (NANO, REFINE)}
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


class Context(nn.Module):
    """What is seen of x (n,c,h,w) on a grid half as fine."""

    def __init__(self, c, n):
        super().__init__()
        self.n = n
        self.down = net.conv(c, c, 3, 2)
        for i in range(n):
            self.add_module(f'conv{i}', net.conv(c, c))
        self.up = net.conv(c, 4 * c, 1)

    def forward(self, x):
        z = net.act(self.down(x))
        for i in range(self.n):
            z = net.act(getattr(self, f'conv{i}')(z) + z)
        return F.pixel_shuffle(self.up(z), 2)


class Refine(nn.Module):
    """What to add to the state of x0 at 1/2, from 1/16 on: there is a cost volume round what it says, and the state of x1 seen along it, which says otherwise where either is
    wrong or nothing is seen."""

    SEEN = 7  # flow, logit, how far apart it and the way back are, the other one's logit, how much brighter it is there

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.enc = net.Encoder(c)
        for l in (2, 1, 0):
            self.add_module(f'dec{l}', net.Decoder(c, l, self.SEEN))
        self.dec2.context = Context(c.dec[2], 2)

    def forward(self, f0, f1, y0, y1, here, there, costs=None):
        """Features (of enc) at 1/4 ... 1/16 and luma at 1/2 ... 1/32 of both frames, their states at 1/2. Returns what to add, at 1/8, 1/4, 1/2, and the states of
        x0 at 1/2 ... 1/16. For costs, see FlowNet."""
        states = [[s] for s in (here, there)]
        for s in states:
            for _ in range(3):
                s.append(coarser(s[-1]))
        change, feat, changes = None, None, []
        for l in (2, 1, 0):
            now = states[0][l + 1] if change is None else states[0][l + 1] + change
            flow, one = now[:, 2:4], now.new_ones(1, 1, 1, 1)
            w1, back, luma = net.warp(f1[l], flow, one), net.warp(states[1][l + 1], flow, one), net.warp(y1[l + 1], flow, one)
            x = (f0[l], w1, *(v.to(w1.dtype) for v in (now[:, 2:], back[:, 2:4] + flow, back[:, 4:], luma - y0[l + 1])))
            if self.c.radius[l]:
                x = (correlation(f0[l], w1, self.c.radius[l]), *x)
                if costs is not None:
                    costs.append((x[0], flow))
            change, feat = getattr(self, f'dec{l}')(torch.cat(x if feat is None else (*x, feat), 1), change)
            changes.append(change)
        return changes, states[0]


PLACES, STEP, ALIKE, CHROMA, DOUBT, NEAR, ROUNDS, KEPT = 4, 7, .04, 1.5, .02, .25, 4, 4


@torch.no_grad()
def weighted_median(state, apart, luma, chroma):
    """The state (n,5,h,w) whose flow v1, where it is not sure, is the median of that at places p + STEP (i, j) round each pixel p, i and j from -PLACES to PLACES, clamped to the border: of what looks alike in
    luma (n,1,h,w) and chroma (n,2,h,w), and where the flow there and back are not far apart (n,2,h,w: their sum, in pixels). The median of both components together: Weiszfeld's iteration.
    What is sure stays, as a median takes the slopes from what is smooth."""
    h, w = state.shape[2:]
    reach = PLACES * STEP
    pad = F.pad(torch.cat((state[:, 2:4], 1 / (1 + apart.square().sum(1, True)) + DOUBT, luma, CHROMA * chroma), 1), (reach,) * 4, 'replicate')
    here = pad[:, 3:, reach:reach + h, reach:reach + w]
    at = [pad[:, :, y:y + h, x:x + w] for y in range(0, 2 * reach + 1, STEP) for x in range(0, 2 * reach + 1, STEP)]
    weights = [torch.exp((q[:, 3:] - here).square().sum(1, True) / (-2 * ALIKE ** 2)) * q[:, 2:3] for q in at]
    u = sum(k * q[:, :2] for k, q in zip(weights, at)) / sum(weights)
    for _ in range(ROUNDS):
        near = [k / ((q[:, :2] - u).square().sum(1, True) + NEAR ** 2).sqrt() for k, q in zip(weights, at)]
        u = sum(k * q[:, :2] for k, q in zip(near, at)) / sum(near)
    kept = torch.sigmoid(state[:, 4:]) ** 2 / (1 + KEPT * apart.square().sum(1, True))
    return torch.cat((state[:, :2], u + kept * (state[:, 2:4] - u), state[:, 4:]), 1)


def coarser(state):
    """The same state on the grid half as fine."""
    s = F.avg_pool2d(state, 2)
    return torch.cat((s[:, :4] / 2, s[:, 4:]), 1)


class FlowNet(nn.Module):
    def __init__(self, name='vfi-flow-nano', config=None):
        super().__init__()
        c, refine = config or CONFIGS[name]
        self.c, self.name = c, name
        self.enc = net.Encoder(c) if any(c.dec) else lambda x: None
        for l in (2, 1, 0):
            if c.dec[l]:
                self.add_module(f'dec{l}', net.Decoder(c, l))
        self.refine = None
        if refine:
            self.requires_grad_(False)
            self.refine = Refine(refine)
        self.register_buffer('state_in', net.state_in(), persistent=False)

    def forward(self, x0, x1, costs=None, own=None, both=False):
        """x0, x1 (n,6,H/2,W/2), H and W multiples of 32.
        Returns the states [at 1/8, at 1/4, at 1/2] (net.py) at t = 0; with `both` of twice the batch, then from x1 to x0.
        For training, lists given are appended: to costs (cost volume, flow its second frame was warped by or None) of each level, to `own` the state
        before patches are searched for, which is what learns. What they find is where the next level starts, and passes no gradient: a decoder
        whose errors the search repairs would be told of those that remain, and drift. Where there is a second network, that alone learns."""
        def twice(a, b):
            return ([torch.cat(q) for q in zip(a, b)], [torch.cat(q) for q in zip(b, a)]) if both and a else (a, b)
        y0, y1 = twice(*net.lumas(x0, x1))  # luma at 1/2 ... 1/32
        f0, f1 = twice(self.enc(x0), self.enc(x1))
        if self.refine is None:
            return self.motion(f0, f1, y0, y1, costs, own)
        with torch.no_grad():
            here, there = self.motion(f0, f1, y0, y1)[-1], self.motion(f1, f0, y1, y0)[-1]
        changes, states = self.refine(*twice(self.refine.enc(x0), self.refine.enc(x1)), y0, y1, here, there, costs)
        out = [state + change for state, change in zip(states[2::-1], changes)]
        if own is not None:
            own += out
        if not self.training:
            back = net.warp(there[:, 2:4], out[-1][:, 2:4], there.new_ones(1, 1, 1, 1))
            chroma = torch.cat((x0[:, 4:], x1[:, 4:])) if both else x0[:, 4:]
            out[-1] = weighted_median(out[-1], back + out[-1][:, 2:4], y0[0], net.exact(chroma))
        return out

    def motion(self, f0, f1, y0, y1, costs=None, own=None):
        """The states, by the first network alone."""
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
    y0, y1 = (p[-1] for p in net.lumas(x0, x1, fine=True))
    state, t = net.finer(state), y0.new_zeros(1, 1, 1, 1)
    for _ in range(2):
        state = net.lucas_kanade(y0, y1, state, t)[:, :5]
    return state


def full(state, h, w):
    """Flow (n,2,h,w) and confidence (n,1,h,w) of frames of h x w, from a state on a grid 1/s of the padded size."""
    s = -(-h // MULTIPLE) * MULTIPLE // state.shape[2]
    up = F.interpolate(state[:, 2:], scale_factor=s, mode='bilinear', align_corners=False)[:, :, :h, :w]
    return up[:, :2] * s, torch.sigmoid(up[:, 2:])
