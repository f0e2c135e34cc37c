# SPDX-License-Identifier: MIT
"""The net of src/motion/trunk.c in torch: convolutions without padding; the caller adds the
edges."""
import torch
from torch import nn

from data import BANDS, DIMS

INPUTS, HEAD_ROWS = BANDS + 2, DIMS + 2


class Mouth(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.front_taps, self.layer_taps = config["front_taps"], config["layer_taps"]
        self.front = nn.Conv1d(INPUTS, width, len(self.front_taps), stride=2)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, len(taps), dilation=taps[1] - taps[0])
            for taps in self.layer_taps)
        self.drop = nn.Dropout(config["dropout"])
        self.head = nn.Conv1d(width, HEAD_ROWS, 1)  # faster than Linear where torch has no BLAS
        for layer in self.layers:  # a residual net starts as the identity, nearly
            nn.init.normal_(layer.weight, 0, 0.3 / (3 * width) ** 0.5)
            nn.init.zeros_(layer.bias)

    def reach(self):
        """Samples that the inner layers need on each side, and the front's rows."""
        return sum(taps[-1] for taps in self.layer_taps), self.front_taps[-1]

    def features(self, x):
        """x: (batch, inputs, rows), with all the context; (batch, width, samples)."""
        x = torch.relu(self.front(x))
        for layer, taps in zip(self.layers, self.layer_taps):
            side = taps[-1]
            x = x[:, :, side:x.shape[2] - side] + torch.relu(layer(self.drop(x)))
        return x

    def say(self, features):
        return self.head(features).transpose(1, 2)

    def forward(self, x):
        return self.say(self.drop(self.features(x)))


def context(model, inputs, first, n):
    """Rows around the samples first .. first + n, edges repeated: (inputs, rows) of a clip."""
    inner, front = model.reach()
    begin = 2 * (first - inner) - 1 - front
    end = 2 * (first + n - 1 + inner) - 1 + front
    index = torch.arange(begin, end + 1).clamp(0, len(inputs) - 1)
    return inputs[index].T
