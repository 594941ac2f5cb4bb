# SPDX-License-Identifier: Apache-2.0
"""The Python module over a driver that is a file: stand-ins for tensors, as PyTorch's look and as
DLPack's are. $BARLINE_FAKE_CUDA and $BARLINE_SAMPLE_PACK name the driver and the program that
writes a pack."""

import ctypes
import gc
import os
import struct
import subprocess
import tempfile
import threading
import types
import unittest

import barline
from barline import _abi

fake = ctypes.CDLL(os.environ["BARLINE_FAKE_CUDA"])
fake.fake_cuda_argument.restype = ctypes.c_uint64
fake.fake_cuda_stream.restype = ctypes.c_void_p
STREAM = 80


class TorchLike:
    """The members of a torch.Tensor that the module reads."""

    def __init__(self, dtype, shape, address=0x4000, strides=None, device="cuda", index=0):
        self.dtype = type("dtype", (), {"__str__": lambda _: "torch." + dtype})()
        self.shape, self._address = shape, address
        self.device = types.SimpleNamespace(type=device, index=index)
        dense, step = [], 1
        for extent in reversed(shape):
            dense.insert(0, step)
            step *= extent
        self._strides = tuple(strides or dense)

    def data_ptr(self):
        return self._address

    def dim(self):
        return len(self.shape)

    def stride(self):
        return self._strides


class ManagedTensor(ctypes.Structure):
    _fields_ = [("tensor", _abi.Tensor), ("context", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p)]


class DlpackLike:
    """A tensor of another framework: all that it offers is a capsule."""

    def __init__(self, code, bits, shape, address=0x4000, offset=0):
        self._shape = (ctypes.c_int64 * len(shape))(*shape)
        self._managed = ManagedTensor(
            _abi.Tensor(address, (2, 0), len(shape), (code, bits, 1), self._shape, None, offset))
        self.streams = []

    def __dlpack__(self, stream=None):
        self.streams.append(stream)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self._managed), b"dltensor", None)


def watch(*sizes):
    fake.fake_cuda_watch(len(sizes), (ctypes.c_int * len(sizes))(*sizes))


