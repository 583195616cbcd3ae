# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the network is trained to make small.

The synthesized middle frame is compared with the real one on its own planes: luma at full size,
chroma at half. Coarser states answer for area-averaged planes of their own size (deep supervision);
that is what teaches the coarse levels motion that the fine ones cannot find.
"""
import torch
import torch.nn.functional as F

import net

LUMA, CHROMA, LEVELS = 1.0, 0.5, 4
TEACH, MATCH, SMOOTH = .04, .03, 2e-4
TEACH_END = .6  # of the run
PSEUDO = .8  # of the anchor, as in the paper
SHARP = 8.  # from a cost, a mean of products, to a logit


def charbonnier(x, eps):
    return torch.sqrt(x * x + eps * eps)


def pyramid(e, eps, levels):
    """Mean Charbonnier of the bands of a Laplacian pyramid of an error image, coarser bands counting more:
    a wrong motion leaves an error that is wide as well as sharp, and that is where the slope towards the right one is."""
    loss = 0.
    for i in range(levels):
        if i == levels - 1 or min(e.shape[2:]) < 8:
            return loss + 2 ** i * charbonnier(e, eps).mean()
        low = F.avg_pool2d(e, 2)
        loss = loss + 2 ** i * charbonnier(e - F.interpolate(low, scale_factor=2, mode='bilinear', align_corners=False), eps).mean()
        e = low
    return loss


def frame(pred, truth, eps, pyr, levels):
    """Charbonnier of the error plus `pyr` times that of its pyramid."""
    e = pred - truth
    loss = charbonnier(e, eps).mean()
    return loss + pyr * pyramid(e, eps, levels) if pyr > 0 else loss


def smoothness(state, luma):
    """Velocity differences of neighbours, where the picture has none itself."""
    y = F.avg_pool2d(luma, luma.shape[2] // state.shape[2])
    v = state[:, :4]
    dx = (v[..., 1:] - v[..., :-1]).abs() * torch.exp(-12 * (y[..., 1:] - y[..., :-1]).abs())
    dy = (v[:, :, 1:] - v[:, :, :-1]).abs() * torch.exp(-12 * (y[:, :, 1:] - y[:, :, :-1]).abs())
    return dx.mean() + dy.mean()


def weights(progress):
    """(eps, pyramid, coarse levels, smoothness) over the run: find the motion first, polish PSNR last."""
    late = min(max((progress - .5) / .45, 0), .3)
    return 1e-3 + 9e-3 * late, .25 * (1 - .8 * late), max(.6 * (1 - progress), .2), max(1 - progress / .4, 0)


def matching(cost, d, sure):
    """Cross entropy of a cost volume (n,(2r+1)^2,h,w), read as logits, with the true displacement d (n,2,h,w) in pixels
    of its grid, split between its four neighbours; sure (n,1,h,w) weighs. It makes features that tell places apart,
    which the other losses ask for only through the decoders."""
    r = int(cost.shape[1] ** .5) // 2
    at = torch.arange(-r, r + 1, device=d.device, dtype=d.dtype).view(1, -1, 1, 1)
    hat_x, hat_y = ((1 - (d[:, i:i + 1] - at).abs()).clamp(min=0) for i in (0, 1))
    target = (hat_y.unsqueeze(2) * hat_x.unsqueeze(1)).flatten(1, 2)  # all zero, so without effect, outside the volume
    return -(target * F.log_softmax(cost.float() * SHARP, 1)).sum(1, True).mul(sure).mean()


@torch.no_grad()
def trust(y0, ym, y1, t, v):
    """How well velocities v (n,4,h,w) explain the middle luma of the same size: 1 = fully; per channel."""
    return torch.cat([torch.exp(-20 * F.avg_pool2d((net.warp(p, w, s) - ym).abs(), 5, 1, 2)).expand(-1, 2, -1, -1)
                      for p, w, s in ((y0, v[:, :2], -t), (y1, v[:, 2:], 1 - t))], 1)


def teaching(states, costs, t, v, sure):
    """Distance of the states and cost volumes from the teacher's velocities v (n,4,h,w, on the finest grid or a finer one),
    weighed by its trust: (of the states, of the volumes)."""
    near, match = 0., 0.
    for i, state in enumerate(states):
        s = v.shape[2] // state.shape[2]
        m, w = F.avg_pool2d(sure, s), F.avg_pool2d(sure * v, s)
        near = near + charbonnier(state[:, :4] * (m * s) - w, .05).mean()  # in pixels of the teacher's grid, all levels alike
        with torch.no_grad():
            m, w = F.avg_pool2d(sure, 2 * s), F.avg_pool2d(sure * v, 2 * s) / (2 * s)
            w = w / (m + 1e-3)
            cost, moved = costs[i]
            if moved is not None:  # what is left, on a grid that is symmetric for t = 1/2 only
                w = w - moved
                m = m * (t == .5)
            m = m.amin(1, True)
            d = (w[:, :2] + w[:, 2:]) / 4
        match = match + matching(cost, d, m)
    return near, match


def planes_at(y, uv, i, j, state, t):
    """Luma and chroma made from frames i and j of a batch."""
    return net.synthesize(y[:, i:i + 1], y[:, j:j + 1], state, t), net.synthesize(uv[:, i], uv[:, j], state, t)


def cycle(model, y, uv, t, progress, anchor=None):
    """Cycle consistency (Reda et al., Unsupervised Video Interpolation Using Cycle Consistency, ICCV 2019): for footage without frames in
    between. From three successive frames, y (n,3,H,W), uv (n,3,2,H/2,W/2), those at t and 1 + t are made; from these two the one at 1
    again, which is known. With `anchor`, a network that stays as it is, the frames at t and 1 + t are also held near what it makes
    (pseudo supervision): else nothing in the cycle keeps them from being blurred or displaced both ways.
    Returns (loss, detached luma MSE of the frame made again)."""
    eps, pyr, _, _ = weights(progress)
    x = [net.pack(y[:, i:i + 1], uv[:, i]) for i in range(3)]
    made, near = [], 0.
    for i in (0, 1):
        out = planes_at(y, uv, i, i + 1, model(x[i], x[i + 1], t)[-1], t)
        made.append(out)
        if anchor is not None:
            with torch.no_grad():
                want = planes_at(y, uv, i, i + 1, anchor(x[i], x[i + 1], t)[-1], t)
            near = near + sum(w * frame(a, b, eps, pyr, LEVELS - 1) for a, b, w in zip(out, want, (LUMA, CHROMA))) / 2
    (ya, uva), (yb, uvb) = made
    state = model(net.pack(ya, uva), net.pack(yb, uvb), 1 - t)[-1]
    again = net.synthesize(ya, yb, state, 1 - t)
    loss = LUMA * frame(again, y[:, 1:2], eps, pyr, LEVELS) + PSEUDO * near
    loss = loss + CHROMA * frame(net.synthesize(uva, uvb, state, 1 - t), uv[:, 1], eps, pyr, LEVELS - 1)
    return loss, ((again.detach() - y[:, 1:2]) ** 2).mean()


def total(states, y, uv, t, progress, costs=None, v=None):
    """Loss of the states of a batch; y (n,3,H,W), uv (n,3,2,H/2,W/2), t (n,1,1,1); with a teacher's velocities v
    also of the cost volumes.
    Returns (loss, detached luma MSE of the finest synthesis)."""
    eps, pyr, coarse, early = weights(progress)
    uv0, uvm, uv1 = uv.unbind(1)
    y0, ym, y1 = (p.unsqueeze(1) for p in y.unbind(1))
    out = net.synthesize(y0, y1, states[-1], t)
    loss = LUMA * frame(out, ym, eps, pyr, LEVELS)
    loss = loss + CHROMA * frame(net.synthesize(uv0, uv1, states[-1], t), uvm, eps, pyr, LEVELS - 1)
    for i, state in enumerate(states[:-1]):
        s = y.shape[2] // state.shape[2]
        p0, pm, p1 = (torch.cat((F.avg_pool2d(a, s), F.avg_pool2d(b, s // 2)), 1) for a, b in ((y0, uv0), (ym, uvm), (y1, uv1)))
        e = net.synthesize(p0, p1, state, t) - pm
        loss = loss + coarse * .7 ** (len(states) - 2 - i) * (charbonnier(e, 1e-3).mean() + pyr * pyramid(e, 1e-3, LEVELS - 2))
    if early > 0:
        loss = loss + SMOOTH * early * smoothness(states[-1], ym)
    if v is not None and progress < TEACH_END:
        near, match = teaching(states[:len(costs)], costs, t, v, trust(*(F.avg_pool2d(p, 2) for p in (y0, ym, y1)), t, v))
        loss = loss + (1 - progress / TEACH_END) * (TEACH * near + MATCH * match)
    return loss, ((out.detach() - ym) ** 2).mean()
