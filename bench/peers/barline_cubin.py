# SPDX-License-Identifier: Apache-2.0
"""barline's kernels inside a PyTorch process: loads the cubins that `barline build --launch-json`
wrote and launches them through the driver API on the current stream, so that the same graphs and
timers serve them and their peers. Torch tensors are the memory."""

import ctypes
import json
import math
import pathlib

import torch

DYNAMIC_SMEM, COOPERATIVE, CLUSTER, PROGRAMMATIC = 8, 2, 4, 6
MAP_TYPES = {1: 0, 2: 6, 4: 2, 8: 4}  # bytes of an element -> u8, f16, u32, u64: bits are bits
SWIZZLE_NONE, SWIZZLE_128, L2_PROMOTION_128 = 0, 3, 2

ELEMS = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "s8": torch.int8,
         "u8": torch.uint8, "s32": torch.int32, "u32": torch.int32}
SCALARS = {"f32": ctypes.c_float, "f64": ctypes.c_double, "s32": ctypes.c_int32,
           "u32": ctypes.c_uint32, "s64": ctypes.c_int64, "u64": ctypes.c_uint64}


class Attribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int), ("pad", ctypes.c_int), ("value", ctypes.c_uint32 * 16)]


class LaunchConfig(ctypes.Structure):
    _fields_ = [("grid", ctypes.c_uint * 3), ("block", ctypes.c_uint * 3),
                ("smem", ctypes.c_uint), ("stream", ctypes.c_void_p),
                ("attributes", ctypes.POINTER(Attribute)), ("count", ctypes.c_uint)]


class Driver:
    """libcuda, with errors as exceptions that name the call."""

    def __init__(self):
        self.lib = ctypes.CDLL("libcuda.so.1")
        torch.cuda.init()
        torch.empty(1, device="cuda")  # makes the context current

    def __getattr__(self, name):
        function = getattr(self.lib, name)

        def call(*arguments):
            status = function(*arguments)
            if status != 0:
                text = ctypes.c_char_p()
                self.lib.cuGetErrorString(status, ctypes.byref(text))
                raise RuntimeError(f"{name}: error {status}: {(text.value or b'').decode()}")

        return call


