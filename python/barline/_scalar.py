# SPDX-License-Identifier: Apache-2.0
"""Python numbers as scalars of a kernel's types, by their bits."""

import struct

_INT, _UINT, _FLOAT, _BFLOAT, _BOOL = 0, 1, 2, 4, 6
_float_formats = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}


def _bits_of_float(value, bits):
    to, back = _float_formats[bits]
    try:
        return struct.unpack(back, struct.pack(to, value))[0]
    except OverflowError:
        return struct.unpack(back, struct.pack(to, float("inf") if value > 0 else -float("inf")))[0]


def _bits_of_bfloat(value):
    wide = _bits_of_float(value, 32)
    if value != value:
        return 0x7FFF
    return (wide + 0x7FFF + ((wide >> 16) & 1)) >> 16  # nearest, ties to even


def bits_of(value, dtype):
    """The bits of `value` as (code, bits); ValueError where it is out of the type's range."""
    code, bits = dtype
    if code == _FLOAT:
        return _bits_of_float(float(value), bits)
    if code == _BFLOAT:
        return _bits_of_bfloat(float(value))
    number = int(value)
    if number != value:
        raise ValueError(f"{value} is no integer")
    low, high = {_INT: (-(1 << (bits - 1)), (1 << (bits - 1)) - 1), _UINT: (0, (1 << bits) - 1),
                 _BOOL: (0, 1)}[code]
    if not low <= number <= high:
        raise ValueError(f"{value} does not fit an integer of {bits} bits")
    return number & ((1 << bits) - 1)
