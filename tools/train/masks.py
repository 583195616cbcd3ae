# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random holes to learn to fill: rectangles, ellipses, strokes, blobs like people and things, alone or together."""
import numpy as np
from PIL import Image, ImageDraw


def _rectangle(rng, draw, c, r):
    a = r * np.exp(rng.uniform(-.7, .7))
    b = r * r / a
    x, y = rng.uniform(0, c, 2)
    draw.rectangle((x - a, y - b, x + a, y + b), fill=1)


def _ellipse(rng, draw, c, r):
    a = r * np.exp(rng.uniform(-.7, .7))
    b = r * r / a
    x, y = rng.uniform(0, c, 2)
    draw.ellipse((x - a, y - b, x + a, y + b), fill=1)


def _stroke(rng, draw, c, r):
    """A brush on a wandering path."""
    width = max(r * rng.uniform(.2, .6), 2)
    p, angle = rng.uniform(0, c, 2), rng.uniform(0, 6.3)
    for _ in range(int(rng.integers(3, 9))):
        angle += rng.normal(0, .8)
        q = p + r * rng.uniform(.4, 1.2) * np.array((np.cos(angle), np.sin(angle)))
        draw.line((*p, *q), fill=1, width=int(2 * width))
        draw.ellipse((*(q - width), *(q + width)), fill=1)
        p = q


def _blob(rng, draw, c, r):
    """A closed line whose distance from its middle is a sum of a few waves; upright as often as not."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    d = 1 + sum(rng.normal(0, .35 / k ** .8) * np.cos(k * t + rng.uniform(0, 6.3)) for k in range(1, 7))
    tall = np.exp(rng.uniform(-.3, .6))
    x, y = rng.uniform(0, c, 2)
    d = np.maximum(d, .1) * r
    draw.polygon([(float(x + u), float(y + v)) for u, v in zip(d * np.cos(t) / tall, d * np.sin(t) * tall)], fill=1)


def hole(rng, c, least=.05, most=.3):
    """(c,c) bytes: 1 in the hole, which covers `least` to `most` of the square and may lie across its border."""
    while True:
        image = Image.new('L', (c, c))
        draw = ImageDraw.Draw(image)
        n = 1 + int(rng.integers(3)) * (rng.random() < .5)
        area = rng.uniform(least, most) * c * c
        for _ in range(n):
            shape = (_rectangle, _ellipse, _stroke, _blob)[rng.choice(4, p=(.25, .15, .2, .4))]
            shape(rng, draw, c, np.sqrt(area / n / 3.2))
        m = np.array(image)
        if least <= m.mean() <= most:
            return m
