from __future__ import annotations

from edgeseg.cli._complete import networks, targets, variants


def test_targets_are_completed_behind_the_last_comma() -> None:
    assert targets("tflite-int") == ["tflite-int8", "tflite-int16x8"]
    assert targets("onnx-fp32,ort") == ["onnx-fp32,ort-fp32", "onnx-fp32,ort-int8", "onnx-fp32,ort"]
    assert "int8" in targets("")
    assert "all" in targets("")


def test_variants_are_families_tiers_and_what_ships() -> None:
    assert variants("unet") == ["unet", "unet-bn"]
    assert "alphax-light" in variants("alphax")
    assert variants("li") == networks("li") == ["light"]
    assert networks("alphax") == []
