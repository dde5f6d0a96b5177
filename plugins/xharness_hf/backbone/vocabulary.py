"""A tokenizer learnt from texts: the same texts, the same tokenizer, in every process."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

BOS, PAD, EOS, UNK, MASK = SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_CONTINUES = "##"
_LETTERS = 4  # at most one piece in so many is a single character that begins a word


def learn(texts: Sequence[str], size: int) -> Tokenizer:
    """A BPE tokenizer of at most `size` sub-words.

    BPE and not Unigram: the trainer of the latter sums probabilities in an order that differs
    between processes, so its vocabulary is not a function of the texts. Punctuation and Chinese
    characters stand alone, so that a word is spelled alike in a sentence and in a list of words.
    """
    tokenizer = _with_normalizer(models.BPE(unk_token=UNK, continuing_subword_prefix=_CONTINUES))
    assert tokenizer.normalizer is not None
    normalised_texts = _without_rare_characters(
        [tokenizer.normalizer.normalize_str(text) for text in dict.fromkeys(texts)], size
    )
    # Letters that go on with a word are handed over as specials, which are numbered as they come.
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[*SPECIALS, *_continuing_letters(tokenizer, normalised_texts)],
        continuing_subword_prefix=_CONTINUES,
        show_progress=False,
    )
    tokenizer.train_from_iterator(normalised_texts, trainer)
    return _final_tokenizer(json.loads(tokenizer.to_str())["model"])


def _with_normalizer(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    # accents and case tell words apart in most languages
    tidy = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), tidy])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _without_rare_characters(texts: Sequence[str], size: int) -> list[str]:
    """The texts without their rarest characters; the trainer's own limit breaks ties by chance."""
    counts = Counter(character for text in texts for character in text)
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    rare = str.maketrans(dict.fromkeys(ranked[size // _LETTERS :], " "))
    return [text.translate(rare) for text in texts]


def _continuing_letters(tokenizer: Tokenizer, texts: Sequence[str]) -> list[str]:
    """The pieces of one character that go on with a word, in a fixed order.

    Left to itself the trainer numbers them in the order of a hash table, and ties between merges
    are broken by number.
    """
    assert tokenizer.pre_tokenizer is not None
    words = {word for text in texts for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)}
    return [
        _CONTINUES + letter for letter in sorted({letter for word in words for letter in word[1:]})
    ]


def _final_tokenizer(model: dict[str, Any]) -> Tokenizer:
    """The learnt model with the true specials alone, and the frame of BERT and XLM-R."""
    tokenizer = _with_normalizer(
        models.BPE(
            vocab=model["vocab"],
            merges=[(first, second) for first, second in model["merges"]],
            unk_token=UNK,
            continuing_subword_prefix=_CONTINUES,
        )
    )
    tokenizer.add_special_tokens(list(SPECIALS))
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {EOS}",
        pair=f"{BOS} $A {EOS} $B:1 {EOS}:1",
        special_tokens=[(BOS, bos), (EOS, eos)],
    )
    return tokenizer
