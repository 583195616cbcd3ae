# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-base: frame interpolation at any time t from six opinions on motion, in PyTorch.

The twin of models/base.c: same layers, same weight names, same numbers.

There is no motion that is right everywhere, but of several one mostly is. The opinions are

- the velocities of vfi-nano (net.py), as they are before patches have a say,
- the flow that patches find (net.second_opinion), from the first frame to the second, and from the second to the first, there not looked for at 1/2,
- the flow of Lucas-Kanade steps and patches in turn (flownet.py without its network, which was worth nothing here), there and back,
- no motion: letters and logos before what moves (net.still).

The four flows are looked for anew with patches on the frame's own grid, which is what sub-pixel motion takes, and are seen from t as flow (p - t flow (p)) or, of the way back,
-flow (p + (1 - t) (-flow (p))). A frame is made along each from native samples (net.synthesize, net.warp_sharp), and all are mixed by a softmax of how well each explains the two given ones
(evidence). Which of both frames to believe is what vfi-nano says, but half as loud: other motions hide other things.

Nothing of it is trained but vfi-nano, whose weights it takes.
"""
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flownet
import net

WINDOW, DARK, STEEP, TRUST, STILL = 5, .008, 3, .5, 4.


def evidence(y0, y1, motion, t, within=None):
    """How well velocities in pixels of a grid half as fine, motion (n,2,h,w), or (n,4 or more,h,w): v0, v1, explain luma y0, y1 (n,1,2h,2w) at time t: a logit (n,1,h,w). One
    pixel of four is looked at: all of them say the same. Of what lies outside of one of both nothing is known (net.inside)."""
    v0, v1 = 2 * motion[:, :2], 2 * (motion[:, :2] if motion.shape[1] == 2 else motion[:, 2:4])
    e = (net.warp(y0, v0, -t, 2, 2) - net.warp(y1, v1, 1 - t, 2, 2)).abs() * net.inside(y0, v0, -t, 2, 2, within=within) * net.inside(y1, v1, 1 - t, 2, 2, within=within)
    e = F.avg_pool2d(F.pad(e, (WINDOW,) * 4, 'replicate'), 2 * WINDOW + 1, 1)
    return -STEEP * torch.log(e + DARK)


def opinions(state, logits, flows):
    """What synthesize takes: a state (n,5,h,w), and of each flow (n,2k,h,w) its part of the softmax of logits (n,k+1,h,w), of which the first is the state's, x and y."""
    w = torch.softmax(logits, 1)
    further = [x for i in range(1, logits.shape[1]) for x in (w[:, i:i + 1], flows[:, 2 * i - 2:2 * i])]
    return torch.cat((state, *further), 1)


class BaseNet(net.Net):
    sampled = staticmethod(net.warp_sharp)

    def __init__(self, name='vfi-base'):
        super().__init__('vfi-nano')
        self.name = name
        self.flow = flownet.FlowNet(config=(flownet.UNLEARNT, None))

    def forward(self, x0, x1, t):
        """x0, x1 (n,6,H/2,W/2), H and W multiples of 32; t (n,1,1,1) in (0,1). Returns a list, here of the last state alone (n,20,H/2,W/2), for net.synthesize."""
        y = net.lumas(x0, x1, fine=True)
        fine = [p[-1] for p in y]
        state = self.velocities(x0, x1, t)[-1]
        state = torch.cat((state[:, :4], TRUST * state[:, 4:]), 1)
        back = F.interpolate(net.second_opinion(y[1], y[0], finest=1), scale_factor=2, mode='bilinear', align_corners=False) * 2
        flows = [net.second_opinion(*y), back] + [s[:, 2:4].contiguous() for s in self.flow(x0, x1, both=True)[-1].chunk(2)]
        seen = []
        for k, flow in enumerate(flows):
            i = k % 2
            v = net.dense_search(fine[i], fine[1 - i], flow, first=0, far=2, rounds=1, steps=1, half=-.5 if i else .5)
            seen.append(net.warp(v, v, 1 - t if i else -t))
        seen.append(torch.zeros_like(seen[0]))
        logits = [evidence(*fine, m, t) for m in (state, *seen)]
        logits[-1] = logits[-1] + STILL * net.still(y[0][0], y[1][0], flows[0])
        return [opinions(state, torch.cat(logits, 1), torch.cat(seen, 1))]


MODELS = {'vfi-nano': net.Net, 'vfi-base': BaseNet}


def network(name):
    """An interpolation network by its name."""
    return MODELS[name](name)
