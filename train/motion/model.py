# SPDX-License-Identifier: MIT
"""The net of src/motion/trunk.c in torch: convolutions without padding; the caller adds the
edges."""
import torch
from torch import nn

from data import BANDS, DIMS, EMBED

INPUTS, HEAD_ROWS = BANDS + 2, DIMS + 2


class Mouth(nn.Module):
    """`axes` (EMBED, n): the directions of the embedding that it hears, whitened; none: it does not
    hear it."""

    def __init__(self, config, axes=None):
        super().__init__()
        width = config["width"]
        self.front_taps, self.layer_taps = config["front_taps"], config["layer_taps"]
        self.front = nn.Conv1d(INPUTS, width, len(self.front_taps), stride=2)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, len(taps), dilation=taps[1] - taps[0])
            for taps in self.layer_taps)
        self.drop = nn.Dropout(config["dropout"])
        self.head = nn.Conv1d(width, HEAD_ROWS, 1)  # faster than Linear where torch has no BLAS
        self.hears_embed = axes is not None
        if self.hears_embed:
            self.register_buffer("axes", torch.as_tensor(axes, dtype=torch.float32))
            self.narrow = nn.Conv1d(self.axes.shape[1], config["embed_width"], 1)
            self.mix = nn.Conv1d(config["embed_width"], width, 1)
            self.embed_drop = nn.Dropout(config["embed_dropout"])
        for layer in self.layers:  # a residual net starts as the identity, nearly
            nn.init.normal_(layer.weight, 0, 0.3 / (3 * width) ** 0.5)
            nn.init.zeros_(layer.bias)

    def reach(self):
        """Samples that the inner layers need before and after, and the front's rows."""
        before = -sum(taps[0] for taps in self.layer_taps)
        after = sum(taps[-1] for taps in self.layer_taps)
        return (before, after), (-self.front_taps[0], self.front_taps[-1])

    def features(self, x, embed):
        """x: (batch, inputs, rows), embed: (batch, EMBED, samples), with all the context;
        (batch, width, samples)."""
        x = self.front(x)
        if self.hears_embed:
            heard = torch.einsum("bes,ea->bas", embed, self.axes)
            x = x + self.mix(self.embed_drop(torch.relu(self.narrow(self.embed_drop(heard)))))
        x = torch.relu(x)
        for layer, taps in zip(self.layers, self.layer_taps):
            x = x[:, :, -taps[0]:x.shape[2] - taps[-1]] + torch.relu(layer(self.drop(x)))
        return x

    def say(self, features):
        return self.head(features).transpose(1, 2)

    def forward(self, x, embed):
        return self.say(self.drop(self.features(x, embed)))


def context(model, clip, first, n):
    """Rows and embeddings around the samples first .. first + n, edges repeated: (inputs, rows),
    (EMBED, samples) of a clip."""
    (before, after), (front_before, front_after) = model.reach()
    begin, end = first - before, first + n - 1 + after
    rows = torch.arange(2 * begin - 1 - front_before, 2 * end - 1 + front_after + 1)
    samples = torch.arange(begin, end + 1)
    x, embed = clip["x"], clip["embed"]
    return x[rows.clamp(0, len(x) - 1)].T, embed[samples.clamp(0, len(embed) - 1)].T
