# SPDX-License-Identifier: LGPL-2.1-or-later
"""Synthetic samples: real still pictures moved in known ways.

They add what ordinary clips are short of: very large displacements with an exact frame between,
sharp occlusions, and logos or subtitles that stand still on a moving picture.
All pictures are (luma (c,c), chroma (2,c/2,c/2)) bytes; results are three frames of them.
"""
import numpy as np
import torch
import torch.nn.functional as F


def _motion(rng, reach):
    """A random linear motion, in units of half the picture: matrix b and shift d of dX/dt = b X + d."""
    turn, zoom, shear = rng.normal(0, .06), rng.normal(0, .06), rng.normal(0, .02)
    b = np.array([[zoom, shear - turn], [shear + turn, zoom]])
    angle, length = rng.uniform(0, 2 * np.pi), reach * rng.random() ** 1.5
    return b, length * np.array([np.cos(angle), np.sin(angle)])


def _place(b, d, s, offset):
    """Sampling matrix (2,3) of a layer at time s from its own middle: a point X is shown at X + s (b X + d)."""
    inv = np.linalg.inv(np.eye(2) + s * b)
    return np.concatenate((inv, (inv @ (-s * d) + offset)[:, None]), 1)


def _blob(rng, c):
    """A soft-edged random shape (1,1,c,c) in 0..1 that covers a fifth to a third of the picture."""
    n = int(rng.integers(3, 7))
    z = F.interpolate(torch.from_numpy(rng.normal(size=(1, 1, n, n)).astype(np.float32)), size=(c, c), mode='bicubic')
    level = torch.quantile(z[..., ::8, ::8], float(rng.uniform(.66, .82)))
    return ((z - level) * float(rng.uniform(8, 80)) + .5).clamp(0, 1)


