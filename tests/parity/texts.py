"""Texts that break careless normalisation, drawn from a seed."""

from __future__ import annotations

import random

PIECES = [
    # articles of several languages, alone and inside words
    "the", "The", "THE", "a", "An", "thé", "theta", "un", "Una", "der", "dem", "Haus", "el", "los",
    "của", "một", "những", "ال", "البيت", "والبيت", "Ο", "ένα", "bir", "egy", "dafa", "’n", "একটি",
    "একজনের", "एक", "एकता", "ഒരു", "ஒரு", "ਇੱਕ", "تک", "یک", "Si", "uma", "een",
    # scripts without blanks, mixed scripts, digits of several kinds
    "北京", "大学", "x北y", "龥", "龦", "ひらがな", "서울", "ภาษาไทย", "१२", "３", "1,000", "$5",
    "½",
    # joiners, marks of direction, combining marks, letters whose case is special
    "\u200d", "\u200c", "\u200b", "\u200e", "\u200f", "\u2067", "\ufeff", "e\u0301", "é",
    "a\u0301", "क\u094d\u200dष", "İ", "ß", "ΑΣ", "ΐ", "ﬁ", "\u0640",
    # punctuation: ASCII, full-width, and of other scripts
    ".", ",", "!", "'s", "-", "_", "^", "`", "«", "»", "，", "。", "！", "（", "）", "、", "؟", "،",
    "।", "৷", "„", "”", "’", "…", "・", "＄", "￥", "👩‍🔬",
    # blanks of several kinds
    " ", "  ", "\t", "\n", "\u00a0", "\u3000", "\u2028", "\x1f", "",
]  # fmt: skip


def text(draw: random.Random, longest: int = 6) -> str:
    """Some pieces, with a blank between them or not; now and then nothing at all."""
    pieces = draw.choices(PIECES, k=draw.randint(0, longest))
    return "".join(piece + draw.choice(["", " "]) for piece in pieces)


def similar_text(draw: random.Random, original: str) -> str:
    """A text that shares much with `other`: its beginning, its end, or all but the case."""
    index = draw.randint(0, len(original))
    return draw.choice(
        [
            original,
            original[:index],
            original[index:],
            original.upper(),
            f"the {original}.",
            text(draw) + original,
        ]
    )


def answers(seed: int, count: int) -> list[tuple[str, list[str]]]:
    """Pairs of a prediction and one to three gold answers, many of them close to it."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        golds = [text(draw) for _ in range(draw.randint(1, 3))]
        answer = similar_text(draw, draw.choice(golds)) if draw.random() < 0.7 else text(draw)
        pairs.append((answer, golds))
    return pairs
