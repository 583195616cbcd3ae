# SPDX-License-Identifier: LGPL-2.1-or-later
"""vfi-nano: frame interpolation at any time t, in PyTorch.

The twin of models/vfi.c: same layers, same weight names, same numbers. It is the network
that is trained; the C file is the network that is shipped.

The network knows nothing of t. It sees both frames *through* t and answers with velocities:

- A symmetric cost volume  C(x, d) = <f0(x - d), f1(x + d)>  holds, at the middle of the pair,
  the evidence for the motion 2d. The volume of any other time is the same one sheared,
  C_t(x, d) = C(x + (1 - 2t) d, d), so one volume serves every t.
- What is estimated is v0, v1 (velocities in pixels per pair interval, x then y) and an occlusion
  logit, all on the grid of the frame to be made; frame 0 is sampled at x - t v0, frame 1 at
  x + (1 - t) v1, and they are blended with sigmoid (logit + log ((1 - t) / t)), so the result
  tends to the real frames as t tends to 0 or 1.
- At each level, from 1/32 up, a Lucas-Kanade step on luma comes first (two at 1/32 and 1/16), and a last one at 1/2: where brightness is
  constant and texture is there, its closed form is more precise than a small network; the network decides what it cannot (large motion, occlusion, flat areas).
- What the coarsest level finds is looked for anew with patches of luma (inverse_search): motion that is lost there is lost for good.
- Where all of the picture became brighter or darker, in fades, luma of the second frame is made as bright as the first's before any of that (exposure); what the network sees is not.
- In the end there is a second opinion that no network has a part in, and that is the same for every t: a flow found from nothing by patches of luma at 1/32 to 1/2
  (dense_search). A frame is made along each, and they are mixed by how much more alike the given frames are along one than along the other (weigh).
- What stands still, letters before what moves, is neither's (still).
- In a stream, what moves from frame to frame does not go straight: by the flows of the pairs before and after, what is seen is looked for a little farther along (curve). It is trained on pairs, without that.
- Every output pixel is a convex combination of native input pixels: flat areas and colours
  survive exactly, in any pixel format.

The frame enters as six channels at half size: the four luma samples of each 2x2 block and its
two chroma samples, which is 4:2:0 video as it comes, without conversion.
"""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from correlation import Correlation


@dataclass(frozen=True)
class Config:
    """Widths and depths, finest level (1/4) first."""
    enc: tuple      # feature channels at 1/4, 1/8, 1/16
    enc_convs: tuple  # 3x3 convolutions after the strided one, per level
    dec: tuple      # decoder channels at 1/4, 1/8, 1/16
    dec_convs: tuple  # 3x3 convolutions per decoder
    feat: tuple     # channels handed to the next finer level, from 1/8 and from 1/16
    radius: tuple   # cost volume radius per level


CONFIGS = {
    'vfi-nano': Config(enc=(24, 40, 64), enc_convs=(0, 1, 1), dec=(0, 48, 64), dec_convs=(0, 2, 3),
                       feat=(0, 16), radius=(0, 3, 4)),
}
CHROMA_LIMIT = .08
MULTIPLE = 32  # the frame is padded (replicated right and bottom) to a multiple of this
STATE_IN = (.125, .125, .125, .125, 1., 1., 1.)  # how v0, v1, logit and the Lucas-Kanade step enter the decoders


def act(x):
    return F.leaky_relu(x, 0.1)


def exact(x):
    """fp32 where a network runs in less; fp64 stays."""
    return x if x.dtype == torch.float64 else x.float()


def warp(x, v, gain, rows=1, columns=1):
    """Bilinear sample of x (n,c,h,w) at p + gain * v(p); v (n,2,h,w) in pixels, gain (n,1,1,1). Border: clamp. For every so many rows and columns, v is of these
    only."""
    n, _, h, w = x.shape
    v = exact(v * gain)
    gy, gx = torch.meshgrid(torch.arange(0, h, rows, device=x.device, dtype=v.dtype), torch.arange(0, w, columns, device=x.device, dtype=v.dtype),
                            indexing='ij')
    gx = (gx + v[:, 0]) * (2.0 / max(w - 1, 1)) - 1
    gy = (gy + v[:, 1]) * (2.0 / max(h - 1, 1)) - 1
    return F.grid_sample(exact(x).to(v.dtype), torch.stack((gx, gy), 3), 'bilinear', 'border', True).to(x.dtype)


OUTSIDE = 2 ** -10


def inside(x, v, gain, rows=1, columns=1, size=None, within=None):
    """How much counts what warp samples (n,1,h,w): 1, less by as many pixels as the place is outside of x (n,c,h,w), or of size (h, w), or within parts of its sides (top, left, bottom, right), OUTSIDE at least. Half
    of a pixel is as far as the outermost ones reach."""
    far = []
    for k, every in ((0, columns), (1, rows)):
        n = x.shape[3 - k]
        at = torch.arange(0, n, every, device=x.device, dtype=torch.float32).view((1, 1, -1) if k == 0 else (1, -1, 1)) + exact(v * gain)[:, k]
        low, high = (within[1 - k] * n, within[3 - k] * n) if within else (0, size[1 - k] if size else n)
        far += [low - at, at - (high - 1)]
    return (1.5 - torch.stack(far).amax(0)).clamp(OUTSIDE, 1).unsqueeze(1)


