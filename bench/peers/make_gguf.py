"""Writes GGUF files for llama.cpp, one a format: of a Qwen3 policy's Hugging Face directory, with a
dummy vocabulary of the right size (the benchmark feeds token ids), or of a GGUF file of
architecture llama.

  make_gguf.py SOURCE OUT F32 F16 Q8_0 Q4_0      # OUT/F32.gguf ...
"""
import pathlib
import sys

import gguf
import numpy as np
from tensors import gguf_name, read_directory, read_llama


def add_header(writer, config):
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([f"<{i}>" for i in range(config["vocab_size"])])
    writer.add_token_types([gguf.TokenType.USER_DEFINED] * config["vocab_size"])
    writer.add_token_merges(["< 0"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)


def write(config, tensors, path):
    kind = path.stem
    writer = gguf.GGUFWriter(path, "llama" if "interleaved" in config else "qwen3")
    add_header(writer, config)
    quantization = gguf.GGMLQuantizationType[kind]
    for name, values in tensors.items():
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
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    model = read_directory(source) if source.is_dir() else read_llama(source)
    for kind in sys.argv[3:]:
        write(*model, out / f"{kind}.gguf")
