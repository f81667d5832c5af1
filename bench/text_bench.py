#!/usr/bin/env python3
"""ONNX Runtime's side of text_bench: texts a second of the same model on one thread.

    text_bench.py MODEL.onnx [--int8] [--batch 32] [--texts 400]

MODEL.onnx: BertModel exported by torch.onnx.export with dynamic batch and length; inputs input_ids,
attention_mask, token_type_ids. It is optimised as ONNX Runtime proposes for BERT; --int8 also
quantises its weights dynamically. Needs onnx and onnxruntime.
"""
import argparse
import statistics
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer


def prepared(model, int8):
    folder = tempfile.mkdtemp()
    fused = optimizer.optimize_model(model, "bert", num_heads=12, hidden_size=384, opt_level=0)
    fused.save_model_to_file(folder + "/fused.onnx")
    print("fused:", fused.get_fused_operator_statistics())
    if not int8:
        return folder + "/fused.onnx"
    quantize_dynamic(folder + "/fused.onnx", folder + "/int8.onnx", weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    return folder + "/int8.onnx"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--texts", type=int, default=400)
    a = parser.parse_args()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(prepared(a.model, a.int8), options)
    for tokens in (16, 128):
        for batch in (1, a.batch):
            ids = np.random.default_rng(1).integers(2000, 20000, (batch, tokens))
            inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids),
                      "token_type_ids": np.zeros_like(ids)}
            session.run(None, inputs)
            times = []
            for _ in range(5):
                start = time.perf_counter()
                for _ in range(max(1, a.texts // batch)):
                    session.run(None, inputs)
                times.append((time.perf_counter() - start) / max(1, a.texts // batch) / batch)
            print(f"{'int8' if a.int8 else 'fp32'} {tokens:3} tokens, batch {batch:2}: "
                  f"{1 / statistics.median(times):7.1f} texts/s")


if __name__ == "__main__":
    main()
