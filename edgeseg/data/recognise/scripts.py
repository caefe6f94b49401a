"""Words that descriptions carry in other letters than Latin ones, put into the words that the tables know.

Japanese, Chinese, Korean and Russian, as consoles and people write them; the longer stand before what they contain.
"""
# ruff: noqa: RUF001  letters that look like Latin ones are what this file is about

from __future__ import annotations

import re
import unicodedata

_MEANT = {
    "without contrast": "非造影 造影なし 造影無し 無造影 비조영",
    "pre": "造影前 増強前 增强前 增強前 単純 平扫 平掃 조영전",
    "post contrast": "造影後 造影后 増強後 增强后 增強後 注射後 注射后 조영후",
    "delayed": "遅延 延迟 延遲 지연",
    "contrast": "造影剤 造影 増強 增强 增強 強化 强化 조영",
    "wi": "強調画像 強調像 強調 强调 加权像 加權像 加权 加權 강조영상 강조",
    "flair": "水抑制 黑水",
    "fs": "脂肪抑制 压脂 抑脂 壓脂 지방억제",
    "axial": "横断像 横断面 横断 横轴位 横轴 軸位 轴位 水平断 水平 축상 횡단",
    "coronal": "冠状断 冠状面 冠状位 冠状 冠狀 관상",
    "sagittal": "矢状断 矢状面 矢状位 矢状 矢狀 시상",
    "spine": "頸椎 颈椎 頚椎 腰椎 胸椎 脊椎 脊柱 脊髄 脊髓 척추 경추 요추",
    "brain": "頭部 头部 头颅 頭蓋 脳 脑 腦 뇌 두부",
    "diffusion": "拡散 弥散 擴散 확산",
    "perfusion": "灌流 灌注 관류",
    "localizer": "位置決め 位置決 定位像 定位",
    "subtraction": "減算 差分 剪影 减影",
    "": "画像 图像 像 後処理 영상 撮影 撮像 位 面",
}
_RUSSIAN = (
    (r"т(?=\d)", "t"),
    (r"без\s*(к/?у|контраст\w*)", " without contrast "),
    (r"до\s*(к/?у|контраст\w*|введени\w*)", " pre "),
    (r"после\s*(к/?у|контраст\w*|введени\w*)", " post contrast "),
    (r"\b(с\s+)?контраст\w*|\bусилени\w*|\bс\s+к/?у\b", " contrast "),
    (r"\bви\b", " wi "),
    (r"\b(флаир|флэйр|флейр)\b", " flair "),
    (r"\bакс\w*", " axial "),
    (r"\bкор\w*", " coronal "),
    (r"\bсаг\w*", " sagittal "),
)
_SIGNS = tuple(
    (re.compile(re.escape(sign)), f" {meant} ")
    for sign, meant in sorted(
        ((sign, meant) for meant, signs in _MEANT.items() for sign in signs.split()), key=lambda pair: -len(pair[0])
    )
) + tuple((re.compile(pattern, re.IGNORECASE), meant) for pattern, meant in _RUSSIAN)
_LATIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"})


def in_latin(text: str) -> str:
    """Put a description into Latin letters without accents, as far as its words are known."""
    plain = unicodedata.normalize("NFKC", text)
    for sign, meant in _SIGNS:
        plain = sign.sub(meant, plain)
    return unicodedata.normalize("NFKD", plain.translate(_LATIN))


def has_unread(text: str) -> bool:
    """Whether letters of a description are in no word that is known in their script."""
    return any(not char.isascii() and char.isalpha() for char in in_latin(text))