def moving_layers(rng, pictures, t):
    """The first picture as background, the others as blobs in front of it, each in a motion of its own,
    at the times 0, t and 1: y (3,c,c), uv (3,2,c/2,c/2)."""
    c = pictures[0][0].shape[0]
    b0, d0 = _motion(rng, .3)
    y = uv = None
    for i, (luma, chroma) in enumerate(pictures):
        b, d = (b0, d0) if i == 0 else _motion(rng, .45)
        if i:
            d = d + d0 * (rng.random() < .7)
        offset = rng.uniform(-1, 1, 2) / c  # below a pixel: all three frames are resampled alike
        theta = torch.from_numpy(np.stack([_place(b, d, s - t, offset) for s in (0, t, 1)]).astype(np.float32))
        grid = F.affine_grid(theta, (3, 1, c, c), False)
        half = F.affine_grid(theta, (3, 1, c // 2, c // 2), False)
        py = F.grid_sample(torch.from_numpy(luma).float().expand(3, 1, c, c), grid, 'bilinear', 'reflection', False)
        puv = F.grid_sample(torch.from_numpy(chroma).float().expand(3, 2, c // 2, c // 2), half, 'bilinear', 'reflection', False)
        if i == 0:
            y, uv = py, puv
        else:
            m = F.grid_sample(_blob(rng, c).expand(3, 1, c, c), grid, 'bilinear', 'zeros', False)
            y = y + (py - y) * m
            uv = uv + (puv - uv) * F.avg_pool2d(m, 2)
    return y[:, 0].add(.5).clamp(0, 255).byte().numpy(), uv.add(.5).clamp(0, 255).byte().numpy()


def overlay(rng, y, uv, picture):
    """Paste the same opaque patch at the same place of all frames: rows of glyph-like blocks, or a piece of a picture."""
    y, uv = y.copy(), uv.copy()
    c = y.shape[1]
    h, w = (2 * int(rng.integers(c // 16, c // 5)) for _ in range(2))
    x0, y0 = 2 * int(rng.integers((c - w) // 2)), 2 * int(rng.integers((c - h) // 2))
    if rng.random() < .4:
        y[:, y0:y0 + h, x0:x0 + w] = picture[0][:h, :w]
        uv[:, :, y0 // 2:(y0 + h) // 2, x0 // 2:(x0 + w) // 2] = picture[1][:, :h // 2, :w // 2]
        return y, uv
    cell = 2 * int(rng.integers(1, 3))  # strokes of one or two chroma pixels
    mask = np.kron(rng.random((h // cell, w // cell)) < .5, np.ones((cell, cell), bool))
    mask[(np.arange(mask.shape[0]) // cell) % 6 >= 4] = False  # gaps between the lines
    region = (slice(None), slice(y0, y0 + mask.shape[0]), slice(x0, x0 + mask.shape[1]))
    y[region][:, mask] = int(rng.choice((16, 30, 200, 235)))
    uv[:, :, y0 // 2:(y0 + mask.shape[0]) // 2, x0 // 2:(x0 + mask.shape[1]) // 2][:, :, mask[::2, ::2]] = int(rng.choice((128, 90, 170)))
    return y, uv


# ---- pairs with exact flow -------------------------------------------------------------------------

def _rand(gen, *shape, low=0., high=1.):
    return low + (high - low) * torch.rand(*shape, generator=gen, device=gen.device)


def _pixels(n, c, device):
    """Coordinates (n,2,c,c), x then y, in pixels from the middle."""
    a = torch.arange(c, device=device) - (c - 1) / 2
    return torch.stack((a.view(1, -1).expand(c, c), a.view(-1, 1).expand(c, c))).expand(n, 2, c, c)


def _look(x, p, padding, mode):
    """x (n,k,a,a) sampled at p (n,2,b,b): pixels of its own, from its middle."""
    return F.grid_sample(x, p.permute(0, 2, 3, 1) * (2 / x.shape[3]), mode, padding, False)


def _layer_flow(gen, n, c, base, far):
    """A smooth random flow (n,2,c,c) in pixels: shift, affine part, elastic part. `base` is another layer's to share, or None."""
    length = torch.where(_rand(gen, n, 1) < far, _rand(gen, n, 1) ** 1.5 * .28 * c, _rand(gen, n, 1) ** 2 * 12)
    angle = _rand(gen, n, 1, high=6.2832)
    shift = torch.cat((torch.cos(angle), torch.sin(angle)), 1) * length
    b = torch.randn(n, 2, 2, generator=gen, device=gen.device) * .05
    b = b * (_rand(gen, n, 1, 1) < .7)
    p = _pixels(n, c, gen.device)
    pivot = _rand(gen, n, 2, 1, 1, low=-.4 * c, high=.4 * c)
    flow = torch.einsum('nij,njyx->niyx', b, p - pivot) + shift.view(n, 2, 1, 1)
    z = torch.randn(n, 2, 4, 4, generator=gen, device=gen.device) * (_rand(gen, n, 1, 1, 1) < .4) * _rand(gen, n, 1, 1, 1, high=4)
    flow = flow + F.interpolate(z, size=(c, c), mode='bicubic', align_corners=False)
    if base is not None:
        flow = flow + base * (_rand(gen, n, 1, 1, 1) < .6)
    return flow


def _shapes(gen, n, c):
    """Random shapes (n,1,c,c) in 0..1 with edges of a pixel or so: thresholded noise of a random fineness inside a random ellipse."""
    p = _pixels(n, c, gen.device)
    z = sum(F.interpolate(torch.randn(n, 1, k, k, generator=gen, device=gen.device), size=(c, c), mode='bicubic', align_corners=False)
            * _rand(gen, n, 1, 1, 1, high=h) for k, h in ((4, .8), (10, .5), (24, .25)))
    q = p - _rand(gen, n, 2, 1, 1, low=-.42 * c, high=.42 * c)
    angle = _rand(gen, n, 1, 1, high=3.1416)
    u, v = q[:, 0] * torch.cos(angle) + q[:, 1] * torch.sin(angle), q[:, 1] * torch.cos(angle) - q[:, 0] * torch.sin(angle)
    r = c * (.06 + .3 * _rand(gen, n, 1, 1) ** 1.5)
    r2 = r * (.15 + .85 * _rand(gen, n, 1, 1))
    inside = 1.2 - torch.sqrt((u / r) ** 2 + (v / r2) ** 2).unsqueeze(1) * 1.2
    return ((inside + .6 * z) * r2.unsqueeze(1) * .8 + .5).clamp(0, 1)


def flow_pairs(gen, y, uv, far=.5):
    """Layers in front of each other, each moved by a flow of its own that is known exactly.

    y (n,k,c,c), uv (n,k,2,c/2,c/2): pictures of the k layers, the farthest first; floats, on the device of the generator. The second frame
    shows each layer at rest; the first is the second sampled through the layer's flow, so that flow is exact whatever its shape.
    Returns luma (n,2,c,c), chroma (n,2,2,c/2,c/2), flow (n,2,c,c) in pixels from the first frame to the second, and where what
    the first shows is seen in the second (n,1,c,c): 1, else 0."""
    n, k, c = y.shape[0], y.shape[1], y.shape[-1]
    p = _pixels(n, c, gen.device)
    frames, flow, seen, base = None, None, None, None
    blurred = (_rand(gen, k) < .1).tolist()  # all at once: the only wait for the device
    for i in range(k):
        own = _layer_flow(gen, n, c, base, far if i == 0 else far * .6)
        zoom = torch.eye(2, device=gen.device) + torch.randn(n, 2, 2, generator=gen, device=gen.device) * .06
        offset = _rand(gen, n, 2, 1, 1, low=-1)

        def place(q):  # both frames resample the picture
            return torch.einsum('nij,njyx->niyx', zoom, q) + offset
        steps = (-.25, 0, .25) if blurred[i] else (0,)  # exposure over half the motion, at its middle: the flow stays true
        pair = []
        for at in (p + own, p):
            places = [place(at + s * own) for s in steps]
            luma = sum(_look(y[:, i:i + 1], q, 'reflection', 'bicubic') for q in places) / len(steps)
            # a chroma sample lies in the middle of four of luma
            chroma = sum(_look(uv[:, i], F.avg_pool2d(q, 2) / 2, 'reflection', 'bilinear') for q in places) / len(steps)
            pair.append((luma, chroma))
        if i == 0:
            base, frames, flow = own, pair, own
            seen = ((p + own).abs() <= (c - 1) / 2).all(1, True).float()
            continue
        on = (_rand(gen, n, 1, 1, 1) < .75).float()
        m1 = _shapes(gen, n, c) * on
        m0, hidden = _look(m1, p + own, 'zeros', 'bilinear'), _look(m1, p + flow, 'zeros', 'bilinear') > .5
        frames = [(f + m * (g - f), u + F.avg_pool2d(m, 2) * (v - u)) for (f, u), m, (g, v) in zip(frames, (m0, m1), pair)]
        front = m0 > .5
        seen = torch.where(front, ((p + own).abs() <= (c - 1) / 2).all(1, True).float(), seen * (~hidden).float())
        flow = torch.where(front, own, flow)
    return torch.cat([f for f, _ in frames], 1), torch.stack([u for _, u in frames], 1), flow, seen