def ceil_div(a, b):
    return -(-a // b)


def size_of(size, sizes):
    """A size of a bundle: that of a dynamic axis or a count, then ceil(size / per) * times."""
    n = sizes[size["axis"]] if "axis" in size else size["count"]
    for per, times in size.get("rules", ()):
        n = ceil_div(n, per) * times
    return n


class Kernel:
    """One row of a bundle, loaded."""

    def __init__(self, driver, folder, row):
        self.driver, self.row = driver, row
        self.name, self.family = row["name"], row["kernel"]
        self.params, self.axes = row["params"], row["axes"]
        module, self.function = ctypes.c_void_p(), ctypes.c_void_p()
        image = (pathlib.Path(folder) / row["cubin"]).read_bytes()
        driver.cuModuleLoadData(ctypes.byref(module), image)
        driver.cuModuleGetFunction(ctypes.byref(self.function), module, row["entry"].encode())
        if row["dynamic_smem"] > 48 << 10:
            driver.cuFuncSetAttribute(self.function, DYNAMIC_SMEM, row["dynamic_smem"])

    def fits(self, sizes):
        """Does the schedule take these sizes: its bound axes and multiples?"""
        return all(sizes.get(a, n) == n for a, n in self.row["dims"].items()) and all(
            a["name"] in sizes and sizes[a["name"]] % a["multiple"] == 0 for a in self.axes)

    def shape(self, param, sizes):
        return [size_of(s, sizes) for s in param["shape"]]

    def resident(self):
        """Blocks that fit on the device at once."""
        blocks = ctypes.c_int()
        cluster = self.row["cluster"]
        if cluster > 1:
            config, kept = self.config((cluster, 1, 1), None, False)
            self.driver.cuOccupancyMaxActiveClusters(ctypes.byref(blocks), self.function,
                                                     ctypes.byref(config))
            return blocks.value * cluster
        threads = self.row["block"][0] * self.row["block"][1] * self.row["block"][2]
        self.driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(
            ctypes.byref(blocks), self.function, threads,
            ctypes.c_size_t(self.row["dynamic_smem"]))
        return blocks.value * torch.cuda.get_device_properties(0).multi_processor_count

    def grid(self, sizes):
        grid = []
        for dim in self.row["grid"]:
            if "count" in dim:
                grid.append(dim["count"])
                continue
            blocks = [ceil_div(size_of(s, sizes), dim["per_block"]) for s in dim["sizes"]]
            grid.append(max(blocks) if dim["abreast"] else sum(blocks))
        cluster = self.row["cluster"]
        grid[0] = ceil_div(grid[0], cluster) * cluster
        if self.row["persistent"]:
            tiles = grid[0] * grid[1] * grid[2]
            grid = [max(cluster, min(tiles, self.resident()) // cluster * cluster), 1, 1]
        return grid

    def config(self, grid, stream, dependent):
        values = []
        if self.row["cooperative"]:
            values.append((COOPERATIVE, (1,)))
        if self.row["cluster"] > 1:
            values.append((CLUSTER, (self.row["cluster"], 1, 1)))
        if dependent:
            values.append((PROGRAMMATIC, (1,)))
        attributes = (Attribute * max(len(values), 1))()
        for a, (id_, words) in zip(attributes, values):
            a.id = id_
            for i, word in enumerate(words):
                a.value[i] = word
        config = LaunchConfig((ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*self.row["block"]),
                              self.row["dynamic_smem"], stream, attributes, len(values))
        return config, attributes

    def map(self, entry, tensor, sizes):
        """The tensor map of a bundle's entry: boxes of the tensor's last two axes."""
        shape = self.shape(self.params[entry["param"]], sizes)
        width = tensor.element_size()
        columns, rows = max(shape[-1], 1), max(shape[-2], 1) if len(shape) > 1 else 1
        dims, box = [columns, rows], [entry["columns"], entry["rows"]]
        pitch = ceil_div(columns * width, 16) * 16
        strides = [pitch]
        if len(shape) > 2:
            dims.append(max(math.prod(shape[:-2]), 1))
            box.append(1)
            strides.append(pitch * rows)
        rank = len(dims)
        raw = ctypes.create_string_buffer(128 + 64)
        at = (ctypes.addressof(raw) + 63) & ~63
        self.driver.cuTensorMapEncodeTiled(
            ctypes.c_void_p(at), MAP_TYPES[width], rank, ctypes.c_void_p(tensor.data_ptr()),
            (ctypes.c_uint64 * rank)(*dims), (ctypes.c_uint64 * (rank - 1))(*strides),
            (ctypes.c_uint32 * rank)(*box), (ctypes.c_uint32 * rank)(*([1] * rank)), 0,
            SWIZZLE_128 if entry["swizzled"] else SWIZZLE_NONE, L2_PROMOTION_128, 0)
        return ctypes.string_at(at, 128)

    def bind(self, tensors, scalars, sizes, dependent=False):
        """A function that enqueues one launch on the current stream. The tensors live as long."""
        values = []
        for p in self.params:
            if p["tensor"]:
                t = tensors[p["name"]]
                self.check(p, t, sizes)
                values.append(ctypes.c_uint64(t.data_ptr()))
            else:
                values.append(SCALARS[p["elem"]](scalars[p["name"]]))
        values += [ctypes.c_int32(sizes[a["name"]]) for a in self.axes]
        for entry in self.row["tensor_maps"]:
            bytes_ = self.map(entry, tensors[self.params[entry["param"]]["name"]], sizes)
            values.append((ctypes.c_char * 128).from_buffer_copy(bytes_))
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.addressof(v) for v in values])
        grid = self.grid(sizes)

        def launch():
            stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
            config, kept = self.config(grid, stream, dependent)
            self.driver.cuLaunchKernelEx(ctypes.byref(config), self.function, pointers, None)

        launch.kept = (values, list(tensors.values()))
        return launch

    def check(self, param, tensor, sizes):
        shape = self.shape(param, sizes)
        if tensor.dtype != ELEMS[param["elem"]] or list(tensor.shape) != shape:
            raise ValueError(f"{self.name}: '{param['name']}' is {param['elem']}{shape}; given "
                             f"{tensor.dtype}{list(tensor.shape)}")


def load_bundle(path):
    """The kernels of a bundle (the JSON file's folder holds the cubins)."""
    path = pathlib.Path(path)
    bundle = json.loads(path.read_text())
    if bundle["schema"] != "barline.launches/1":
        raise ValueError(f"{path}: schema {bundle['schema']!r} is not barline.launches/1")
    driver = Driver()
    return [Kernel(driver, path.parent, row) for row in bundle["kernels"]]
