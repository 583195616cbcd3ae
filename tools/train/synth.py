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


def _shown(y, uv, places):
    """A picture y (n,1,c,c), uv (n,2,c/2,c/2) as it is seen at each of these places (n,2,c,c), in pixels from its middle: their mean."""
    luma = sum(_look(y, q, 'reflection', 'bicubic') for q in places) / len(places)
    # a chroma sample lies in the middle of four of luma
    return luma, sum(_look(uv, F.avg_pool2d(q, 2) / 2, 'reflection', 'bilinear') for q in places) / len(places)


def _inside(p):
    return (p.abs() <= (p.shape[3] - 1) / 2).all(1, True).float()


def _cover(p, scene, own, masks, layer):
    """A layer (luma, chroma) of both frames with its masks and flow, in front of what there is: frames, flow, seen."""
    frames, flow, seen = scene
    hidden, front = _look(masks[1], p + flow, 'zeros', 'bilinear') > .5, masks[0] > .5
    frames = [(f + m * (g - f), u + F.avg_pool2d(m, 2) * (v - u)) for (f, u), m, (g, v) in zip(frames, masks, layer)]
    return frames, torch.where(front, own, flow), torch.where(front, _inside(p + own), seen * (~hidden).float())


def _drawn(scene):
    frames, flow, seen = scene
    return torch.cat([f for f, _ in frames], 1), torch.stack([u for _, u in frames], 1), flow, seen