def bend(x, axis):
    """Second differences along an axis, border replicated."""
    n = x.shape[axis]
    before, after = x.narrow(axis, 0, 1), x.narrow(axis, n - 1, 1)
    return torch.cat((before, x.narrow(axis, 0, n - 1)), axis) + torch.cat((x.narrow(axis, 1, n - 1), after), axis) - 2 * x


def warp_cubic(x, v, gain):
    """As warp, but by Catmull-Rom's cubics over 4x4 pixels. Along one axis, with f the fraction of the place, that is the bilinear sample of x
    less f (1 - f) / 2 times that of its second differences: four bilinear samples at one place."""
    n, c, h, w = x.shape
    place = []
    for k, size in ((0, w), (1, h)):
        at = torch.arange(size, device=x.device, dtype=torch.float32).view((1, 1, -1) if k == 0 else (1, -1, 1))
        p = (at + exact(v * gain)[:, k]).clamp(0, size - 1).unsqueeze(1)
        f = p - p.detach().floor()
        place.append(f * (1 - f) / 2)
    ax, ay = place
    bx, by = bend(x, 3), bend(x, 2)
    p, px, py, pxy = warp(torch.cat((x, bx, by, bend(bx, 2)), 1), v, gain).split(c, 1)
    return p - ax * px - ay * py + ax * ay * pxy


def warp_sharp(x, v, gain):
    """As warp, but by cubics over 6x6 pixels that are nearly a sinc in Kaiser's window (core/sample.h: vfi_sharp); no gradient for v."""
    n, c, h, w = x.shape
    taps = []
    for k, size in ((0, w), (1, h)):
        at = torch.arange(size, device=x.device, dtype=torch.float32).view((1, 1, -1) if k == 0 else (1, -1, 1))
        p = (at + exact(v.detach() * gain)[:, k]).clamp(0, size - 1).unsqueeze(1)
        i = p.floor()
        f = p - i
        g, b = f - .5, f * (1 - f)
        even, odd = (.5 + .425 * b, -.6 * b, .175 * b), (g + g * b, -.7 * g * b, .22 * g * b)
        taps.append([((i.long() + q).clamp(0, size - 1), even[q - 1] + odd[q - 1] if q > 0 else even[-q] - odd[-q]) for q in range(-2, 4)])
    flat = x.flatten(2)
    return sum(wy * sum(wx * flat.gather(2, (iy * w + ix).expand(n, c, h, w).flatten(2)).view(n, c, h, w) for ix, wx in taps[0]) for iy, wy in taps[1])


def correlation(f0, f1, r):
    """Symmetric cost volume (n,(2r+1)^2,h,w): mean over channels of f0(x - d) f1(x + d), zero outside;
    channel (dy + r) (2r + 1) + dx + r."""
    if torch.is_grad_enabled():
        return Correlation.apply(f0, f1, r)
    n, c, h, w = f0.shape
    p0, p1 = F.pad(f0, (r, r, r, r)), F.pad(f1, (r, r, r, r))
    out = []
    for dy in range(-r, r + 1):
        for dx in range(-r, r + 1):
            out.append((p0[:, :, r - dy:r - dy + h, r - dx:r - dx + w] *
                        p1[:, :, r + dy:r + dy + h, r + dx:r + dx + w]).mean(1))
    return torch.stack(out, 1)


def shear(cost, r, t):
    """The volume seen from time t: channel d sampled (bilinear, zero outside) at x + (1 - 2t) d; t (n,1,1,1)."""
    n, k, h, w = cost.shape
    if t.device.type == 'cpu' and bool((t == 0.5).all()):  # elsewhere a wait for the device costs more
        return cost
    d = torch.arange(-r, r + 1, device=cost.device, dtype=torch.float32)
    dy, dx = torch.meshgrid(d, d, indexing='ij')
    s = (1 - 2 * t).view(n, 1)
    gx = torch.arange(w, device=cost.device).view(1, 1, 1, w) + (s * dx.reshape(1, -1)).view(n, k, 1, 1)
    gy = torch.arange(h, device=cost.device).view(1, 1, h, 1) + (s * dy.reshape(1, -1)).view(n, k, 1, 1)
    grid = torch.stack(((2 * gx + 1) / w - 1 + 0 * gy, (2 * gy + 1) / h - 1 + 0 * gx), 4)
    out = F.grid_sample(exact(cost).reshape(n * k, 1, h, w), grid.reshape(n * k, h, w, 2).to(exact(cost).dtype), 'bilinear', 'zeros', False)
    return out.view(n, k, h, w).to(cost.dtype)


def mean_pool(x, k):
    """Mean over k x k pixels and all channels: (n,c,h,w) -> (n,1,h/k,w/k), fp32."""
    return F.avg_pool2d(exact(x).mean(1, keepdim=True), k)


LK_FLOOR, LK_RIDGE, LK_LIMIT = 1e-4, .05, 1.


