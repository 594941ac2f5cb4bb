# SPDX-License-Identifier: Apache-2.0
"""barline.h in ctypes: the structs, and the library with its functions typed."""

import ctypes
import os
import pathlib
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_uint8, c_uint16
from ctypes import c_uint32, c_uint64, c_void_p

ABI_VERSION = 1
LIBRARY = "libbarline_runtime.so.0"

ARG_POINTER, ARG_TENSOR, ARG_SCALAR = 1, 2, 3
LAUNCH_PROGRAMMATIC = 1
JIT = {None: 0, "on": 1, "off": 2}


class Options(ctypes.Structure):
    warn_type = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
    _fields_ = [
        ("struct_size", c_uint32), ("jit", c_uint32), ("cache_dir", c_char_p),
        ("libcuda", c_char_p), ("strict_budget", c_uint32), ("reserved", c_uint32),
        ("warn", warn_type), ("warn_user", c_void_p), ("kernels", c_char_p),
        ("assembler", c_char_p),
    ]


class Request(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32), ("device", c_int32), ("name", c_char_p), ("key", c_char_p),
        ("stream", c_void_p), ("bind", c_char_p),
    ]


class DType(ctypes.Structure):
    _fields_ = [("code", c_uint8), ("bits", c_uint8), ("lanes", c_uint16)]


class KernelInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32), ("registers", c_uint32), ("name", c_char_p),
        ("schedule", c_char_p), ("target", c_char_p), ("entry", c_char_p),
        ("signature", c_char_p), ("key", c_char_p), ("spill_bytes", c_uint32),
        ("stack_bytes", c_uint32), ("static_smem_bytes", c_uint32),
        ("dynamic_smem_bytes", c_uint32), ("block", c_uint32 * 3), ("cluster", c_uint32 * 3),
        ("cooperative", c_uint32), ("programmatic", c_uint32), ("workspace_bytes", c_uint64),
        ("workspace_align", c_uint64), ("param_count", c_uint32), ("axis_count", c_uint32),
    ]


class Param(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32), ("is_tensor", c_uint32), ("name", c_char_p), ("dtype", DType),
        ("rank", c_uint32), ("is_read", c_uint32), ("is_written", c_uint32),
        ("is_scratch", c_uint32), ("reserved", c_uint32),
    ]


class Axis(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32), ("reserved", c_uint32), ("name", c_char_p),
        ("multiple", c_int64),
    ]


class Device(ctypes.Structure):
    _fields_ = [("type", c_int32), ("id", c_int32)]


class Tensor(ctypes.Structure):
    """DLPack's DLTensor."""

    _fields_ = [
        ("data", c_void_p), ("device", Device), ("ndim", c_int32), ("dtype", DType),
        ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)), ("byte_offset", c_uint64),
    ]


class Value(ctypes.Union):
    _fields_ = [
        ("pointer", c_uint64), ("tensor", POINTER(Tensor)), ("bits", c_uint64), ("f32", c_float),
        ("f64", c_double), ("s32", c_int32), ("u32", c_uint32), ("s64", c_int64),
        ("u64", c_uint64),
    ]


class Arg(ctypes.Structure):
    _fields_ = [("kind", c_uint32), ("dtype", DType), ("value", Value)]


class LaunchInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32), ("flags", c_uint32), ("stream", c_void_p),
        ("args", POINTER(Arg)), ("sizes", POINTER(c_int64)), ("arg_count", c_uint32),
        ("size_count", c_uint32), ("workspace", c_uint64), ("workspace_bytes", c_uint64),
    ]


visit_type = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)

_status = ctypes.c_int
_functions = {
    "barline_abi_version": (c_uint32, []),
    "barline_version": (c_char_p, []),
    "barline_status_name": (c_char_p, [_status]),
    "barline_last_error_json": (c_char_p, []),
    "barline_runtime_open": (_status, [POINTER(Options), POINTER(c_void_p)]),
    "barline_runtime_close": (None, [c_void_p]),
    "barline_runtime_add_pack": (_status, [c_void_p, c_char_p]),
    "barline_runtime_names": (_status, [c_void_p, visit_type, c_void_p]),
    "barline_prepare": (_status, [c_void_p, POINTER(Request), POINTER(c_void_p)]),
    "barline_kernel_release": (None, [c_void_p]),
    "barline_kernel_query": (_status, [c_void_p, POINTER(KernelInfo)]),
    "barline_kernel_param": (_status, [c_void_p, c_uint32, POINTER(Param)]),
    "barline_kernel_axis": (_status, [c_void_p, c_uint32, POINTER(Axis)]),
    "barline_kernel_workspace": (
        _status, [c_void_p, POINTER(c_int64), c_uint32, POINTER(c_uint64), POINTER(c_uint64)]),
    "barline_launch": (_status, [c_void_p, POINTER(LaunchInfo)]),
}


def sized(struct, **members):
    """A struct with its struct_size set."""
    return struct(struct_size=ctypes.sizeof(struct), **members)


def find_library():
    """$BARLINE_RUNTIME_LIBRARY; the library of the install tree that this module is in; else the
    loader's."""
    named = os.environ.get("BARLINE_RUNTIME_LIBRARY")
    if named:
        return named
    for above in pathlib.Path(__file__).resolve().parents[1:6]:
        installed = above / "lib" / LIBRARY
        if installed.exists():
            return str(installed)
    return LIBRARY


def load(path=None):
    path = path or find_library()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"barline's runtime cannot be loaded: {error}; set BARLINE_RUNTIME_LIBRARY to "
            f"{LIBRARY} of an installed barline"
        ) from None
    for name, (result, arguments) in _functions.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    found = library.barline_abi_version()
    if found != ABI_VERSION:
        raise ImportError(f"{path} has interface version {found}; this module speaks {ABI_VERSION}")
    return library
