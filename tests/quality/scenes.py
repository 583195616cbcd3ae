# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scenes of which the frame in the middle is known exactly, as footage seldom has them: SCENE/NAME/{00,01,02}.ppm; and streams of which every second frame is: NAME/{00 ...}.ppm.

What they are made of lies on no grid (sums of waves), or moves by whole pixels (letters).
"""
import math
import os

W, H = 320, 192
WAVES = [(.061, .023, 0., 40), (.017, -.049, 1., 40), (.31, .11, 2., 16), (-.14, .37, 4., 16), (.63, -.52, 5., 8)]  # radians a pixel across and down, phase, levels
LETTERS = {  # of 3 x 5, a row to a digit: bars up and across, which look still as they move along themselves
    'E': '74747', 'F': '74744', 'H': '55755', 'I': '22222', 'L': '44447', 'T': '72222', 'U': '55557', ' ': '00000'}
LINES = ['THE TITLE', 'HIT FILE', 'FUEL LIFT', 'FLUTE HILL', 'TILE HULL']
BAR, PITCH = 4, 28  # pixels of a letter's bars, and from line to line


def texture(x, y):
    return 128 + sum(level * math.sin(across * x + down * y + phase) for across, down, phase, level in WAVES)


def picture(value):
    """A grey PPM of value (x, y)."""
    grey = bytes(min(max(round(value(x, y)), 0), 255) for y in range(H) for x in range(W))
    return b'P6 %d %d 255\n' % (W, H) + bytes(v for v in grey for _ in range(3))


def letters(x, y):
    """Whether (x, y) is of a letter: lines without end, below each other."""
    line, row = y // PITCH, y % PITCH // BAR
    text, column = LINES[line % len(LINES)], (x - 24 - line % 3 * 12) // BAR
    if not 0 <= column < 4 * len(text) or column % 4 == 3 or row > 4:
        return False
    return int(LETTERS[text[column // 4]][row]) >> (2 - column % 4) & 1


def credits(step, of):
    """White on black, up by 2 * step pixels from frame to frame."""
    return lambda k: lambda x, y: 235 if letters(x, y + step * (k + 7 * of)) else 16


def zoom(k, of):
    scale = 1.02 ** -(k + 3 * of)  # around the middle
    return lambda x, y: texture((x - W / 2) * scale, (y - H / 2) * scale)


def captioned(k, of):
    return lambda x, y: 235 if y > 136 and letters(x, y) else texture(x + 5 * k + 40 * of, y)


def boxed(k, of, across, down, bars):
    """A pan by so many pixels a half between black bars: so many columns left and right, and rows above and below."""
    return lambda x, y: (texture(x + across * k, y + down * k + 40 * of) if bars[0] <= x < W - bars[0] and bars[1] <= y < H - bars[1] else 0)


def card(k):
    """A bright one before black that rests for nine frames and moves for four, by turns, across and down: no picture between bars."""
    steps = sum(i % 13 >= 9 for i in range(k))
    left, top = 40 + 10 * steps, 50 + 4 * steps
    return lambda x, y: texture(x - left, y - top) + 60 if left <= x < left + 220 and top <= y < top + 92 else 0


SCENES = {  # frame k, in halves of the time from the first to the last, of example `of`
    'credits-slow': lambda of: credits(1, of),
    'credits': lambda of: credits(4, of),
    'fade': lambda of: lambda k: lambda x, y: 16 + (texture(x + 40 * of, y) - 16) * (1 - (k + 2 * of) / 8),
    'pan': lambda of: lambda k: lambda x, y: texture(x + 6 * k, y + 2 * k + 40 * of),
    'dark-edge': lambda of: lambda k: lambda x, y: texture(x + 6 * k, y + 2 * k + 40 * of) if 0 < x < W - 1 and 0 < y < H - 1 else 16,  # as of captured tapes
    'zoom': lambda of: lambda k: zoom(k, of),
    'caption': lambda of: lambda k: captioned(k, of),
}
STREAMS = {
    'captions': lambda of: lambda k: captioned(k, of),
    'letterbox': lambda of: lambda k: boxed(k, of, 2, 8, (0, 25)),
    'pillarbox': lambda of: lambda k: boxed(k, of, 12, 2, (50, 0)),
    'card': lambda of: card,
}
FRAMES = 21  # of a stream


def write(folder, scenes, frames, examples):
    for name, scene in scenes.items():
        for of in range(examples):
            own = os.path.join(folder, name, str(of) if examples > 1 else '')
            os.makedirs(own)
            for k in range(frames):
                with open(os.path.join(own, '%02d.ppm' % k), 'wb') as f:
                    f.write(picture(scene(of)(k)))
