"""Writes a Qwen3 policy of a Hugging Face directory as GGUF files for llama.cpp, one a format.

The vocabulary is a dummy of the right size: the benchmark feeds token ids.

  make_gguf.py DIR F32 F16 Q8_0 Q4_0      # DIR/F32.gguf ...
"""
import json
import pathlib
import sys

import gguf
import numpy as np
from tensors import read_safetensors

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
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
    if name in NAMES:
        return NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{NAMES[rest]}"


def add_header(writer, config):
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([f"<{i}>" for i in range(config["vocab_size"])])
    writer.add_token_types([gguf.TokenType.USER_DEFINED] * config["vocab_size"])
    writer.add_token_merges(["< 0"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)


def write(directory, kind):
    config = json.loads((directory / "config.json").read_text())
    writer = gguf.GGUFWriter(directory / f"{kind}.gguf", "qwen3")
    add_header(writer, config)
    quantization = gguf.GGMLQuantizationType[kind]
    for name, values in read_safetensors(directory / "model.safetensors").items():
        if values.ndim == 1 or kind == "F32":
            writer.add_tensor(gguf_name(name), values)
        elif kind == "F16":
            writer.add_tensor(gguf_name(name), values.astype(np.float16))
        else:
            writer.add_tensor(
                gguf_name(name), gguf.quants.quantize(values, quantization), raw_dtype=quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    for kind in sys.argv[2:]:
        write(pathlib.Path(sys.argv[1]), kind)
