# SPDX-License-Identifier: LGPL-2.1-or-later
"""What flow training makes small: distance to exact flow where it is known (moving layers), and where it is not (footage) what both
frames say of it: the census of the picture, smoothness, and the way back."""
import torch
import torch.nn.functional as F

import losses
import net

LEVELS = (.12, .3, 1.)  # weights of the states at 1/8, 1/4, 1/2
MATCH, SEEN, SMOOTH = 1.5, .3, .15


def distance(state, flow):
    """Robust end-point error, in pixels of the frame; flow (n,2,h,w) of the frame."""
    s = flow.shape[2] // state.shape[2]
    e = (state[:, 2:4] * s - F.avg_pool2d(flow, s)).square().sum(1, True)
    return (e + 1e-2).pow(.4)


def supervised(states, costs, flow, seen):
    """Loss of the states, coarsest first. Distance counts where nothing is seen, too: flow goes on behind."""
    loss = 0.
    for w, state in zip(LEVELS, states):
        s = flow.shape[2] // state.shape[2]
        loss = loss + w * distance(state, flow).mean()
        loss = loss + w * SEEN * F.binary_cross_entropy_with_logits(state[:, 4:], F.avg_pool2d(seen, s))
    for cost, moved in costs:
        s = flow.shape[2] // cost.shape[2]
        d = F.avg_pool2d(flow, s) / s
        loss = loss + MATCH / len(costs) * losses.matching(cost, d if moved is None else d - moved.detach(), F.avg_pool2d(seen, s))
    return loss


@torch.no_grad()
def end_point_error(state, flow):
    """Mean, in pixels of the frame."""
    s = flow.shape[2] // state.shape[2]
    return (state[:, 2:4] * s - F.avg_pool2d(flow, s)).norm(dim=1).mean()


def census(y, r=2):
    """Soft signs of the differences to the (2r+1)^2 - 1 neighbours (n,k,h,w): insensitive to brightness and contrast."""
    n, _, h, w = y.shape
    p = F.pad(y, (r, r, r, r), 'replicate')
    d = torch.cat([p[:, :, i:i + h, j:j + w] - y for i in range(2 * r + 1) for j in range(2 * r + 1) if (i, j) != (r, r)], 1)
    return d / torch.sqrt(.001 + d * d)


def consistent(forward, backward):
    """Where the flow there and the flow back agree (n,1,h,w): bool."""
    back = net.warp(backward, forward, 1)
    apart = (forward + back).square().sum(1, True)
    return apart < .05 * (forward.square().sum(1, True) + back.square().sum(1, True)) + .5


def unsupervised(states, y):
    """states of both directions, forward then backward along the batch; y (n,2,h,w), luma of both frames."""
    loss = 0.
    for w, state in zip(LEVELS[1:], states[1:]):
        s = y.shape[2] // state.shape[2]
        n = y.shape[0]
        small = F.avg_pool2d(y, s)
        here, there = torch.cat(small.split(1, 1)), torch.cat(small.split(1, 1)[::-1])
        flow = state[:, 2:4]
        with torch.no_grad():
            ok = consistent(flow, torch.cat((flow[n:], flow[:n])))
            p = torch.stack(torch.meshgrid(*(torch.arange(k, device=y.device) for k in here.shape[2:]), indexing='ij')[::-1]) + flow
            inside = (p >= 0).all(1, True) & (p[:, :1] <= here.shape[3] - 1) & (p[:, 1:] <= here.shape[2] - 1)
            sure = (ok & inside).float()
        e = (census(here) - census(net.warp(there, flow, 1))).square()
        e = torch.sqrt((e / (.1 + e)).mean(1, True) + 1e-4)
        both = torch.cat((flow, flow), 1)
        loss = loss + w * ((e * sure).mean() + SMOOTH * losses.smoothness(both, here))
        loss = loss + w * SEEN * F.binary_cross_entropy_with_logits(state[:, 4:], sure)
    return loss
