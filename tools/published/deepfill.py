# SPDX-License-Identifier: LGPL-2.1-or-later
import importlib
import sys

import torch

from .common import fill, stub


class DeepFill:
    """nbei/Deep-Flow-Guided-Video-Inpainting 9f14443b01504f36c72543497301a58251352350 (branch v1.1)"""
    unit = 8

    def __init__(self, name, checkout):
        sys.path.insert(0, checkout)
        stub('models')  # it imports FlowNet2 as well, and its operators for GPUs
        sys.modules['models'].__path__ = [checkout + '/models']
        torch.Tensor.cuda = lambda self, *where: self
        self.model = importlib.import_module('models.DeepFill_Models.DeepFill').Generator()
        self.shapes = fill(self.model)

    def fill(self, picture, mask):
        """As its program does, before it writes bytes."""
        image = (2 * picture - 1) * (1 - mask)
        y = self.model(image, mask, mask[:, :, ::8, ::8])[1]
        return ((y * mask + image * (1 - mask)) + 1) / 2


NETWORKS = {'deepfill': DeepFill}
