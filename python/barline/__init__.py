# SPDX-License-Identifier: Apache-2.0
"""barline's kernels on PyTorch tensors, or on any that speak DLPack; nothing is copied, and nothing
is compiled unless Runtime(kernels=...) says from what.

    import barline, torch
    runtime = barline.Runtime(packs=["kernels.blp"])        # written by `barline pack`
    rms_norm = runtime.prepare("rms_norm.bf16@row256")
    rms_norm(x, w, y, 1e-6)                                 # on torch's current stream

Prepare outside of CUDA graph captures; launch inside of them as you like.
"""

import ctypes
import json
import os
import sys

from . import _abi, _scalar, _tensor

__all__ = ["Runtime", "Kernel", "Parameter", "Error", "version"]

_library = _abi.load()


class Error(RuntimeError):
    """A call that failed. `status` is "BARLINE_NOT_FOUND" and the like, `details` all there is."""

    def __init__(self, details):
        super().__init__(details.get("message", "barline: no message"))
        self.status = details.get("status", "")
        self.details = details


def _check(status):
    if status != 0:
        raise Error(json.loads(_library.barline_last_error_json() or b"{}"))


def version():
    return _library.barline_version().decode()


def _encoded(text):
    return None if text is None else str(text).encode()


def _stream_of(stream, device):
    """A CUstream as a number: the caller's, torch's current one, or the default stream."""
    if stream is None:
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            return None
        stream = torch.cuda.current_stream(device)
    return getattr(stream, "cuda_stream", stream)


class Parameter:
    """A parameter of a kernel: `name`, `is_tensor`, `dtype` as DLPack's (code, bits), `rank`,
    `is_read`, `is_written`, `is_scratch`."""

    def __init__(self, raw):
        self.name = raw.name.decode()
        self.is_tensor = bool(raw.is_tensor)
        self.dtype = (raw.dtype.code, raw.dtype.bits)
        self.rank = raw.rank
        self.is_read, self.is_written = bool(raw.is_read), bool(raw.is_written)
        self.is_scratch = bool(raw.is_scratch)


class Kernel:
    """A kernel on a device. Call it with one argument a parameter: tensors, and numbers."""

    def __init__(self, handle, device):
        self._handle = handle
        self.device = device
        info = _abi.sized(_abi.KernelInfo)
        _check(_library.barline_kernel_query(handle, ctypes.byref(info)))
        text = ("name", "schedule", "target", "entry", "signature", "key")
        self.info = {name: getattr(info, name).decode() for name in text}
        numbers = ("registers", "spill_bytes", "stack_bytes", "static_smem_bytes",
                   "dynamic_smem_bytes", "workspace_bytes", "workspace_align")
        self.info.update({name: getattr(info, name) for name in numbers})
        self.info["block"], self.info["cluster"] = tuple(info.block), tuple(info.cluster)
        self.parameters = [Parameter(self._read(_abi.Param, "barline_kernel_param", i))
                           for i in range(info.param_count)]
        self.axes = [self._read(_abi.Axis, "barline_kernel_axis", i).name.decode()
                     for i in range(info.axis_count)]

    def __del__(self):
        # At interpreter exit the driver may be gone; the process gives all back then.
        if getattr(self, "_handle", None) and not sys.is_finalizing():
            _library.barline_kernel_release(self._handle)

    def _read(self, struct, function, index):
        row = _abi.sized(struct)
        _check(getattr(_library, function)(self._handle, index, ctypes.byref(row)))
        return row

    def _argument(self, parameter, value, alive):
        if not parameter.is_tensor:
            dtype = _abi.DType(*parameter.dtype, 1)
            try:
                bits = _scalar.bits_of(value, parameter.dtype)
            except (TypeError, ValueError) as error:
                raise TypeError(f"argument '{parameter.name}': {error}") from None
            return _abi.Arg(_abi.ARG_SCALAR, dtype, _abi.Value(bits=bits))
        if not _tensor.is_tensor(value):
            raise TypeError(f"argument '{parameter.name}' is a tensor; "
                            f"{type(value).__name__} is none")
        try:
            view, keep = _tensor.view(value)
        except TypeError as error:
            raise TypeError(f"argument '{parameter.name}': {error}") from None
        alive.append((view, keep))
        return _abi.Arg(_abi.ARG_TENSOR, _abi.DType(), _abi.Value(tensor=ctypes.pointer(view)))

    def _sizes(self, sizes):
        missing = [axis for axis in self.axes if axis not in sizes]
        if missing or len(sizes) != len(self.axes):
            raise TypeError(f"sizes are of the axes {', '.join(self.axes)}")
        return (ctypes.c_int64 * len(self.axes))(*(sizes[axis] for axis in self.axes))

    def workspace(self, **sizes):
        """(bytes, alignment) of the scratch of launches with these sizes of the axes; (0, 0) where
        the kernel has none. Zero it when it is made and when it is used with other sizes."""
        size, align = ctypes.c_uint64(), ctypes.c_uint64()
        _check(_library.barline_kernel_workspace(self._handle, self._sizes(sizes), len(self.axes),
                                                 ctypes.byref(size), ctypes.byref(align)))
        return size.value, align.value

    def __call__(self, *args, stream=None, sizes=None, programmatic=False, workspace=None):
        """Launches. `stream`: a CUstream or torch stream, torch's current one when left out.
        `sizes`: by axis name, read off the tensors when left out. `programmatic`: may start before
        the launch before it ends. `workspace`: a tensor of bytes, one a stream, that takes the
        place of the scratch arguments (see workspace())."""
        given = [p for p in self.parameters if workspace is None or not p.is_scratch]
        if len(args) != len(given):
            names = ", ".join(p.name for p in given)
            raise TypeError(f"{self.info['entry']} takes ({names}); got {len(args)} arguments")
        alive = []
        raw = (_abi.Arg * len(args))(
            *(self._argument(p, a, alive) for p, a in zip(given, args)))
        launch = _abi.sized(_abi.LaunchInfo, args=raw, arg_count=len(args),
                            stream=_stream_of(stream, self.device),
                            flags=_abi.LAUNCH_PROGRAMMATIC if programmatic else 0)
        if workspace is not None:
            try:
                launch.workspace, launch.workspace_bytes = _tensor.memory(workspace, self.device)
            except TypeError as error:
                raise TypeError(f"the workspace: {error}") from None
        if sizes is not None:
            launch.sizes, launch.size_count = self._sizes(sizes), len(self.axes)
        _check(_library.barline_launch(self._handle, ctypes.byref(launch)))


