# SPDX-License-Identifier: Apache-2.0
"""Tensors of any framework as DLTensor, without a copy. PyTorch's are read by their own members,
which costs less than a capsule and is allowed during a capture; all others by __dlpack__."""

import ctypes

from . import _abi

_CUDA = 2

# By the name that str(tensor.dtype) gives; DLPack's code and bits.
_torch_types = {
    "torch.float16": (2, 16), "torch.bfloat16": (4, 16), "torch.float32": (2, 32),
    "torch.float64": (2, 64), "torch.int8": (0, 8), "torch.int16": (0, 16),
    "torch.int32": (0, 32), "torch.int64": (0, 64), "torch.uint8": (1, 8),
    "torch.uint16": (1, 16), "torch.uint32": (1, 32), "torch.uint64": (1, 64),
    "torch.bool": (6, 8), "torch.float8_e4m3fn": (10, 8), "torch.float8_e5m2": (12, 8),
}

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def is_tensor(value):
    return hasattr(value, "data_ptr") or hasattr(value, "__dlpack__")


def _of_torch(tensor):
    name = str(tensor.dtype)
    if name not in _torch_types:
        raise TypeError(f"tensors of {name} are not known; view it as an integer type of its width")
    if tensor.device.type != "cuda":
        raise TypeError(f"the tensor is on {tensor.device}; move it to the kernel's GPU")
    code, bits = _torch_types[name]
    rank = tensor.dim()
    extents = (ctypes.c_int64 * (2 * rank))(*tensor.shape, *tensor.stride())
    shape = ctypes.cast(extents, ctypes.POINTER(ctypes.c_int64))
    strides = ctypes.cast(ctypes.byref(extents, 8 * rank), ctypes.POINTER(ctypes.c_int64))
    view = _abi.Tensor(tensor.data_ptr(), (_CUDA, tensor.device.index or 0), rank,
                       (code, bits, 1), shape, strides, 0)
    return view, (tensor, extents)


def _of_capsule(tensor):
    # stream=-1: the caller orders the work; the kernel is launched on the stream it names.
    capsule = tensor.__dlpack__(stream=-1)
    # A DLManagedTensor begins with its DLTensor. The capsule stays unused, so that it frees itself.
    address = _pointer(capsule, b"dltensor")
    return _abi.Tensor.from_address(address), (tensor, capsule)


def view(tensor):
    """A DLTensor, and what must stay alive as long as it is used."""
    if hasattr(tensor, "data_ptr") and hasattr(tensor, "stride"):
        return _of_torch(tensor)
    return _of_capsule(tensor)


def memory(tensor, device):
    """Address and bytes of a dense tensor on the CUDA device."""
    dl, _ = view(tensor)
    if (dl.device.type, dl.device.id) != (_CUDA, device):
        raise TypeError(f"it is on device {dl.device.type}:{dl.device.id}; the kernel was prepared "
                        f"for CUDA device {device}: move one of them")
    count = 1
    for i in reversed(range(dl.ndim)):
        if dl.strides and dl.shape[i] != 1 and dl.strides[i] != count:
            raise TypeError("it has gaps or another order in memory; make it contiguous")
        count *= dl.shape[i]
    return (dl.data or 0) + dl.byte_offset, count * dl.dtype.bits * dl.dtype.lanes // 8
