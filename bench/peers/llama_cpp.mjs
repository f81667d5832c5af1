// llama.cpp through node-llama-cpp: reads a prompt of random tokens, then decodes greedily.
//   node llama_cpp.mjs MODEL.gguf [PROMPT 1000] [ANSWER 20] [THREADS 2] [RUNS 5]
// In a folder where `npm install --ignore-scripts node-llama-cpp` has been run.
import { getLlama } from "node-llama-cpp";

const [model_path, prompt_size = 1000, answer_size = 20, threads = 2, runs = 5] =
  process.argv.slice(2).map((value, i) => (i === 0 ? value : Number(value)));
const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads });
const model = await llama.loadModel({ modelPath: model_path });
const context = await model.createContext({
  contextSize: prompt_size + answer_size + 8,
  batchSize: 512,
  threads,
});
const sequence = context.getSequence();
const vocabulary = 40000;
const tokens = Array.from({ length: prompt_size }, (_, i) => 100 + ((i * 7919) % vocabulary));

const prefill = [], decode = [];
for (let run = 0; run < runs; ++run) {
  await sequence.clearHistory();
  const start = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, -1));
  const read = performance.now();
  let left = answer_size;
  for await (const _ of sequence.evaluate(tokens.slice(-1), { temperature: 0 })) {
    if (--left === 0) break;
  }
  prefill.push(read - start);
  decode.push((performance.now() - read) / answer_size);
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
console.log(
  `llama.cpp ${threads} threads: prefill ${median(prefill).toFixed(1)} ms ` +
    `(${((1e3 * prompt_size) / median(prefill)).toFixed(0)} tokens/s), ` +
    `decode ${median(decode).toFixed(2)} ms a token`,
);
process.exit(0);