def lucas_kanade(y0, y1, state, t, within=None):
    """One Lucas-Kanade step in closed form, seen from time t. y0, y1 (n,1,h,w), state (n,5,h,w) or None (zero).
    With w0 = y0 (p - t v0), w1 = y1 (p + (1 - t) v1), g the central-difference gradient of their mean (border replicated) and
    e = w1 - w0, times how much both places are inside (what one picture does not show holds nothing back), the motion d that explains e over a window (a 3x3 box twice, zero outside) solves (sum g g' + m I) d = - sum g e,
    m = LK_FLOOR + LK_RIDGE trace; each component is clamped to LK_LIMIT pixels.
    Returns (n,7,h,w): v0 + d and v1 + d, each the mean over 3x3 pixels (border replicated), logit, d."""
    if state is None:
        state = y0.new_zeros(y0.shape[0], 5, *y0.shape[2:])
    w0, w1 = warp(y0, state[:, 0:2], -t), warp(y1, state[:, 2:4], 1 - t)
    mid = F.pad((w0 + w1) / 2, (1, 1, 1, 1), 'replicate')
    e = (w1 - w0) * inside(y0, state[:, 0:2], -t, within=within) * inside(y1, state[:, 2:4], 1 - t, within=within)
    gx = (mid[:, :, 1:-1, 2:] - mid[:, :, 1:-1, :-2]) / 2
    gy = (mid[:, :, 2:, 1:-1] - mid[:, :, :-2, 1:-1]) / 2
    q = torch.cat((gx * gx, gx * gy, gy * gy, gx * e, gy * e), 1)
    for _ in range(2):
        q = F.avg_pool2d(q, 3, 1, 1)  # padding counts: zero outside
    a, b, c, p, q = q.split(1, 1)
    m = LK_RIDGE * (a + c) + LK_FLOOR
    a, c = a + m, c + m
    d = torch.cat((b * q - c * p, b * p - a * q), 1) / (a * c - b * b)
    d = d.clamp(-LK_LIMIT, LK_LIMIT)
    v = state[:, :4] + torch.cat((d, d), 1)
    return torch.cat((F.avg_pool2d(F.pad(v, (1, 1, 1, 1), 'replicate'), 3, 1), state[:, 4:5], d), 1)


PATCH, CELL, STEPS, ROUNDS = 8, 4, 5, 4
GREY, RIDGE, MARGIN, APART, ENOUGH, LOOSE, KEPT, LEAST = 255., .064, .05, .25, 9., .3, .9, 1.


def grey(x):
    return exact(x) * GREY


