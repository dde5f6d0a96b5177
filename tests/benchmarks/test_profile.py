"""Every part of the time has its operators, and all parts together are the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import profile
from benchmarks.measurement import Setting


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ("aten::mm aten::addmm mkldnn::_linear_pointwise AddmmBackward0", "matrix products"),
        ("aten::bmm aten::_softmax aten::_softmax_backward_data BmmBackward0", "attention"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu_backward", "attention"),
        ("aten::native_layer_norm aten::native_layer_norm_backward", "normalisation"),
        ("NativeLayerNormBackward0", "normalisation"),
        ("aten::gelu aten::gelu_backward GeluBackward0", "GELU"),
        ("aten::bernoulli_ aten::native_dropout aten::native_dropout_backward", "dropout"),
        ("aten::copy_ aten::_to_copy aten::clone ToCopyBackward0", "copies"),
        ("aten::_fused_adamw_ Optimizer.step#AdamW.step aten::linalg_vector_norm", "optimiser"),
        ("aten::mul aten::view aten::_log_softmax torch::autograd::AccumulateGrad", "rest"),
    ],
)
def test_an_operator_and_its_gradient_belong_to_one_part(operators: str, expected: str) -> None:
    for name in operators.split():
        assert profile.part(name).startswith(expected), name
        assert profile.part(f"autograd::engine::evaluate_function: {name}").startswith(expected)


@pytest.mark.data
def test_all_parts_are_the_whole(
    setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data-root", str(setting.data_root), "--model", str(setting.model)]
    path = tmp_path / "profile.json"
    profile.main([*words, "--scale", str(setting.scale), "--json", str(path)])
    percent = json.loads(path.read_text(encoding="utf-8"))["percent"]
    table = capsys.readouterr().out
    for shares in percent.values():
        assert sum(shares.values()) == pytest.approx(100)
        assert shares.keys() == {*profile.PARTS, profile.PYTHON, profile.REST}
        assert shares["matrix products of linear layers"] > 0
        assert shares[profile.PYTHON] > 0
        assert all(name in table for name in shares)
    assert percent["training"]["optimiser"] > percent["prediction"]["optimiser"] == 0
    assert percent["training"]["dropout and random numbers"] > 0