class Runtime:
    """Packs, a filled cache, and the GPUs. `jit`: "on" or "off" (a kernel without machine code in a
    pack or the cache is an error then); None: what the environment says. `cache_dir`: "" for none.
    `kernels`: libraries of kernels to compile from where neither has one, "file:file"; "" for
    barline's own; None: nothing is compiled. `assembler`: "auto", "ptxas", "nvjitlink", "driver"."""

    def __init__(self, packs=(), jit=None, cache_dir=None, libcuda=None, strict_budget=False,
                 warn=None, kernels=None, assembler=None):
        if jit not in _abi.JIT:
            known = ", ".join(repr(word) for word in _abi.JIT)
            raise ValueError(f"jit={jit!r}; pass one of {known}")
        if isinstance(packs, (str, bytes, os.PathLike)):
            packs = [packs]
        options = _abi.sized(_abi.Options, jit=_abi.JIT[jit], cache_dir=_encoded(cache_dir),
                             libcuda=_encoded(libcuda), strict_budget=bool(strict_budget),
                             kernels=_encoded(kernels), assembler=_encoded(assembler))
        if warn is not None:
            # The library calls it for as long as the runtime lives.
            self._warn = _abi.Options.warn_type(lambda user, text: warn(text.decode()))
            options.warn = self._warn
        self._handle = ctypes.c_void_p()
        _check(_library.barline_runtime_open(ctypes.byref(options), ctypes.byref(self._handle)))
        for pack in packs:
            self.add_pack(pack)

    def __del__(self):
        if getattr(self, "_handle", None) and not sys.is_finalizing():
            _library.barline_runtime_close(self._handle)

    def add_pack(self, path):
        _check(_library.barline_runtime_add_pack(self._handle, _encoded(path)))

    def names(self):
        """The kernels that packs and cache hold."""
        names = []
        visit = _abi.visit_type(lambda user, name: names.append(name.decode()))
        _check(_library.barline_runtime_names(self._handle, visit, None))
        return names

    def prepare(self, name, device=0, key=None, bind=None):
        """Finds, or with `kernels` compiles, and loads a kernel: "rms_norm.bf16@row256". `key`:
        where a cache has several. `bind`: sizes to compile for, {"d": 8192}."""
        sizes = None if bind is None else " ".join(f"{axis}={size}" for axis, size in bind.items())
        request = _abi.sized(_abi.Request, name=_encoded(name), key=_encoded(key), device=device,
                             stream=_stream_of(None, device), bind=_encoded(sizes))
        kernel = ctypes.c_void_p()
        _check(_library.barline_prepare(self._handle, ctypes.byref(request), ctypes.byref(kernel)))
        return Kernel(kernel, device)