class Patches:
    """Patches of 8x8 pixels of luma y0 (n,1,h,w), 4 apart, or `down` from row to row, the first 4 outside, to be found in y1; beyond the border pixels repeat.
    Brightness counts in 256ths, less the patch's mean. What is found: flow (n,rows,columns,2), x then y, and the mean square of e, what differs along it,
    (n,rows,columns). Places in y1 are kept as grid_sample counts them."""

    def __init__(self, y0, y1, down=CELL):
        n, _, h, w = y0.shape
        self.rows, self.columns = rows, columns = -(-h // down) + 1, -(-w // CELL) + 1
        self.a, self.b = grey(y0), grey(y1)
        a = F.pad(self.a, (PATCH, PATCH, PATCH, 2 * PATCH), 'replicate')
        gx, gy = F.pad((a[..., 2:] - a[..., :-2]) / 2, (1, 1)), F.pad((a[:, :, 2:] - a[:, :, :-2]) / 2, (0, 0, 1, 1))
        x = torch.cat((a, gx, gy), 1)[:, :, CELL:CELL + (rows - 1) * down + PATCH, CELL:CELL + (columns - 1) * CELL + PATCH]
        x = self.centred(F.unfold(x, PATCH, stride=(down, CELL)).view(n, 3, PATCH * PATCH, rows, columns).permute(0, 3, 4, 1, 2))
        self.look, self.slope = x[..., 0, :].unsqueeze(1).contiguous(), x[..., 1:, :].contiguous()
        xx, xy, yy = ((self.slope[..., i, :] * self.slope[..., j, :]).sum(-1) + RIDGE * (i == j) for i, j in ((0, 0), (0, 1), (1, 1)))
        self.inverse = torch.stack((-yy, xy, xy, -xx), -1).view(n, rows, columns, 2, 2) / (xx * yy - xy * xy).view(n, rows, columns, 1, 1)
        places = []
        for cells, size, apart in ((columns, w, CELL), (rows, h, down)):
            at = [torch.arange(k, device=a.device, dtype=a.dtype) for k in (cells, PATCH)]
            places.append((2 * (apart * at[0].view(-1, 1) - CELL + at[1]) + 1) / size - 1)
        x, y = places[0].view(1, columns, 1, PATCH), places[1].view(rows, 1, PATCH, 1)
        self.place = torch.stack((x + 0 * y, y + 0 * x), -1).view(rows, columns, -1, 2)
        self.pixel = torch.cat([a.new_full((1,), 2 / size) for size in (w, h)])

    @staticmethod
    def centred(x):
        return x - x.mean(-1, keepdim=True)

    def difference(self, u):
        """Along a flow, or along several, one below the other."""
        n, _, h, w, pixels = self.look.shape
        p = torch.addcmul(self.place, u.view(n, -1, h, w, 1, 2), self.pixel)
        b = F.grid_sample(self.b, p.view(n, -1, w * pixels, 2), 'bilinear', 'border', False)
        return (b.view(n, -1, h, w, pixels) - self.look).flatten(1, 2)

    @classmethod
    def square(cls, e):
        e = cls.centred(e)
        return (e * e).mean(-1)

    @staticmethod
    def better(here, there, ok=None):
        """Of two pairs (flow, mean square of e) the second, where that is better by MARGIN."""
        take = there[1] + MARGIN < here[1]
        take = take if ok is None else take & ok
        return torch.where(take.unsqueeze(-1), there[0], here[0]), torch.where(take, there[1], here[1])

    def steps(self, first, n, enough=0.):
        """n Lucas-Kanade steps with the gradient of the first frame, (sum g g' + RIDGE I) d = - sum g e; unless the mean square of e is less by more than
        MARGIN then, at most 8 pixels away, a patch stays where it was, and also if that was below `enough`."""
        u, e = first, self.difference(first)
        here = first, self.square(e)
        for _ in range(n):
            u = u + (self.inverse * (self.slope * e.unsqueeze(-2)).sum(-1).unsqueeze(-2)).sum(-1)
            e = self.difference(u)
        return self.better(here, (u, self.square(e)), ((u - first).square().sum(-1) <= PATCH ** 2) & (here[1] >= enough))

    def handed(self, here, away, apart=0., enough=0.):
        """What was found (flow, mean square of e), or the flows found `away` patches to the right, below, left, above, each in turn, if better; not those within
        `apart` pixels, and none if the mean square is below `enough`."""
        def shifted(u, axis, back):
            k, n = min(away, u.shape[axis]), u.shape[axis]
            parts = u.narrow(axis, 0, k), u.narrow(axis, 0, n - k)  # where there is no such neighbour: its own
            return torch.cat(parts if back else (u.narrow(axis, k, n - k), u.narrow(axis, n - k, k)), axis)
        near = torch.cat([shifted(here[0], axis, back) for back in (False, True) for axis in (2, 1)], 1)
        far = [((x - here[0]).square().sum(-1) >= apart ** 2) & (here[1] >= enough) for x in near.chunk(4, 1)]
        for ok, *there in zip(far, near.chunk(4, 1), self.square(self.difference(near)).chunk(4, 1)):
            here = self.better(here, there, ok)
        return here


@torch.no_grad()
def inverse_search(y0, y1, state, warped=False):
    """A state (n,5,h,w) whose flow is looked for anew with patches of luma y0, y1 (n,1,h,w), h and w multiples of 4 (Kroeger et al., Fast
    Optical Flow using Dense Inverse Search, 2016), where that explains the picture better.

    Each patch starts from the mean flow of the 2x2 pixels in its middle and takes 5 Lucas-Kanade steps. Then the flow of each of its four neighbours
    (right, below, left, above) is taken in turn if it is better by MARGIN, and 5 steps follow again. With k = 1 / (1 + mean square of e), four times:
    u = (k u + LOOSE * mean over 3x3 of u, weighted by k) / (k + LOOSE). A pixel's flow is the mean of its four patches', weighted by k; it takes it unless the flow it had is better:
    its |e|, mean over 5x5, below KEPT times the new one's.

    Warped: y0 and y1 have been sampled along v0 and v1 already; what is found, from zero on, is the flow between them, and is added to both
    where |e| is less by LEAST besides: on smooth shades nothing says where they went."""
    patches = Patches(y0, y1)
    was = exact(state[:, 2:4]) * (not warped)
    u = F.avg_pool2d(F.pad(was, (1, 1, 1, 1), 'replicate'), 2, 1)[:, :, ::CELL, ::CELL].permute(0, 2, 3, 1)
    u, square = patches.steps(patches.handed(patches.steps(u, STEPS), 1)[0], STEPS)
    u, k = u.permute(0, 3, 1, 2), (1 / (1 + square)).unsqueeze(1)
    for _ in range(ROUNDS):
        z = F.avg_pool2d(F.pad(torch.cat((u * k, k), 1), (1, 1, 1, 1), 'replicate'), 3, 1)
        u = (k * u + LOOSE * z[:, :2] / z[:, 2:]) / (k + LOOSE)
    z = F.avg_pool2d(torch.cat((u * k, k), 1), 2, 1).repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)
    new = z[:, :2] / z[:, 2:]

    def fit(flow):
        e = (warp(grey(y1), flow, torch.ones_like(flow[:1, :1, :1, :1])) - grey(y0)).abs()
        return F.avg_pool2d(F.pad(e, (2, 2, 2, 2), 'replicate'), 5, 1)
    flow = torch.where(fit(was) < KEPT * fit(new) + LEAST * warped, was, new).to(state.dtype)
    if warped:
        return torch.cat((state[:, :4] + torch.cat((flow, flow), 1), state[:, 4:]), 1)
    return torch.cat((state[:, :2], flow, state[:, 4:]), 1)