class Module(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.pack = os.path.join(cls.folder.name, "k.blp")
        subprocess.run([os.environ["BARLINE_SAMPLE_PACK"], cls.pack], check=True)
        cls.runtime = barline.Runtime(packs=[cls.pack], jit="off", cache_dir="",
                                      libcuda=os.environ["BARLINE_FAKE_CUDA"])
        cls.kernel = cls.runtime.prepare("rms_norm.bf16@row256")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        watch()  # another kernel may have fewer arguments

    def arguments(self, rows=3, d=16, kind="bfloat16"):
        return (TorchLike(kind, (rows, d), 0x4000), TorchLike(kind, (d,), 0x5000),
                TorchLike(kind, (rows, d), 0x6000), 0.5)

    def test_a_kernel_says_what_it_takes(self):
        kernel = self.kernel
        self.assertEqual([p.name for p in kernel.parameters], ["x", "w", "y", "eps"])
        self.assertEqual(kernel.parameters[0].dtype, (4, 16))
        self.assertTrue(kernel.parameters[2].is_written and not kernel.parameters[2].is_read)
        self.assertEqual(kernel.axes, ["rows", "d"])
        self.assertEqual(kernel.info["target"], "sm_90a")
        self.assertEqual(kernel.info["block"], (256, 1, 1))
        self.assertEqual(self.runtime.names(), ["every.f16@s", "rms_norm.bf16@row256", "sums.f32@s"])

    def test_torch_tensors_reach_the_driver_without_a_copy(self):
        watch(8, 8, 8, 4, 4, 4)
        calls = fake.fake_cuda_calls(None)
        self.kernel(*self.arguments(), stream=STREAM)
        self.assertEqual(fake.fake_cuda_calls(None), calls + 1)
        got = [fake.fake_cuda_argument(i) for i in range(6)]
        half = struct.unpack("<I", struct.pack("<f", 0.5))[0]
        self.assertEqual(got, [0x4000, 0x5000, 0x6000, half, 3, 16])
        self.assertEqual(fake.fake_cuda_grid_x(), 3)
        self.assertEqual(fake.fake_cuda_stream(), STREAM)

    def test_capsules_reach_the_driver_and_no_stream_waits(self):
        x = DlpackLike(4, 16, (3, 16), 0x4000, offset=32)
        w, y = DlpackLike(4, 16, (16,), 0x5000), DlpackLike(4, 16, (3, 16), 0x6000)
        watch(8, 8, 8)
        self.kernel(x, w, y, 1e-6, stream=STREAM)
        self.assertEqual([fake.fake_cuda_argument(i) for i in range(3)], [0x4020, 0x5000, 0x6000])
        self.assertEqual(x.streams, [-1])

    def test_a_stream_may_be_an_object_of_torch(self):
        self.kernel(*self.arguments(), stream=types.SimpleNamespace(cuda_stream=96))
        self.assertEqual(fake.fake_cuda_stream(), 96)

    def test_scalars_have_the_bits_of_their_types(self):
        kernel = self.runtime.prepare("every.f16@s")
        a, b = TorchLike("float16", (4,)), TorchLike("int32", (4,))
        c = TorchLike("uint8", (4,))  # frameworks without float8 pass bytes
        watch(8, 8, 8, 4, 1, 2, 2, 8)
        kernel(a, b, c, -2, 255, 1.5, 1.0 + 2**-8, 0.1, stream=STREAM)
        got = [fake.fake_cuda_argument(i) for i in range(3, 8)]
        double = struct.unpack("<Q", struct.pack("<d", 0.1))[0]
        self.assertEqual(got, [2**32 - 2, 255, 0x3E00, 0x3F80, double])
        for wrong in (1 << 31, 1.5, "x"):
            with self.assertRaisesRegex(TypeError, "argument 'i'"):
                kernel(a, b, c, wrong, 0, 0, 0, 0, stream=STREAM)

    def test_mistakes_are_errors_that_name_the_argument(self):
        x, w, y, eps = self.arguments()
        for arguments, message in [
            ((x, w, y), r"takes \(x, w, y, eps\); got 3"),
            ((x, w, 5, eps), "argument 'y' is a tensor; int is none"),
            ((x, TorchLike("complex64", (16,)), y, eps), "'w': tensors of torch.complex64"),
            ((TorchLike("bfloat16", (3, 16), device="cpu"), w, y, eps), "'x': the tensor is on"),
        ]:
            with self.assertRaisesRegex(TypeError, message):
                self.kernel(*arguments, stream=STREAM)
        for arguments, message in [
            (self.arguments(kind="float16"), "tensor 'x' has elements of DLPack type 2"),
            ((x, TorchLike("bfloat16", (8,)), y, eps), "tensor 'w' has shape .8."),
            ((TorchLike("bfloat16", (3, 16), strides=(32, 1)), w, y, eps), "make it contiguous"),
            ((TorchLike("bfloat16", (3, 16), 0x4002), w, y, eps), "align it to 16 bytes"),
            ((TorchLike("bfloat16", (3, 16), index=1), w, y, eps), "is on device 2:1"),
            (self.arguments(d=12), "axis 'd' of 12; pass 1 .. 2.31-1, a multiple of 8"),
        ]:
            with self.assertRaisesRegex(barline.Error, message) as caught:
                self.kernel(*arguments, stream=STREAM)
            self.assertEqual(caught.exception.status, "BARLINE_INVALID_ARGUMENT")

    def test_sizes_may_be_given_by_name(self):
        self.kernel(*self.arguments(), stream=STREAM, sizes={"rows": 3, "d": 16})
        with self.assertRaisesRegex(barline.Error, "axis 'rows' has 2 elements"):
            self.kernel(*self.arguments(), stream=STREAM, sizes={"rows": 2, "d": 16})
        with self.assertRaisesRegex(TypeError, "sizes are of the axes rows, d"):
            self.kernel(*self.arguments(), stream=STREAM, sizes={"rows": 2})

    def test_options_are_checked(self):
        fake_cuda = os.environ["BARLINE_FAKE_CUDA"]
        with self.assertRaisesRegex(ValueError, "jit=True; pass one of None, 'on', 'off'"):
            barline.Runtime(jit=True, cache_dir="", libcuda=fake_cuda)
        one = barline.Runtime(packs=self.pack, jit="off", cache_dir="", libcuda=fake_cuda)
        self.assertEqual(one.names(), self.runtime.names())

    def test_a_workspace_takes_the_place_of_the_scratch(self):
        kernel = self.runtime.prepare("sums.f32@s")
        self.assertEqual([p.is_scratch for p in kernel.parameters], [False, True, False])
        self.assertEqual(kernel.workspace(n=100), (1792, 256))
        with self.assertRaises(TypeError):
            kernel.workspace(m=100)
        watch(8, 8, 8, 4)
        x, y = TorchLike("float32", (100,)), TorchLike("float32", (100,), address=0x5000)
        space = TorchLike("uint8", (1792,), address=0x10000)
        kernel(x, y, stream=STREAM, workspace=space)
        self.assertEqual([fake.fake_cuda_argument(i) for i in range(4)],
                         [0x4000, 0x10000, 0x5000, 100])
        with self.assertRaisesRegex(barline.Error, "pass 1792 zeroed bytes"):
            kernel(x, y, stream=STREAM, workspace=TorchLike("uint8", (1791,), address=0x10000))
        elsewhere = TorchLike("uint8", (1792,), address=0x10000, index=1)
        with self.assertRaisesRegex(TypeError, "the workspace: it is on device 2:1"):
            kernel(x, y, stream=STREAM, workspace=elsewhere)
        with self.assertRaisesRegex(TypeError, "the workspace: it has gaps"):
            kernel(x, y, stream=STREAM, workspace=TorchLike("uint8", (1792,), strides=(0,)))
        with self.assertRaisesRegex(TypeError, "takes .x, partial, y."):
            kernel(x, y, stream=STREAM)
        self.assertEqual(self.runtime.prepare("every.f16@s").workspace(n=4), (0, 0))

    def test_a_library_of_kernels_brings_the_compiler(self):
        library = os.environ["BARLINE_KERNEL_LIBRARY"]
        runtime = barline.Runtime(jit="off", cache_dir="", libcuda=os.environ["BARLINE_FAKE_CUDA"],
                                  kernels=library)
        self.assertIn("vector_add.f32@flat256", runtime.names())
        with self.assertRaisesRegex(barline.Error, "compiling is off(.|\n)*codegen_id") as caught:
            runtime.prepare("vector_add.f32@flat256", bind={"n": 4096})
        self.assertEqual(caught.exception.status, "BARLINE_NOT_FOUND")
        self.assertRegex(str(caught.exception), "n=4096")
        with self.assertRaisesRegex(barline.Error, "pass auto, ptxas, nvjitlink or driver"):
            barline.Runtime(assembler="nvcc")

    def test_a_failing_driver_is_an_error_with_its_code(self):
        fake.fake_cuda_inject(b"cuLaunchKernelEx", 719)
        try:
            with self.assertRaises(barline.Error) as caught:
                self.kernel(*self.arguments(), stream=STREAM)
        finally:
            fake.fake_cuda_inject(b"cuLaunchKernelEx", 0)
        self.assertEqual(caught.exception.status, "BARLINE_DRIVER_ERROR")
        self.assertEqual(caught.exception.details["driver_code"], 719)

    def test_what_is_not_there_says_where_it_was_looked_for(self):
        with self.assertRaisesRegex(barline.Error, "no kernel 'softmax.f32@row256'") as caught:
            self.runtime.prepare("softmax.f32@row256")
        self.assertEqual(caught.exception.status, "BARLINE_NOT_FOUND")
        with self.assertRaises(barline.Error) as caught:
            self.runtime.add_pack("/nonexistent.blp")
        self.assertEqual(caught.exception.status, "BARLINE_BAD_PACK")

    def test_a_kernel_outlives_its_runtime_and_is_given_back(self):
        unloaded = fake.fake_cuda_calls(b"cuLibraryUnload")
        runtime = barline.Runtime(packs=[self.pack], cache_dir="",
                                  libcuda=os.environ["BARLINE_FAKE_CUDA"])
        kernel = runtime.prepare("rms_norm.bf16@row256")
        del runtime
        gc.collect()
        kernel(*self.arguments(), stream=STREAM)
        del kernel
        gc.collect()
        self.assertEqual(fake.fake_cuda_calls(b"cuLibraryUnload"), unloaded + 1)

    def test_threads_launch_at_once(self):
        wrong = []

        def work():
            try:
                for _ in range(50):
                    self.kernel(*self.arguments(), stream=STREAM)
            except Exception as error:  # any at all fails the test
                wrong.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
