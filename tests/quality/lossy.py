#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `vfiinterp mode=repair` makes of H.264 over RTP that loses packets: PSNR of luma, against the clip before it was coded.

    lossy.py [--loss .02] [--seed 1] [--gop 15] [--bitrate 3000] [--deaf] [-v] CLIP...

Each clip is coded (x264enc tune=zerolatency, one slice a frame), packed, robbed of packets and decoded: by itself; with `mode=repair` behind it; and by a decoder that leaves out what hangs on a lost frame (README.md), with
`mode=repair` behind it. Frames count that are a decibel below what arrives when nothing is lost, in any of the three; a missing one is a repeat of the last. All three lose the last packet of the same frames, never of the first one. The sender makes a key frame when the decoder asks it to, unless it is
--deaf.
Takes as long as the clip five times. Needs numpy, GStreamer's Python module (python3-gi), its good and libav plugins, and this build (`meson devenv -C build`).
"""
import argparse
import os
import random
import sys

import gi
import numpy as np

gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

CLIP = 'filesrc location="{clip}" ! decodebin ! videoconvert ! videorate ! video/x-raw,format=I420 ! '
SEND = ('x264enc threads=1 tune=zerolatency speed-preset=veryfast bitrate={bitrate} key-int-max={gop} ! h264parse ! '
        'video/x-h264,stream-format=byte-stream ! rtph264pay mtu=1400 config-interval=-1 ! identity name=road ! identity name=sender sync=true ! ')
RECEIVE = ('rtpjitterbuffer do-lost=true latency=100 ! rtph264depay ! h264parse ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! '
           'avdec_h264 {decoder} ! videoconvert ! video/x-raw,format=I420 ! {repair} ')
SINK = 'appsink name=sink sync=false emit-signals=true'
LEAVES_OUT = 'automatic-request-sync-points=true automatic-request-sync-point-flags=discard-input'
REPAIRS = 'vfiinterp mode=repair qos-mode=off max-gap={gap} !'
SAME_TIME = 5 * Gst.MSECOND


def frames_of(line, probes=()):
    """Luma by time, in nanoseconds, of what arrives at a pipeline's appsink SINK. probes: (element's name, kind, function of GstPadProbeInfo that says whether it passes)."""
    pipeline, frames = Gst.parse_launch(line), {}

    def frame(sink):
        sample = sink.emit('pull-sample')
        caps, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
        w, h = caps.get_value('width'), caps.get_value('height')
        stride = (w + 3) // 4 * 4
        luma = np.frombuffer(buffer.extract_dup(0, stride * h), np.uint8).reshape(h, stride)[:, :w]
        frames[sample.get_segment().to_running_time(Gst.Format.TIME, buffer.pts)] = luma.astype(np.float32)
        return Gst.FlowReturn.OK

    def probe(pad, info, passes):
        return Gst.PadProbeReturn.OK if passes(info) else Gst.PadProbeReturn.DROP

    pipeline.get_by_name('sink').connect('new-sample', frame)
    for name, kind, passes in probes:
        pipeline.get_by_name(name).get_static_pad('src').add_probe(kind, probe, passes)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit('%s: %s' % (line, message.parse_error().gerror.message))
    return frames


def play(args, clip, loss=0, decoder='', repair=''):
    """Luma by time of what is left of a clip, and how many of its frames lost a packet."""
    line = (CLIP + SEND + RECEIVE + SINK).format(clip=clip, bitrate=args.bitrate, gop=args.gop, decoder=decoder, repair=repair.format(gap=args.gop + 1))
    chance, sent = random.Random(args.seed), []

    def arrives(info):
        if not info.get_buffer().has_flags(Gst.BufferFlags.MARKER):  # the last one of a frame
            return True
        drawn = chance.random()
        sent.append(drawn >= loss or not sent)
        return sent[-1]

    def hears(info):
        return not args.deaf or info.get_event().type != Gst.EventType.CUSTOM_UPSTREAM

    frames = frames_of(line, (('road', Gst.PadProbeType.BUFFER, arrives), ('sender', Gst.PadProbeType.EVENT_UPSTREAM, hears)))
    return frames, sent.count(False)


def scores(truth, frames):
    """PSNR at each of the truth's times, and whether there was a frame."""
    last, out = None, []
    for time, want in sorted(truth.items()):
        near = [f for t, f in frames.items() if abs(t - time) < SAME_TIME]
        last = near[0] if near else last
        e = 255 ** 2 if last is None else ((last - want) ** 2).mean()
        out.append((-10 * np.log10(max(e, .25) / 255 ** 2), bool(near)))
    return np.array(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('clips', nargs='+', metavar='CLIP')
    parser.add_argument('--loss', type=float, default=.02, help='which part of the frames lose a packet')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--gop', type=int, default=15, help='frames from one key frame to the next')
    parser.add_argument('--bitrate', type=int, default=3000, help='kbit/s')
    parser.add_argument('--deaf', action='store_true', help='the sender makes no key frames on request')
    parser.add_argument('-v', dest='each', action='store_true', help='each of the frames')
    args = parser.parse_args()
    Gst.init(None)
    print('%-40s %7s %7s %7s  %8s %8s %8s %8s' % ('', 'frames', 'lost', 'bad', 'no loss', 'decoder', 'repair', 'both'))
    for clip in args.clips:
        truth = frames_of((CLIP + SINK).format(clip=clip))
        whole = scores(truth, play(args, clip)[0])
        runs = [play(args, clip, args.loss, *how) for how in (('', ''), ('', REPAIRS), (LEAVES_OUT, REPAIRS))]
        all_of = np.array([scores(truth, frames) for frames, _ in runs])
        bad = (all_of[..., 0] < whole[:, 0] - 1).any(0)
        if args.each:
            for i in np.flatnonzero(bad):
                print('%6d  %s' % (i, '  '.join('%5.1f%s' % (p, ' ' if there else '-') for p, there in all_of[:, i])))
        if bad.any():
            print('%-40s %7d %7d %7d  %8.2f %8.2f %8.2f %8.2f' % (os.path.basename(clip)[-40:], len(bad), runs[0][1], bad.sum(), whole[bad, 0].mean(), *all_of[:, bad, 0].mean(1)))
        else:
            print('%-40s %7d %7d: nothing to repair' % (os.path.basename(clip)[-40:], len(bad), runs[0][1]))


if __name__ == '__main__':
    main()
