# SPDX-License-Identifier: Apache-2.0
"""NVFP4 weights on the GPU and the images that wo_nvfp4_fast and wo_nvfp4_chains read: written
here a second time, from kernels/wo/{words,fast,chains}.h, so that a row compares two packers too."""

import torch

from weights import words_of

GROUP = 16
VALUES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
UE5M3_BIAS = 10


def bits_of(element):
    """Where an element's bits m, e0, e1 and its sign stand in a word."""
    half, pair = element % 2 * 16, element // 2
    if pair == 3:
        return 4 + half, half, 1 + half, 3 + half
    m = 6 + 3 * pair + half
    return m, m + 1, m + 2, (15 + 3 * pair + half) % 32


def words(codes):
    """Codes [.., 8] as u32 words [..], held in s32."""
    planes = torch.stack([codes[..., e] >> i & 1 for e in range(8) for i in range(4)], -1)
    return words_of(planes, [bit for e in range(8) for bit in bits_of(e)])


def ue5m3(scales):
    """e4m3 scales as bytes exponent * 8 + mantissa, normalised; 0 for 0."""
    half, exponent = torch.frexp(scales.float())
    byte = (exponent - 1 + UE5M3_BIAS) * 8 + ((half * 2 - 1) * 8).int()
    return torch.where(scales.float() == 0, torch.zeros_like(byte), byte)


class Nvfp4:
    """Random codes [N, K] and scales [N, K / 16], subnormal ones and zeros among them."""

    def __init__(self, n, k, device="cuda"):
        self.n, self.k = n, k
        self.codes = torch.randint(0, 16, (n, k), dtype=torch.uint8, device=device)
        scales = torch.exp2(torch.rand(n, k // GROUP, device=device) * 18 - 10)
        scales[torch.rand_like(scales) < 0.01] = 0
        self.scales = scales.to(torch.float8_e4m3fn)
        self.codes[self.spread(self.scales.float() == 0)] = 0  # as the images keep them
        self.global_scale = 0.0123 * 1.37

    def spread(self, per_group):
        return per_group.repeat_interleave(GROUP, 1)

    def values(self):
        """f64 [N, K]."""
        table = torch.tensor(VALUES, device=self.codes.device, dtype=torch.float64)
        magnitude = table[(self.codes & 7).long()]
        signed = torch.where(self.codes > 7, -magnitude, magnitude)
        return signed * self.spread(self.scales.double()) * self.global_scale

    def read_bytes(self):
        return self.n * self.k // 2 + self.n * self.k // GROUP

    def image(self, lanes_of):
        """The image of slabs (kernels/wo/slabs.h); lanes_of brings the last axis of [N, K ..] to
        [blocks, slabs, warps, 32 lanes, per lane]."""
        codes = lanes_of(self.codes, 32)
        codes = words(codes.reshape(*codes.shape[:-1], 4, 8))
        scales = lanes_of(ue5m3(self.scales), 2)
        parts, first = [], 0
        while first < codes.shape[1]:
            run = min(8, 1 << (codes.shape[1] - first).bit_length() - 1)
            of_run = scales[:, first:first + run].permute(0, 2, 3, 1, 4).reshape(len(codes), -1, 4)
            parts += [words_of(of_run, (0, 8, 16, 24)), codes[:, first:first + run].flatten(1)]
            first += run
        return torch.cat(parts, 1).contiguous()

    def fast(self, tiles, passes=1):
        """Slab = pass, chunk, tile; lane = row, k quarter (kernels/wo/fast.h)."""
        rows, chunks = 8 * tiles * passes, self.k // 2048

        def lanes_of(a, per_lane):
            parts = a.reshape(self.n // rows, passes, tiles, 8, 16, chunks, 4, per_lane)
            return parts.permute(0, 1, 5, 2, 4, 3, 6, 7).flatten(5, 6).flatten(1, 3)

        return self.image(lanes_of)

    def chains(self):
        """Warp = row group, slot group; lane = row, slot (kernels/wo/chains.h)."""
        rows, slabs = 40, self.k // 512

        def lanes_of(a, per_lane):
            parts = a.reshape(self.n // rows, 5, 8, 4, 4, slabs, per_lane)
            return parts.permute(0, 5, 1, 3, 2, 4, 6).flatten(4, 5).flatten(2, 3)

        return self.image(lanes_of)
