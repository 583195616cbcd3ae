# SPDX-License-Identifier: LGPL-2.1-or-later
"""Published networks as their authors run them. A file here is one authors' code; each names its networks in NETWORKS, as classes with

    a docstring     the repository and the revision that the stored results were made with
    unit            sizes of test pictures are multiples of it; or `sizes`: height, width, time of each
    multiple        a picture's size is padded to a multiple of it (of `multiple[name]` where they differ); where it `reduces`, resized to the one below
    padding         with zeros ('constant') or nearest pixels ('replicate'), right and bottom; on all sides where it is `centred`
    blue_first      where it is so
    scales, any_t   flow scales that are tested; whether it knows other times than the middle
    (name, checkout)                 imports the code in that folder and gives it weights made from their names: .shapes
    (x0, x1, t, scale[, kept])       the picture between two, 1 x 3 x h x w in [0, 1]
    keep (x)        where there is some: what is worked out of one picture alone, for both pairs that it is in
"""
import importlib
import os


def networks():
    """All of them, by name."""
    files = sorted(f[:-3] for f in os.listdir(os.path.dirname(os.path.abspath(__file__))) if f.endswith('.py'))
    return {name: network for f in files for name, network in getattr(importlib.import_module('published.' + f), 'NETWORKS', {}).items()}