def _between(p, at, side):
    """Distance in pixels of p (n,2,c,c) from the lines from at along side, both (n,2): (n,1,c,c)."""
    (x, y), (dx, dy) = (p - at[:, :, None, None]).split(1, 1), side.view(-1, 2, 1, 1).split(1, 1)
    t = ((x * dx + y * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    return torch.hypot(x - t * dx, y - t * dy)


def _plate(p, at, one, two):
    """How far inside the parallelograms from at along one and two p is, in pixels; negative outside: (n,1,c,c)."""
    (x, y), inside = (p - at[:, :, None, None]).split(1, 1), None
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    for side, sign in ((two, 1), (one, -1)):
        length = side.norm(dim=1)
        u, v, high = ((a * sign * torch.sign(area) / length).view(-1, 1, 1, 1) for a in (side[:, 1], side[:, 0], sign * area))
        d = u * x - v * y
        d = torch.minimum(d, high - d)
        inside = d if inside is None else torch.minimum(inside, d)
    return inside


def _frames(gen, n, c=128):
    """Thin things, each as a picture of its own (n,2,c,c): how far inside, in pixels (negative outside), and the shade of the part, -1..1.
    A plate on four legs, with a back of slats."""
    p = _pixels(n, c, gen.device)
    angle = _rand(gen, n, 1, low=-.3, high=.3) + (_rand(gen, n, 1) < .3) * _rand(gen, n, 1, high=6.2832)
    turn = torch.stack((torch.cos(angle), torch.sin(angle), -torch.sin(angle), torch.cos(angle)), -1).view(n, 2, 2) * (.4 * c)

    def side(x, y):
        return torch.einsum('nij,nj->ni', turn, torch.cat((_rand(gen, n, 1, low=x[0], high=x[1]), _rand(gen, n, 1, low=y[0], high=y[1])), 1))
    wide, deep, leg, back = side((.4, .8), (-.2, .2)), side((-.4, .4), (.15, .4)), side((-.15, .15), (.2, .8)), side((-.2, .2), (-.9, -.3))
    thick = .4 * c * _rand(gen, n, 1, 1, 1, low=.012, high=.05)
    o = -(wide + deep) / 2
    parts = [(o + a + leg * .95, leg * -.95) for a in (0, wide, deep, wide + deep)] + [(o + leg * .7, wide), (o + deep + leg * .7, wide), (o, back), (o + wide, back), (o + back, wide)]
    parts += [(o + wide * f, back) for f in (.25, .5, .75)]
    on, shade = torch.full((n, 1, c, c), -float(c), device=gen.device), torch.zeros(n, 1, c, c, device=gen.device)
    for d, often in [(thick - _between(p, *q), .8) for q in parts] + [(_plate(p, o, wide, back), .4), (_plate(p, o, wide, deep), .9)]:
        d = torch.where(_rand(gen, n, 1, 1, 1) < often, d, -float(c))
        shade = torch.where(d > -.7, _rand(gen, n, 1, 1, 1, low=-1), shade)
        on = torch.maximum(on, d)
    return torch.cat((on, shade), 1)


def _far(gen, n, sigma, reach):
    """Shifts (n,2) with long tails, as those of FlyingChairs have: a fourth power of a normal."""
    z = torch.randn(n, 2, generator=gen, device=gen.device) * sigma
    return (z.sign() * z.abs() ** 4).clamp(-reach, reach)


def _rigid(gen, n, c, middle, shift, turn, zoom):
    """The flow (n,2,c,c) of what is turned and zoomed by up to so much and shifted, and gets to `middle` (n,2)."""
    a = _rand(gen, n, low=-turn, high=turn) * (_rand(gen, n) < .5)
    s = 1 + _rand(gen, n, low=-zoom, high=zoom) * (_rand(gen, n) < .5)
    m = torch.stack((s * torch.cos(a) - 1, -s * torch.sin(a), s * torch.sin(a), s * torch.cos(a) - 1), -1).view(n, 2, 2)
    return torch.einsum('nij,njyx->niyx', m, _pixels(n, c, gen.device) - (middle - shift)[:, :, None, None]) + shift[:, :, None, None]


def thing_pairs(gen, y, uv, things=9):
    """As flow_pairs, but nothing bends, and many thin things are in front: the first picture is the background, the others lend them a pattern, often a faint one.

    y (n,k,c,c), uv (n,k,2,c/2,c/2), k >= 2; the same is returned."""
    n, k, c = y.shape[0], y.shape[1], y.shape[-1]
    p = _pixels(n, c, gen.device)
    base = _rigid(gen, n, c, torch.zeros(n, 2, device=gen.device), _far(gen, n, 1.5, .12 * c), .1, .06)
    scene = [_shown(y[:, :1], uv[:, 0], [q]) for q in (p + base, p)], base, _inside(p + base)
    for i in range(things):
        size, middle = c * (.08 + .7 * _rand(gen, n, 1) ** 2), _rand(gen, n, 2, low=-.55 * c, high=.55 * c)
        own = base + _rigid(gen, n, c, middle, _far(gen, n, 1.5, .25 * c), .4, .2)
        thing, large = _frames(gen, n), (size / (.4 * 128))[:, :, None, None]
        (m0, s0), (m1, s1) = (_look(thing, (q - middle[:, :, None, None]) / large, 'border', 'bilinear').split(1, 1) for q in (p + own, p))
        m0, m1 = ((m * large + .5).clamp(0, 1) for m in (m0, m1))
        if i % 3 == 2:  # something else now and then
            other, shape = _rand(gen, n, 1, 1, 1) < .5, _shapes(gen, n, c)
            m0, m1 = torch.where(other, _look(shape, p + own, 'zeros', 'bilinear'), m0), torch.where(other, shape, m1)
        tone, contrast = _rand(gen, n, 1, 1, 1) ** 2 * 235, _rand(gen, n, 1, 1, 1) ** 2
        relief, colour = _rand(gen, n, 1, 1, 1) ** 2 * 60, _rand(gen, n, 2, 1, 1, low=-40, high=40) * _rand(gen, n, 1, 1, 1) ** 2
        j, layer = 1 + i % (k - 1), []
        for q, shade in ((p + own, s0), (p, s1)):
            luma, chroma = _shown(y[:, j:j + 1], uv[:, j], [q])
            layer.append(((tone + relief * shade + contrast * (luma - 128)).clamp(0, 255), (chroma - 128) * contrast + 128 + colour))
        scene = _cover(p, scene, own, (m0, m1), layer)
    return _drawn(scene)


def flow_pairs(gen, y, uv, far=.5):
    """Layers in front of each other, each moved by a flow of its own that is known exactly.

    y (n,k,c,c), uv (n,k,2,c/2,c/2): pictures of the k layers, the farthest first; floats, on the device of the generator. The second frame
    shows each layer at rest; the first is the second sampled through the layer's flow, so that flow is exact whatever its shape.
    Returns luma (n,2,c,c), chroma (n,2,2,c/2,c/2), flow (n,2,c,c) in pixels from the first frame to the second, and where what
    the first shows is seen in the second (n,1,c,c): 1, else 0."""
    n, k, c = y.shape[0], y.shape[1], y.shape[-1]
    p = _pixels(n, c, gen.device)
    scene = base = None
    blurred = (_rand(gen, k) < .1).tolist()  # all at once: the only wait for the device
    for i in range(k):
        own = _layer_flow(gen, n, c, base, far if i == 0 else far * .6)
        zoom = torch.eye(2, device=gen.device) + torch.randn(n, 2, 2, generator=gen, device=gen.device) * .06
        offset = _rand(gen, n, 2, 1, 1, low=-1)

        def place(q):  # both frames resample the picture
            return torch.einsum('nij,njyx->niyx', zoom, q) + offset
        steps = (-.25, 0, .25) if blurred[i] else (0,)  # exposure over half the motion, at its middle: the flow stays true
        layer = [_shown(y[:, i:i + 1], uv[:, i], [place(at + s * own) for s in steps]) for at in (p + own, p)]
        if i == 0:
            base, scene = own, (layer, own, _inside(p + own))
            continue
        on = (_rand(gen, n, 1, 1, 1) < .75).float()
        m1 = _shapes(gen, n, c) * on
        scene = _cover(p, scene, own, (_look(m1, p + own, 'zeros', 'bilinear'), m1), layer)
    return _drawn(scene)
