"""Small models of kinds that torchvision has not, exported from torch: logits to 1e-4 of torch's."""

import sys

from torch_models import check, torch

if torch is None:
    print("SKIPPED: needs python3-torch")
    sys.exit(0)

from torch import nn

SEQUENCE = (28, 28)


class Recurrent(nn.Module):
    """Classifies by the last step of two layers that go both ways."""

    def __init__(self, kind):
        super().__init__()
        self.steps = kind(28, 32, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.steps(x)[0][:, -1])


class LastState(nn.Module):
    """Classifies by the state behind the last step."""

    def __init__(self):
        super().__init__()
        self.steps = nn.RNN(28, 32, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.steps(x)[1].squeeze(0))


class Mixer(nn.Module):
    """An MLP-mixer of 7 x 7 patches."""

    class Block(nn.Module):
        def __init__(self, patches, channels):
            super().__init__()
            self.across_norm, self.norm = nn.LayerNorm(channels), nn.LayerNorm(channels)
            self.across = nn.Sequential(nn.Linear(patches, 32), nn.GELU(), nn.Linear(32, patches))
            self.within = nn.Sequential(nn.Linear(channels, 96), nn.GELU(), nn.Linear(96, channels))

        def forward(self, x):
            x = x + self.across(self.across_norm(x).transpose(1, 2)).transpose(1, 2)
            return x + self.within(self.norm(x))

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 48, 4, stride=4)
        self.blocks = nn.Sequential(self.Block(49, 48), self.Block(49, 48))
        self.head = nn.Linear(48, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.blocks(x).mean(1))


def decoder():
    """Down, up again by transposed convolutions, then classes."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.1),
        nn.ConvTranspose2d(8, 12, 4, stride=2, padding=1),
        nn.BatchNorm2d(12),
        nn.ELU(),
        nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        nn.PReLU(6),
        nn.AvgPool2d(7, stride=5, padding=3, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(6 * 12 * 12, 10),
    )


def perceptron():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 40), nn.BatchNorm1d(40), nn.Tanh(), nn.Dropout(), nn.Linear(40, 10)
    )


def sequence_convolution():
    """One-dimensional convolutions over 28 steps of 28 channels."""
    return nn.Sequential(
        nn.Conv1d(28, 24, 5, padding=2),
        nn.BatchNorm1d(24),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(24, 32, 3, dilation=2, groups=4),
        nn.GroupNorm(4, 32),
        nn.SiLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


MODELS = {
    "LSTM": (lambda: Recurrent(nn.LSTM), SEQUENCE),
    "GRU": (lambda: Recurrent(nn.GRU), SEQUENCE),
    "RNN": (LastState, SEQUENCE),
    "MLP-mixer": (Mixer, (3, 28, 28)),
    "decoder": (decoder, (1, 28, 28)),
    "perceptron": (perceptron, (1, 28, 28)),
    "sequence convolution": (sequence_convolution, SEQUENCE),
}

for name, (make, shape) in MODELS.items():
    check(name, make, shape, opset=13, plain=True)
    check(name, make, shape, opset=17, plain=False)
