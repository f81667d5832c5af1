"""Configuration and fp32 tensors of a model, by Hugging Face name."""
import json

import gguf
import numpy as np

# Names of tensors: Hugging Face, GGUF.
WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LAYER = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "self_attn.q_norm.weight": "attn_q_norm.weight",
    "self_attn.k_norm.weight": "attn_k_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}


def gguf_name(name):
    if name in WHOLE:
        return WHOLE[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{LAYER[rest]}"


def huggingface_name(name):
    if name.startswith("blk."):
        _, layer, rest = name.split(".", 2)
        return f"model.layers.{layer}." + {v: k for k, v in LAYER.items()}[rest]
    return {v: k for k, v in WHOLE.items()}[name]


def read_directory(path):
    """(config.json, tensors) of a Hugging Face directory in F32."""
    data = (path / "model.safetensors").read_bytes()
    header_size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + header_size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + header_size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return json.loads((path / "config.json").read_text()), tensors


def read_llama(path):
    """The same of a GGUF file of architecture llama, whose heads rotate neighbouring pairs."""
    reader = gguf.GGUFReader(path)
    tensors = {}
    for t in reader.tensors:
        shape = [int(n) for n in reversed(t.shape)]
        values = gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)
        tensors[huggingface_name(t.name)] = values.reshape(shape)

    def field(name):
        return reader.fields["llama." + name].contents()

    heads, hidden = field("attention.head_count"), field("embedding_length")
    return {
        "interleaved": 1, "vocab_size": len(tensors["model.embed_tokens.weight"]),
        "hidden_size": hidden, "num_hidden_layers": field("block_count"),
        "num_attention_heads": heads, "num_key_value_heads": field("attention.head_count_kv"),
        "head_dim": hidden // heads, "intermediate_size": field("feed_forward_length"),
        "max_position_embeddings": field("context_length"), "rope_theta": field("rope.freq_base"),
        "rms_norm_eps": field("attention.layer_norm_rms_epsilon"),
    }, tensors
