"""Choosing the Keras backend."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from edgeseg.backend import computing, load_keras, predict, running_keras
from edgeseg.errors import OptionError, UnknownNameError


def test_a_second_backend_in_one_process_is_refused() -> None:
    load_keras("tensorflow")
    with pytest.raises(OptionError, match="already runs on tensorflow"):
        load_keras("jax")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="choose one of: jax, tensorflow, torch"):
        load_keras("mxnet")


def test_a_backend_that_is_not_installed_names_its_extra() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else real(name, *a)\n"
        "from edgeseg.backend import load_keras\n"
        "from edgeseg.errors import MissingExtraError\n"
        "try: load_keras('torch')\n"
        "except MissingExtraError as e: print(e)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'edgeseg[torch]'" in done.stdout


def test_any_number_of_images_runs_in_batches_of_one_size() -> None:
    sizes = []

    class Doubler:
        def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
            sizes.append(len(images))
            return 2.0 * images[..., :1]

    images = np.random.default_rng(0).random((5, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(predict(Doubler(), images, batch=2), 2.0 * images[..., :1])
    np.testing.assert_array_equal(predict(Doubler(), images[:4], batch=2), 2.0 * images[:4, ..., :1])
    assert sizes == [2] * 5


def test_keras_as_it_runs_is_not_loaded_again() -> None:
    assert running_keras() is load_keras("tensorflow")


def test_loading_tensorflow_prints_nothing() -> None:
    code = "from edgeseg.backend import running_keras; running_keras().ops.ones(1)"
    unset = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=unset, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_layers_compute_in_bfloat16_only_where_asked() -> None:
    keras = load_keras()
    before = keras.config.dtype_policy()
    with computing(keras, "bfloat16"):
        inside = keras.layers.Dense(2)
    assert (inside.compute_dtype, inside.variable_dtype) == ("bfloat16", "float32")
    assert keras.layers.Dense(2).compute_dtype == "float32"
    assert keras.config.dtype_policy() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library maps arrays one by one")
def test_memory_that_was_given_back_is_taken_again() -> None:
    code = (
        "import ctypes, resource, numpy as np\n"
        "from edgeseg.backend import reuse_memory\n"
        "ctypes.CDLL(None).mallopt(-3, 1 << 17)\n"  # what TensorFlow does
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(50):\n"
        "        np.ones(1 << 20, np.uint8)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "mapped = faults()\n"
        "reuse_memory()\n"
        "faults()\n"
        "assert faults() < mapped / 4, (faults(), mapped)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
