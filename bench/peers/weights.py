# SPDX-License-Identifier: Apache-2.0
"""Quantised weights for the comparison, and the layouts that each contender reads them in.

  Int4   codes -8 .. 7 [N, K], f16 scales [K / 128, N]: w = rn_f16(code * scale)
  Int8   codes -127 .. 127 [N, K], one f32 scale a projection
"""

import torch

GROUP = 128


def words_of(codes, shifts):
    """The last axis of small unsigned codes as s32 words, code e at bit shifts[e]."""
    word = torch.zeros(codes.shape[:-1], dtype=torch.int64, device=codes.device)
    for e, shift in enumerate(shifts):
        word |= codes[..., e].long() << shift
    return torch.where(word >= 1 << 31, word - (1 << 32), word).int()


def register_image(codes, bits):
    """Codes [N, K] as the register images of ir/packing.h: s32 [N / unit_n, K / 64 * 128]."""
    n, k = codes.shape
    halves = 2 if bits == 4 else 1
    bias = 8 if bits == 4 else 128
    shifts = (0, 16, 4, 20, 8, 24, 12, 28) if bits == 4 else (0, 8, 16, 24)
    unit = 8 * halves
    rows = -(-n // unit)
    padded = torch.zeros(rows * unit, k, dtype=torch.int16, device=codes.device)
    padded[:n] = codes
    # row block, n / 8, n % 8, k block, k / 8, k % 8 / 2, k % 2
    parts = (padded + bias).reshape(rows, halves, 8, k // 64, 8, 4, 2)
    lanes = parts.permute(0, 3, 2, 5, 1, 4, 6).reshape(rows, k // 64, 32, 4, len(shifts))
    return words_of(lanes, shifts).reshape(rows, k // 64 * 128).contiguous()


def plain_words(codes):
    """Codes [N, K] of 4 bits as s32 [N, K / 8], code k at bits 4 (k mod 8)."""
    n, k = codes.shape
    return words_of((codes & 15).reshape(n, k // 8, 8), tuple(range(0, 32, 4))).contiguous()


class Int4:
    bits = 4

    def __init__(self, n, k, device="cuda"):
        self.n, self.k = n, k
        self.codes = torch.randint(-8, 8, (n, k), dtype=torch.int8, device=device)
        self.scales = (torch.rand(k // GROUP, n, device=device) * 0.02 + 0.005).half()

    def values(self):
        """f16 [N, K], the contract: one rounding of code * scale."""
        grouped = self.codes.half().reshape(self.n, self.k // GROUP, GROUP)
        return (grouped * self.scales.t()[:, :, None]).reshape(self.n, self.k)

    def read_bytes(self):
        return self.n * self.k // 2 + self.scales.numel() * 2

    def halves(self):
        """u8 [N, K / 2]: byte j of a group holds its codes j (low) and j + 64, both + 8."""
        grouped = (self.codes + 8).to(torch.uint8).reshape(self.n, self.k // GROUP, 2, GROUP // 2)
        return (grouped[:, :, 0] | grouped[:, :, 1] << 4).reshape(self.n, self.k // 2).contiguous()

    def tinygemm(self):
        """torch._weight_int4pack_mm's weight, and its scales and zero points [K / 128, N, 2]."""
        u = (self.codes + 8).to(torch.uint8)
        packed = torch._convert_weight_to_int4pack((u[:, ::2] << 4 | u[:, 1::2]).contiguous(), 8)
        zeros = torch.zeros_like(self.scales)
        return packed, torch.stack((self.scales, zeros), dim=2).bfloat16().contiguous()


class Int8:
    bits = 8

    def __init__(self, n, k, segments=None, device="cuda"):
        self.n, self.k = n, k
        self.codes = torch.randint(-127, 128, (n, k), dtype=torch.int8, device=device)
        widths = segments or (n,)
        self.segment_scales = [0.0011 + 0.0003 * i for i in range(len(widths))]
        parts = [torch.full((w,), s, device=device) for w, s in zip(widths, self.segment_scales)]
        self.scales = torch.cat(parts)

    def values(self):
        """f32 [N, K]."""
        return self.codes.float() * self.scales[:, None]

    def read_bytes(self):
        return self.n * self.k
