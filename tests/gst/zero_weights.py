# SPDX-License-Identifier: LGPL-2.1-or-later
"""Weights that are all zero, for tests of what goes on around a network: with them vfi-nano finds no motion and blends.

usage: zero_weights.py LIST OUT    LIST: lines of NAME SIZE SIZE ...
"""
import json
import struct
import sys

header, at = {}, 0
for line in open(sys.argv[1]):
    name, *shape = line.split()
    size = 4
    for n in shape:
        size *= int(n)
    header[name] = {'dtype': 'F32', 'shape': [int(n) for n in shape], 'data_offsets': [at, at + size]}
    at += size
header = json.dumps(header).encode()
with open(sys.argv[2], 'wb') as f:
    f.write(struct.pack('<Q', len(header)) + header + bytes(at))
