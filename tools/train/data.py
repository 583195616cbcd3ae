# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training samples from video clips, in their native 4:2:0.

Clips are decoded once with ffmpeg into a cache folder (raw limited-range yuv420p files and one
index.json) and read back through memory maps, so a sample costs little more than copying its
crops. The index keeps the mean difference of neighbouring frames, from which near-still pairs
and cuts are recognised without looking at pixels again.

A batch is uint8 planes `y (n,3,c,c)`, `uv (n,3,2,c/2,c/2)` of three frames (first, middle, last)
`t (n)`, the time of the middle one, and with a teacher its velocities `v (n,4,c/2,c/2)`, else an empty tensor. Anything with a `batch(rng)` method that returns this
can stand in for Sampler (a GPU-resident one, for instance).
"""
import concurrent.futures
import json
import os
import shutil
import subprocess

import numpy as np
import torch

import synth

EXTENSIONS = ('.mp4', '.mkv', '.mov', '.avi', '.webm', '.y4m', '.m4v')
STILL, CUT = 0.35, 28.0  # mean luma difference of neighbours (0..255) below / above which a pair is not used
TIMES = (((1, 3), .25), ((2, 3), .25), ((1, 4), .2), ((3, 4), .2), ((1, 5), .05), ((4, 5), .05))  # t other than 1/2


def _probe_and_decode_with_opencv(path, raw):
    """For machines without ffmpeg. OpenCV's frames are BGR: going through them costs the chroma a little sharpness."""
    import cv2
    video = cv2.VideoCapture(path)
    w, h = (int(video.get(k)) & ~1 for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    with open(raw + '.part', 'wb') as f:
        while (frame := video.read()[1]) is not None:
            f.write(cv2.cvtColor(frame[:h, :w], cv2.COLOR_BGR2YUV_I420).tobytes())
    os.replace(raw + '.part', raw)
    return w, h


def _probe(path):
    out = subprocess.run(['ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height',
                          '-of', 'csv=p=0', path], check=True, capture_output=True, text=True).stdout
    w, h = out.strip().splitlines()[0].split(',')[:2]
    return int(w) & ~1, int(h) & ~1


def _decode(path, cache):
    """One clip to CACHE/NAME.yuv; returns its index entry."""
    name = os.path.splitext(os.path.basename(path))[0]
    raw = os.path.join(cache, name + '.yuv')
    if not shutil.which('ffmpeg'):
        w, h = _probe_and_decode_with_opencv(path, raw)
    else:
        w, h = _probe(path)
    if not os.path.exists(raw):
        subprocess.run(['ffmpeg', '-v', 'error', '-nostdin', '-y', '-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough',
                        '-vf', f'crop={w}:{h}:0:0', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', raw + '.part'], check=True)
        os.replace(raw + '.part', raw)
    n = os.path.getsize(raw) // (w * h * 3 // 2)
    frames = np.memmap(raw, np.uint8, 'r', shape=(n, w * h * 3 // 2))
    small = np.stack([f[:w * h].reshape(h, w)[:h // 4 * 4, :w // 4 * 4].reshape(h // 4, 4, w // 4, 4).mean((1, 3), np.float32)
                      for f in frames]) if n else np.zeros((0, 1, 1))
    diff = np.abs(np.diff(small, axis=0)).mean((1, 2))
    return dict(name=name, width=w, height=h, frames=n, diff=[round(float(d), 3) for d in diff])


def build_cache(footage, cache, jobs=None):
    """Decode every clip of the folder that the cache lacks; returns the index, sorted by name."""
    os.makedirs(cache, exist_ok=True)
    path = os.path.join(cache, 'index.json')
    index = {}
    if os.path.exists(path):
        with open(path) as f:
            index = {e['name']: e for e in json.load(f)}
    clips = sorted(os.path.join(footage, f) for f in os.listdir(footage) if f.lower().endswith(EXTENSIONS))
    names = {os.path.splitext(os.path.basename(c))[0]: c for c in clips}
    todo = [c for n, c in names.items() if n not in index]
    if todo:
        with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
            for i, e in enumerate(pool.map(lambda c: _decode(c, cache), todo)):
                index[e['name']] = e
                print(f'\rdecoded {i + 1}/{len(todo)}', end='', flush=True)
        print()
        with open(path + '.part', 'w') as f:
            json.dump([index[n] for n in sorted(index)], f)
        os.replace(path + '.part', path)
    return [index[n] for n in sorted(names)]


class Clip:
    """The planes of one decoded clip, mapped."""

    def __init__(self, entry, cache):
        self.name, self.w, self.h, self.n = entry['name'], entry['width'], entry['height'], entry['frames']
        self.diff = np.array(entry['diff'], np.float32)
        self.raw = np.memmap(os.path.join(cache, self.name + '.yuv'), np.uint8, 'r', shape=(self.n, self.w * self.h * 3 // 2))
        self.total = np.concatenate(([0.], np.cumsum(self.diff)))

    def crop(self, i, x, y, w, h):
        """Luma (h,w) and chroma (2,h/2,w/2) at an even place; views of the map."""
        s, f = self.w * self.h, self.raw[i]
        luma = f[:s].reshape(self.h, self.w)[y:y + h, x:x + w]
        return luma, f[s:].reshape(2, self.h // 2, self.w // 2)[:, y // 2:(y + h) // 2, x // 2:(x + w) // 2]

    def usable(self, a, c):
        """Neither nearly still nor across a cut."""
        d = self.diff[a:c]
        return d.max() < CUT and d.max() < 6 * np.median(self.diff) + 4 and self.total[c] - self.total[a] > STILL * (c - a)


def _halve(p):
    """2x2 means of the last two axes, uint8."""
    p = p.astype(np.uint16)
    return ((p[..., ::2, ::2] + p[..., 1::2, ::2] + p[..., ::2, 1::2] + p[..., 1::2, 1::2] + 2) >> 2).astype(np.uint8)


class Sampler:
    """Random training batches from clips (see the file head)."""

    def __init__(self, clips, crop, batch, other_t=0.3, synthetic=0.12, overlay=0.05, teacher=None, successive=False):
        self.crop, self.n, self.teacher, self.successive = crop, batch, teacher, successive  # successive: frames k, k + 1, k + 2 whatever t
        self.other_t, self.synthetic, self.overlay = other_t, synthetic, overlay
        self.clips = [c for c in clips if c.n >= 3 and min(c.w, c.h) >= crop and (c.diff > STILL).any()]
        if not self.clips:
            raise ValueError(f'no clip has three moving frames of {crop}x{crop} or more')
        # long clips are more of the same scene, fast ones teach more: both count, less than in proportion
        w = np.array([c.n ** .5 * min(max(float(np.median(c.diff)), .5), 8) ** .5 for c in self.clips])
        self.p = w / w.sum()

    def pick(self, rng):
        return self.clips[rng.choice(len(self.clips), p=self.p)]

    def _triplet(self, rng, t):
        """A clip and frames (a, b, c) of it with b at time t, t a fraction (p, q)."""
        while True:
            clip = self.pick(rng)
            if self.successive:
                a = rng.integers(clip.n - 2)
                if clip.usable(a, a + 2):
                    return clip, (a, a + 1, a + 2)
                continue
            speed = float(np.median(clip.diff))
            step = rng.choice(4, p=(.5, .27, .15, .08)) + 1
            if t[1] > 2:  # longer spans already
                step = 1 if speed > 2 else min(step, 2)
            step = min(step, 1 if speed > 12 else 2 if speed > 6 else 4, (clip.n - 1) // t[1])
            if step < 1:
                continue
            a = rng.integers(clip.n - step * t[1])
            if clip.usable(a, a + step * t[1]):
                return clip, (a, a + step * t[0], a + step * t[1])

    def real(self, rng, t):
        """One sample of three real frames: y (3,c,c), uv (3,2,c/2,c/2)."""
        clip, frames = self._triplet(rng, t)
        c = self.crop
        s = 2 if min(clip.w, clip.h) >= 2 * c and rng.random() < .3 else 1
        # of a few places take one by its motion, up to a point: what is too fast teaches nothing either
        places, weight = [], []
        for _ in range(4):
            x, y = (int(rng.integers((m - s * c) // 2 + 1)) * 2 for m in (clip.w, clip.h))
            p, q = (clip.crop(f, x, y, s * c, s * c)[0][::8, ::8].astype(np.int16) for f in (frames[0], frames[2]))
            places.append((x, y))
            weight.append(min(float(np.abs(p - q).mean()), 16) + .3)
        w = np.array(weight)
        x, y = places[rng.choice(4, p=w / w.sum())]
        luma, chroma = zip(*(clip.crop(f, x, y, s * c, s * c) for f in frames))
        luma, chroma = np.stack(luma), np.stack(chroma)
        if s == 2:
            luma, chroma = _halve(luma), _halve(chroma)
        return luma, chroma

    def still(self, rng):
        """One crop of a random frame, for synthetic motion."""
        clip, c = self.pick(rng), self.crop
        x, y = (int(rng.integers((m - c) // 2 + 1)) * 2 for m in (clip.w, clip.h))
        luma, chroma = clip.crop(int(rng.integers(clip.n)), x, y, c, c)
        return np.ascontiguousarray(luma), np.ascontiguousarray(chroma)

    def batch(self, rng):
        """All of a batch at t = 1/2, or each sample at its own time (the network is cheaper at 1/2)."""
        ys, uvs, ts, vs = [], [], [], []
        other = rng.random() < self.other_t
        teach = self.teacher and self.teacher.on.item()
        for _ in range(self.n):
            t = TIMES[rng.choice(len(TIMES), p=[w for _, w in TIMES])][0] if other else (1, 2)
            if rng.random() < self.synthetic:
                y, uv = synth.moving_layers(rng, [self.still(rng) for _ in range(1 + rng.integers(3))], t[0] / t[1])
            else:
                y, uv = self.real(rng, t)
                if rng.random() < .5:  # time reversal
                    y, uv, t = y[::-1], uv[::-1], (t[1] - t[0], t[1])
            if rng.random() < self.overlay:
                y, uv = synth.overlay(rng, y, uv, self.still(rng))
            k = int(rng.integers(4))
            y, uv = np.rot90(y, k, (1, 2)), np.rot90(uv, k, (2, 3))
            if rng.random() < .5:
                y, uv = y[..., ::-1], uv[..., ::-1]
            ys.append(y)
            uvs.append(uv)
            ts.append(t[0] / t[1])
            if teach:
                vs.append(self.teacher(_halve(y), ts[-1]))
        v = torch.from_numpy(np.stack(vs)) if vs else torch.empty(0)
        return torch.from_numpy(np.stack(ys)), torch.from_numpy(np.stack(uvs)), torch.tensor(ts, dtype=torch.float32), v


class Teacher:
    """Classical optical flow from the true middle frame to both ends: velocities (4,h,w) on its grid.
    It sees what the network has to guess, so even a rough method shows the coarse levels where to look."""

    def __init__(self):
        self.on = torch.ones(1).share_memory_()  # shared with the loader processes
        self.flow = None

    def __call__(self, y, t):
        """y (3,h,w) bytes, t the time of the middle."""
        if not self.flow:
            import cv2
            cv2.setNumThreads(1)
            self.flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        first, middle, last = (np.ascontiguousarray(p) for p in y)
        v0, v1 = self.flow.calc(middle, first, None) / -t, self.flow.calc(middle, last, None) / (1 - t)
        return np.concatenate((v0, v1), 2).transpose(2, 0, 1)


class Stream(torch.utils.data.IterableDataset):
    """Endless batches, each worker with its own random stream."""

    def __init__(self, sampler, seed):
        self.sampler, self.seed = sampler, seed

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            yield self.sampler.batch(rng)


def loader(sampler, seed, workers, pin):
    """Batches of the sampler, made by so many processes (0: by this one)."""
    ahead = {'prefetch_factor': 4} if workers else {}  # without processes PyTorch 1 refuses it
    return torch.utils.data.DataLoader(Stream(sampler, seed), batch_size=None, num_workers=workers, pin_memory=pin, **ahead)


def to_float(y, uv):
    """Limited-range bytes to luma [0,1] and chroma [-.5,.5] (not clipped)."""
    return (y.float() - 16) / 219, (uv.float() - 128) / 224


def jitter(y, uv):
    """The same small random gain and offset for the frames of a sample."""
    n = y.shape[0]
    r = torch.rand(n, 3, device=y.device)
    return y * (.75 + .45 * r[:, 0]).view(n, 1, 1, 1) + (.12 * r[:, 1] - .06).view(n, 1, 1, 1), \
        uv * (.6 + .8 * r[:, 2]).view(n, 1, 1, 1, 1)


def held_out(clips, every=24):
    """Split into (training, validation): every n-th clip by name; two parts of one source video count as one."""
    def stem(c):
        return c.name[:-3] if c.name[-3:-1] == '_s' else c.name
    stems = sorted({stem(c) for c in clips})
    val = set(stems[every // 2::every])
    return [c for c in clips if stem(c) not in val], [c for c in clips if stem(c) in val]
