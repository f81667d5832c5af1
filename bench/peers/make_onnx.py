"""Writes a Qwen3 policy's Hugging Face directory, or a GGUF file of architecture llama, as ONNX
graphs, in the form that ONNX Runtime runs language models best in: its fused attention over buffers
of keys and values that are written in place, fused norms, and the layers after the last attention
only for the last position.

  make_onnx.py SOURCE OUT  # OUT/fp32.onnx, int8.onnx, nbits8.onnx, nbits4.onnx, embedding.npy

int8: quantize_dynamic (weights per channel, activations a tensor); nbits: MatMulNBits, blocks of
32 weights, products in int8.

Inputs: ids [B, S], last [B] (tokens read so far, these included, minus 1), total (the most of
them), past keys and values [B, kv_heads, room, head_dim] a layer; as prompts are read in blocks
(see peer.h), positions [B, S], added [B, S, hidden_size] to the embeddings, and hidden [1, 1, S,
total]: 0, or where a token does not see a place something very small. Outputs: logits [B, vocab]
of the last position, and the buffers.
"""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, matmul_nbits_quantizer, quantize_dynamic
from tensors import read_directory, read_llama

MICROSOFT = "com.microsoft"


class Graph:
    """Nodes in order, weights as initializers; each method returns the name of its result."""

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.nodes, self.initializers = [], []

    def constant(self, name, values):
        if name not in {t.name for t in self.initializers}:
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def op(self, kind, inputs, outputs, domain="", **attributes):
        self.nodes.append(
            helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, x, name):
        weight = self.constant(name, self.weights[name + ".weight"].T)
        return self.op("MatMul", [x, weight], [name + "/out"])

    def norm(self, x, name):
        weight = self.constant(name, self.weights[name + ".weight"])
        return self.op("SimplifiedLayerNormalization", [x, weight], [name + "/out"], axis=-1,
                       epsilon=self.config["rms_norm_eps"])

    def add_norm(self, x, y, name):
        """(norm(x + y), x + y)."""
        weight = self.constant(name, self.weights[name + ".weight"])
        total = name + "/sum"
        normed = self.op("SkipSimplifiedLayerNormalization", [x, y, weight],
                         [name + "/out", "", "", total], MICROSOFT,
                         epsilon=self.config["rms_norm_eps"])
        return normed, total

    def head_norm(self, x, name, heads):
        if name + ".weight" not in self.weights:
            return x
        head_dim = self.config["head_dim"]
        split = self.constant(f"split{heads}", np.array([0, -1, heads, head_dim], np.int64))
        joined = self.constant(f"join{heads}", np.array([0, -1, heads * head_dim], np.int64))
        apart = self.op("Reshape", [x, split], [name + "/apart"])
        return self.op("Reshape", [self.norm(apart, name), joined], [name + "/joined"])

    def attention(self, h, layer):
        at = f"model.layers.{layer}.self_attn"
        heads, kv_heads = (self.config[f"num_{k}_heads"] for k in ("attention", "key_value"))
        q = self.head_norm(self.linear(h, at + ".q_proj"), at + ".q_norm", heads)
        k = self.head_norm(self.linear(h, at + ".k_proj"), at + ".k_norm", kv_heads)
        v = self.linear(h, at + ".v_proj")
        return self.op(
            "GroupQueryAttention",
            [q, k, v, f"past_k{layer}", f"past_v{layer}", "last", "total", "cosine", "sine",
             "positions", "hidden"],
            [at + "/out", f"k{layer}", f"v{layer}"], MICROSOFT, num_heads=heads,
            kv_num_heads=kv_heads, do_rotary=1,
            rotary_interleaved=self.config.get("interleaved", 0))

    def last_position(self, x):
        index = self.constant("minus_one", np.array([-1], np.int64))
        return self.op("Gather", [x, index], [x + "/last"], axis=1)

    def rotation(self):
        dim, theta = self.config["head_dim"], self.config["rope_theta"]
        frequency = theta**(-np.arange(0, dim, 2) / dim)
        angle = np.outer(np.arange(self.config["max_position_embeddings"]), frequency)
        self.constant("cosine", np.cos(angle).astype(np.float32))
        self.constant("sine", np.sin(angle).astype(np.float32))

    def build(self):
        layers = self.config["num_hidden_layers"]
        self.rotation()
        embedding = self.constant("embedding", self.weights["model.embed_tokens.weight"])
        x = self.op("Add", [self.op("Gather", [embedding, "ids"], ["tokens"]), "added"], ["x"])
        h = self.norm(x, "model.layers.0.input_layernorm")
        for layer in range(layers):
            at = f"model.layers.{layer}"
            attended = self.attention(h, layer)
            if layer == layers - 1:
                attended, x = self.last_position(attended), self.last_position(x)
            attended = self.linear(attended, at + ".self_attn.o_proj")
            h, x = self.add_norm(x, attended, at + ".post_attention_layernorm")
            gate = self.op("QuickGelu", [self.linear(h, at + ".mlp.gate_proj")], [at + "/silu"],
                           MICROSOFT, alpha=1.0)
            inner = self.op("Mul", [gate, self.linear(h, at + ".mlp.up_proj")], [at + "/inner"])
            y = self.linear(inner, at + ".mlp.down_proj")
            following = "model.norm" if layer == layers - 1 else (
                f"model.layers.{layer + 1}.input_layernorm")
            h, x = self.add_norm(x, y, following)
        self.weights["head.weight"] = self.weights.get(
            "lm_head.weight", self.weights["model.embed_tokens.weight"])
        width = self.constant("width", np.array([-1, self.config["vocab_size"]], np.int64))
        self.op("Reshape", [self.linear(h, "head"), width], ["logits"])

    def model(self):
        self.build()
        cache = ["B", self.config["num_key_value_heads"], "room", self.config["head_dim"]]
        names = [f"{kind}{i}" for i in range(self.config["num_hidden_layers"]) for kind in "kv"]
        value = helper.make_tensor_value_info
        inputs = [value("ids", TensorProto.INT64, ["B", "S"]),
                  value("last", TensorProto.INT32, ["B"]), value("total", TensorProto.INT32, [])]
        inputs += [value("positions", TensorProto.INT64, ["B", "S"]),
                   value("added", TensorProto.FLOAT, ["B", "S", self.config["hidden_size"]]),
                   value("hidden", TensorProto.FLOAT, [1, 1, "S", "T"])]
        inputs += [value("past_" + name, TensorProto.FLOAT, cache) for name in names]
        outputs = [value("logits", TensorProto.FLOAT, ["B", self.config["vocab_size"]])]
        outputs += [value(name, TensorProto.FLOAT, cache) for name in names]
        graph = helper.make_graph(self.nodes, "policy", inputs, outputs, self.initializers)
        versions = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=10)


def main(source, out):
    config, weights = read_directory(source) if source.is_dir() else read_llama(source)
    (out / "shape.json").write_text(json.dumps(config))
    np.save(out / "embedding.npy", weights["model.embed_tokens.weight"])
    onnx.save(Graph(config, weights).model(), out / "fp32.onnx")
    quantize_dynamic(out / "fp32.onnx", out / "int8.onnx", op_types_to_quantize=["MatMul"],
                     per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": TensorProto.FLOAT})
    for bits in (4, 8):
        quantizer = matmul_nbits_quantizer.MatMulNBitsQuantizer(
            onnx.load(out / "fp32.onnx"), bits=bits, block_size=32, is_symmetric=True,
            accuracy_level=4)
        quantizer.process()
        onnx.save(quantizer.model.model, out / f"nbits{bits}.onnx")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