@torch.no_grad()
def dense_search(y0, y1, coarse, first, far, rounds, steps, half=0):
    """The flow (n,2,h,w) from luma y0 to y1 (n,1,h,w) of any size, looked for with patches from a coarser one (n,2,h/2,w/2), or from nothing (None). With `half`, from every
    second row of patches only, and that of every second pixel in both directions, times that.

    A patch whose mean square of e is below ENOUGH is content and looks no further. Each starts from twice the mean of the coarser flow's 2x2 pixels in its middle, or
    from 0, and takes `first` Lucas-Kanade steps. Then, `rounds` times, the best of what it and those `far`, far / 2 ... 1 patches away have is handed on, to all patches at once, and `steps` follow. A pixel's flow is the mean of its four patches',
    weighted by 1 / max (1, |e| of that pixel, without the patch's mean)."""
    step = 2 if half else 1
    patches = Patches(y0, y1, step * CELL)
    n = y0.shape[0]
    if coarse is None:
        u = patches.look.new_zeros(n, patches.rows, patches.columns, 2)
    else:
        u = 2 * F.avg_pool2d(F.pad(exact(coarse), (1, 2, 1, 4), 'replicate'), 2).permute(0, 2, 3, 1)[:, ::step][:, :patches.rows]
    here = patches.steps(u, first, ENOUGH)
    for _ in range(rounds):
        away = far
        while away:
            here = patches.handed(here, away, APART, ENOUGH)
            away //= 2
        here = patches.steps(here[0], steps, ENOUGH)
    u = here[0].permute(0, 3, 1, 2)
    u = torch.cat([u[:, :, i:i + patches.rows - 1, k:k + patches.columns - 1] for i in (0, 1) for k in (0, 1)])
    a, one = patches.a[:, :, ::step, ::step], torch.ones_like(u[:1, :1, :1, :1])
    u = u.repeat_interleave(CELL, 2).repeat_interleave(CELL // step, 3)[:, :, :a.shape[2], :a.shape[3]]
    e = warp(patches.b.repeat(4, 1, 1, 1), u, one, step, step) - a.repeat(4, 1, 1, 1)
    k = 1 / e.abs().clamp(min=1)
    return sum((u * k).chunk(4)) / sum(k.chunk(4)) * (half or 1)


OVERLAY_STAYS, OVERLAY_CHANGES, OVERLAY_LITTLE, OVERLAY_MUCH, OVERLAY_AGAIN, OVERLAY_ENOUGH, OVERLAY_MOST = .03, .06, .03, .08, 2., 3., 6.


def overlay(y0, y1, bulk, before):
    """What lies over the picture and stays while it moves, captions and logos, in luma y0, y1 (n,1,h,w) of a pair of frames: how often a pixel has not changed that should have (n,1,h,w), and how far that
    proves it, 0 to 1 (n,1,h,w). before (n,1,h,w): how often it had before that pair; 0 where a stream begins. bulk (n,2,h/k,w/k): the flow from y0 to y1 of what is much larger than letters.

    A pixel changes by s = |y0 - y1|, and would by m = |y0 (p - bulk) - y1| if it stayed where all around it moves. That counts (m - OVERLAY_AGAIN s - OVERLAY_LITTLE) / (OVERLAY_MUCH - OVERLAY_LITTLE), clamped to 0..1; of
    OVERLAY_MOST at most (OVERLAY_CHANGES - s) / (OVERLAY_CHANGES - OVERLAY_STAYS) is kept, clamped likewise. More than OVERLAY_ENOUGH prove it, one more in full, in the 3x3 pixels around."""
    flow = F.interpolate(bulk, y0.shape[2:], mode='bilinear', align_corners=False)
    s, m = (y0 - y1).abs(), (warp(y0, flow, -torch.ones_like(y0[:, :, :1, :1])) - y1).abs()
    count = ((m - OVERLAY_AGAIN * s - OVERLAY_LITTLE) / (OVERLAY_MUCH - OVERLAY_LITTLE)).clamp(0, 1)
    count = ((OVERLAY_CHANGES - s) / (OVERLAY_CHANGES - OVERLAY_STAYS)).clamp(0, 1) * (before + count).clamp(max=OVERLAY_MOST)
    return count, F.max_pool2d((count - OVERLAY_ENOUGH).clamp(0, 1), 3, 1, 1)


STILL_WINDOW, STILL, MOVING, STILL_DARK, FLAT, BETTER, DIM = 3, .3, .5, 1e-4, 1e-6, 10., .001


def still(y0, y1, flow, over=0.):
    """Where luma y0, y1 (n,1,h,w) stands still: (n,1,h,w), 1 there, 0 where it does not. With g the lesser of both pictures' |dx| + |dy| (central differences, border
    replicated) and means over STILL_WINDOW pixels to each side, border replicated, v = (mean of g |y0 - y1| + STILL_DARK) / (mean of g g + FLAT) is how many pixels it moves along
    the gradient, what has much of it counting most: 1 below STILL, 0 above MOVING. Letters before what moves, which weigh's wide windows give to the background. But what moves along
    its own edges, text that scrolls, looks still, too: that times BETTER (1 - (mean of |y0 - y1| + DIM) / (mean of |y0 (p) - y1 (p + flow)|, times how much that is inside, + DIM)), clamped to 0..1, flow (n,2,h,w) from y0 to y1.
    Or over (n,1,h,w), where that is more: what the stream so far proves (overlay)."""
    def gradient(y):
        p = F.pad(y, (1, 1, 1, 1), 'replicate')
        return ((p[:, :, 1:-1, 2:] - p[:, :, 1:-1, :-2]).abs() + (p[:, :, 2:, 1:-1] - p[:, :, :-2, 1:-1]).abs()) / 2

    def mean(x):
        return F.avg_pool2d(F.pad(x, (STILL_WINDOW,) * 4, 'replicate'), 2 * STILL_WINDOW + 1, 1)
    g = torch.minimum(gradient(y0), gradient(y1))
    d = (y0 - y1).abs()
    one = torch.ones_like(flow[:1, :1, :1, :1])
    e = (y0 - warp(y1, flow, one)).abs() * inside(y1, flow, one)
    v = (mean(g * d) + STILL_DARK) / (mean(g * g) + FLAT)
    seen = ((MOVING - v) / (MOVING - STILL)).clamp(0, 1) * (BETTER * (1 - (mean(d) + DIM) / (mean(e) + DIM))).clamp(0, 1)
    return torch.maximum(seen, over + 0 * seen)


WINDOW, SLOPE, DARK, NEAR = 10, 1.5, .016, 2.


def weigh(y0, y1, state, flow, t, standing, within=None):
    """A state (n,5,h,w) and, of a second opinion on motion, what time t sees and how much it weighs: (n,8,h,w), v0, v1, logit, weight, velocity. Luma y0, y1 (n,1,h,w), flow (n,2,h,w)
    from y0 to y1; the velocity is flow (p - t flow (p)), for both frames. With e (v) = |y0 (p - t v0) - y1 (p + (1 - t) v1)| times how much both places are inside, at every second row, a and b its means over WINDOW
    pixels to each side, border replicated, along the first opinion and along the second, the weight is 1/2 + SLOPE (a - b) / (a + b + DARK), clamped to 0..1, for that row and the next.
    Where velocities are near each other, k = 2 - 2 (the greatest difference of a component) / NEAR, clamped to 0..1, they become one instead: the first k times the weight of the way to the second,
    whose weight is less by as much. Where it stands still (n,1,h,w) both become no motion."""
    def mean(e):
        r, c = WINDOW // 2, WINDOW
        return F.avg_pool2d(F.avg_pool2d(F.pad(e.abs(), (c, c, r, r), 'replicate'), (1, 2 * c + 1), 1), (2 * r + 1, 1), 1)
    with torch.no_grad():
        second = warp(flow, flow, -t)
        a, b = (mean((warp(y0, v[:, :2], -t, 2) - warp(y1, v[:, -2:], 1 - t, 2)) * inside(y0, v[:, :2], -t, 2, within=within) * inside(y1, v[:, -2:], 1 - t, 2, within=within))
                for v in (state[:, :4, ::2], second[:, :, ::2]))
        q = (.5 + SLOPE * (a - b) / (a + b + DARK)).clamp(0, 1).repeat_interleave(2, 2)[:, :, :state.shape[2]]
        both = second.repeat(1, 2, 1, 1)
        mixed = q * (2 - 2 / NEAR * (state[:, :4] - both).abs().amax(1, True)).clamp(0, 1)
        moves = 1 - standing
    return torch.cat((moves * (state[:, :4] + mixed * (both - state[:, :4])), state[:, 4:], q - mixed, moves * second), 1)


CURVE_GRID, CURVE_ALONE, CURVE_STEADY, CURVE_SMALL = 8, .7, .6, .25


def course(flow):
    """A flow (n,2,h,w) as motion is compared with that of other pairs: the mean of the four pixels in the middle of each CURVE_GRID x CURVE_GRID, in pixels of its own grid."""
    return F.interpolate(flow, scale_factor=1 / CURVE_GRID, mode='bilinear', align_corners=False)


def curve(now, before, after, t, r0, r1):
    """How far from a pixel is, at time t of a pair, what is seen there and does not move straight: (n,2,h,w) in pixels of the finer grid that the flows are in. now, before, after (n,2,h,w): course of the pair's flow and
    of the pairs' before and after, which last r0 and r1 times as long; 0: there is none (Xu et al., Quadratic Video Interpolation, 2019: with one of them a parabola; with both the acceleration changes evenly).

    Each acceleration, from a velocity v0 to v1, counts 1 / (1 + (|a| / (CURVE_STEADY (|v0| + |v1|) / r + CURVE_SMALL))^2): what is lost, or hidden, seems to turn sharply; of what is near, as around a hole, more is believed."""
    one = torch.ones_like(t)

    def at(flow, d):
        return warp(flow, d, one / CURVE_GRID)

    def change(v0, v1, lasts):
        a = 2 / (1 + lasts) * (v1 - v0)
        speed = v0.square().sum(1, True).sqrt() + v1.square().sum(1, True).sqrt()
        return a / (1 + a.square().sum(1, True) / (CURVE_STEADY * speed / lasts + CURVE_SMALL).square())
    u = at(now, -t * now)
    later, both, bend = (t + r0) / (1 + r0 + r1), t * (1 - t) / 2, torch.zeros_like(u)
    if r0 > 0:
        b = at(before, -t * u - at(before, -(t + r0) * u))
        bend = bend + change(b / r0, u, r0) * both * (1 - later if r1 > 0 else CURVE_ALONE)
    if r1 > 0:
        bend = bend + change(u, at(after, (1 - t) * u) / r1, r1) * both * (later if r0 > 0 else CURVE_ALONE)
    return bend


def finer(state):
    """The same state on the grid twice as fine."""
    up = F.interpolate(state, scale_factor=2, mode='bilinear', align_corners=False)
    return torch.cat((up[:, :4] * 2, up[:, 4:]), 1)


def pyramid(x):
    """Luma of x (n,6,H/2,W/2) at 1/2 ... 1/32."""
    return [mean_pool(x[:, :4], 2 ** k) for k in range(5)]


EXPOSURE_FLAT, EXPOSURE_MOST, EXPOSURE_DIM, EXPOSURE_LIKE, EXPOSURE_UNLIKE, EXPOSURE_PIXELS = 1e-3, 4., 1e-3, .6, .8, 40


@torch.no_grad()
def exposure(y0, y1):
    """By what y1 becomes as bright as y0 (n,1,h,w, small), if all of it became brighter or darker, as in fades: (n,2,1,1), gain and bias; 1 and 0 where it did not. The gain is that of the standard deviations (+ EXPOSURE_FLAT each),
    clamped to 1 / EXPOSURE_MOST .. EXPOSURE_MOST, the bias makes the means equal; r = (mean of |gain y1 + bias - y0| + EXPOSURE_DIM) / (mean of |y1 - y0| + EXPOSURE_DIM) is what that leaves of the difference: from
    EXPOSURE_UNLIKE on that is motion and brightness stays as it is, below EXPOSURE_LIKE it is not, between them partly. Pictures of less than EXPOSURE_PIXELS stay as they are."""
    a, b = (y.double().flatten(1) for y in (y0, y1))
    s0, s1 = (y.std(1, unbiased=False) + EXPOSURE_FLAT for y in (a, b))
    gain = (s0 / s1).clamp(1 / EXPOSURE_MOST, EXPOSURE_MOST).unsqueeze(1)
    bias = a.mean(1, True) - gain * b.mean(1, True)
    r = ((gain * b + bias - a).abs().mean(1, True) + EXPOSURE_DIM) / ((b - a).abs().mean(1, True) + EXPOSURE_DIM)
    k = ((EXPOSURE_UNLIKE - r) / (EXPOSURE_UNLIKE - EXPOSURE_LIKE)).clamp(0, 1) * (y0[0].numel() >= EXPOSURE_PIXELS)
    return torch.stack((1 + k * (gain - 1), k * bias), 1).view(-1, 2, 1, 1).to(y0.dtype)


def expose(x, e):
    return e[:, :1] * x + e[:, 1:]


def lumas(x0, x1, fine=False):
    """pyramid of both frames, that of the second as bright as the first (exposure); with `fine` (n,1,H,W) of both on the frame's own grid behind."""
    y0, y1 = pyramid(x0), pyramid(x1)
    e = exposure(y0[4], y1[4])
    if fine:
        y0, y1 = (y + [F.pixel_shuffle(exact(x[:, :4]), 2)] for y, x in ((y0, x0), (y1, x1)))
    return y0, [expose(y, e) for y in y1]


def second_opinion(y0, y1, finest=0):
    """The flow between two frames' luma at 1/2 ... 1/32 of their size, that no network has a part in: (n,2,h,w) of the finest one that is looked at, the first or one of the next."""
    flow = None
    for l in range(4, finest, -1):
        flow = dense_search(y0[l], y1[l], flow, first=4, far=4, rounds=2 if l > 1 else 1, steps=4)
    return dense_search(y0[finest], y1[finest], flow, first=0, far=2, rounds=1, steps=1)


def conv(cin, cout, k=3, s=1):
    return nn.Conv2d(cin, cout, k, s, k // 2)


def state_in():
    return torch.tensor(STATE_IN).view(1, 7, 1, 1)


class Encoder(nn.Module):
    """x (n,6,h/2,w/2) -> features at 1/4, 1/8, 1/16."""

    def __init__(self, c):
        super().__init__()
        cin = 6
        for l in range(3):
            self.add_module(f'down{l}', conv(cin, c.enc[l], 3, 2))
            for i in range(c.enc_convs[l]):
                self.add_module(f'conv{l}_{i}', conv(c.enc[l], c.enc[l]))
            cin = c.enc[l]
        self.c = c

    def forward(self, x):
        out = []
        for l in range(3):
            x = act(getattr(self, f'down{l}')(x))
            for i in range(self.c.enc_convs[l]):
                x = act(getattr(self, f'conv{l}_{i}')(x))
            out.append(x)
        return out


class Decoder(nn.Module):
    """One level: evidence -> (v0 v1 logit: 5 fp32 channels, features) on the grid twice as fine."""

    def __init__(self, c, l, beside=7):
        super().__init__()
        k = (2 * c.radius[l] + 1) ** 2 if c.radius[l] else 0
        cin = k + 2 * c.enc[l] + beside + (0 if l == 2 else c.feat[l])
        self.cost, self.context = k, None
        self.n, self.nfeat = c.dec_convs[l], c.feat[l - 1] if l > 0 else 0
        self.reduce = conv(cin, c.dec[l], 1)
        for i in range(self.n):
            self.add_module(f'conv{i}', conv(c.dec[l], c.dec[l]))
        self.head = conv(c.dec[l], 4 * (5 + self.nfeat), 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x, state):
        y = act(self.reduce(x))
        if self.context is not None:
            y = y + self.context(y)
        for i in range(self.n):
            y = act(getattr(self, f'conv{i}')(y) + y)
        y = F.pixel_shuffle(self.head(y), 2)
        own = exact(y[:, :5])
        return own if state is None else finer(state) + own, y[:, 5:]


class Net(nn.Module):
    sampled = staticmethod(warp_cubic)

    def __init__(self, name='vfi-nano'):
        super().__init__()
        c = CONFIGS[name]
        self.c, self.name = c, name
        self.enc = Encoder(c)
        for l in (2, 1, 0):
            if c.dec[l]:
                self.add_module(f'dec{l}', Decoder(c, l))
        self.register_buffer('state_in', state_in(), persistent=False)

    def forward(self, x0, x1, t, costs=None, levels=3):
        """x0, x1 (n,6,H/2,W/2), H and W multiples of 32; t (n,1,1,1) in (0,1).
        Returns the states [at 1/8, at 1/4, at 1/2]: v0 v1 (pixels of that grid, per pair interval) and logit; the last one as weigh gives it.
        For training: fewer levels may be asked for; with costs (see velocities) before the last state comes what it is without the second opinion, so that the network
        answers for that, too, where it weighs little."""
        states = self.velocities(x0, x1, t, costs, levels)
        if levels == 3:
            last = states[-1] if costs is not None else states.pop()
            y0, y1 = lumas(x0, x1)
            flow = second_opinion(y0, y1)
            states.append(weigh(y0[0], y1[0], last, flow, t, still(y0[0], y1[0], flow)))
        return states

    def encode(self, x):
        """All that is worked out once of a frame."""
        return self.enc(x)

    def velocities(self, x0, x1, t, costs=None, levels=3):
        """As forward, without a second opinion. A list given as costs is appended (cost volume, velocities its frames were warped by or None) of each level."""
        f0, f1 = self.enc(x0), self.enc(x1)
        y0, y1 = lumas(x0, x1)
        state = lucas_kanade(y0[4], y1[4], None, t)[:, :5]
        state = finer(lucas_kanade(y0[4], y1[4], state, t)[:, :5])
        state = lucas_kanade(y0[3], y1[3], state, t)[:, :5]  # far motion needs two here: the next one is the first level's own
        feat, states = None, []
        for l in (2, 1, 0)[:levels]:
            moved = lucas_kanade(y0[l + 1], y1[l + 1], state, t)
            state = moved[:, :5]
            if self.c.dec[l]:
                if l == 2:
                    w0, w1 = f0[l], f1[l]
                    k = shear(correlation(w0, w1, self.c.radius[l]), self.c.radius[l], t)
                else:
                    w0, w1 = warp(f0[l], state[:, 0:2], -t), warp(f1[l], state[:, 2:4], 1 - t)
                    k = correlation(w0, w1, self.c.radius[l])
                if costs is not None:
                    costs.append((k, state[:, :4] if l < 2 else None))
                v = (moved * self.state_in).to(w0.dtype)
                state, feat = getattr(self, f'dec{l}')(torch.cat((k, w0, w1, v) + (() if feat is None else (feat,)), 1), state)
            else:
                state = finer(state)
            if l == 2:
                found = inverse_search(warp(y0[2], state[:, 0:2], -t), warp(y1[2], state[:, 2:4], 1 - t), state, warped=True)
                state = state + (found - state).detach()  # gradients pass as if nothing had been found
            if l == 0:
                state = lucas_kanade(y0[0], y1[0], state, t)[:, :5]
            states.append(state)
        return states


def pack(y, uv):
    """Planes to network input: y (n,1,H,W) in [0,1], uv (n,2,H/2,W/2) in [-.5,.5] -> (n,6,H/2,W/2):
    luma of the block (top left, top right, bottom left, bottom right), then chroma, clamped: what footage hardly has, the network cannot
    learn to take, and saturated flat areas would move."""
    return torch.cat((F.pixel_unshuffle(y, 2), uv.clamp(-CHROMA_LIMIT, CHROMA_LIMIT)), 1)


def blend_weight(logit, t):
    """Weight of frame 0."""
    return torch.sigmoid(logit + torch.log((1 - t) / t))


def synthesize(p0, p1, state, t, sampled=warp_cubic, size=None):
    """Warp and blend planes p0, p1 (n,c,h,w) of any size with a state given on a grid 1/s of it (s = 1, 2 ...), with or without further opinions (n,5+3k,h,w). Planes of the
    frame's own size, finer than the state, are sampled as `sampled` does. What lies outside of one of both, or of size (h, w) where
    what is beyond is padding, is the other's."""
    s = p0.shape[2] // state.shape[2]
    if s > 1:
        state = F.interpolate(state, scale_factor=s, mode='bilinear', align_corners=False)
    m = blend_weight(state[:, 4:5], t)
    sample = sampled if s > 1 else warp

    def along(v0, v1):
        m0, m1 = m * inside(p0, v0 * s, -t, size=size), (1 - m) * inside(p1, v1 * s, 1 - t, size=size)
        return (m0 * sample(p0, v0 * s, -t) + m1 * sample(p1, v1 * s, 1 - t)) / (m0 + m1)
    out = first = along(state[:, 0:2], state[:, 2:4])
    for k in range(5, state.shape[1], 3):
        u = state[:, k + 1:k + 3]
        out = out + state[:, k:k + 1] * (along(u, u) - first)
    return out


def gflop(name, h, w):
    """2 x multiply-accumulates of the convolutions for one pair and one t: (encoder of one frame, decoders)."""
    c = CONFIGS[name]
    px = [h * w / 16, h * w / 64, h * w / 256]
    enc = dec = 0
    cin = 6
    for l in range(3):
        enc += px[l] * 9 * (cin * c.enc[l] + c.enc_convs[l] * c.enc[l] ** 2)
        cin = c.enc[l]
        k = (2 * c.radius[l] + 1) ** 2 + 2 * c.enc[l] + (0 if l == 2 else 5 + c.feat[l])
        dec += px[l] * (k * c.dec[l] + 9 * c.dec_convs[l] * c.dec[l] ** 2 + c.dec[l] * 4 * (5 + (c.feat[l - 1] if l else 0)))
    return 2e-9 * enc, 2e-9 * dec


if __name__ == '__main__':
    for name in CONFIGS:
        e, d = gflop(name, 720, 1280)
        e2, d2 = gflop(name, 1088, 1920)
        n = sum(p.numel() for p in Net(name).parameters())
        print(f'{name}: {n / 1e6:.3f} M parameters; 720p {2 * e + d:.2f} GFLOP ({e + d:.2f} in a stream); '
              f'1080p {2 * e2 + d2:.1f} ({e2 + d2:.1f})')
