#!/usr/bin/env python3
"""Writes the seeds of the fuzzers of checkpoints: invented, as small as their formats allow."""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "corpus"


def safetensors(name, entries, metadata=None):
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for tensor, (dtype, shape, content) in entries.items():
        header[tensor] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (HERE / "safetensors" / name).write_bytes(struct.pack("<Q", len(text)) + text + data)


def letters():
    spare = 256
    for byte in range(256):
        if 33 <= byte <= 126 or 161 <= byte <= 172 or byte >= 174:
            yield chr(byte)
        else:
            yield chr(spare)
            spare += 1


def tokenizer(name, merges, paired):
    vocab = {letter: i for i, letter in enumerate(letters())}
    for left, right in merges:
        vocab[left + right] = len(vocab)
    split = (r" ?[A-Za-z\x{80}-\x{10FFFF}]+| ?[0-9]| ?[!-/:-@\[-`{-~\x00-\x08\x0E-\x1F\x7F]+"
             r"|[ \t\n\r\f\x0B]+")
    steps = [{"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
             {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]
    written = [[a, b] if paired else f"{a} {b}" for a, b in merges]
    (HERE / "tokenizer" / name).write_text(json.dumps({
        "added_tokens": [{"id": len(vocab), "content": "<|end|>", "special": True}],
        "normalizer": None, "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "model": {"type": "BPE", "vocab": vocab, "merges": written}}, separators=(",", ":")))


def config(name, **changes):
    base = {"model_type": "qwen3", "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 64,
            "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
            "hidden_act": "silu"}
    base.update(changes)
    (HERE / "config" / name).write_text(json.dumps({k: v for k, v in base.items() if v is not None}))


safetensors("floats", {"a": ("F32", [2, 1], b"\0" * 8), "b": ("BF16", [3], b"\0" * 6)}, {"format": "pt"})
safetensors("foreign", {"a": ("F64", [1], b"\0" * 8), "s": ("F32", [], b"\0" * 4), "z": ("I8", [0], b"")})
tokenizer("text_merges", [("a", "b"), ("ab", "c"), ("d", "e")], paired=False)
tokenizer("paired_merges", [("a", "b"), ("c", "ab")], paired=True)
config("plain", tie_word_embeddings=True)
config("llama", model_type="llama", head_dim=None, architectures=["LlamaForCausalLM"])
config("linear", rope_scaling={"type": "linear", "factor": 4.0})
config("llama3", rope_theta=None,
       rope_parameters={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0, "original_max_position_embeddings": 128,
                        "rope_theta": 1e6})
config("layers", layer_types=["full_attention"] * 2, use_sliding_window=False, sliding_window=16)
