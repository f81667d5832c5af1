// llama.cpp's rows of `make bench-peers`, through its C API: a sequence a request, whose keys and
// values of the prefix are kept when it is warm. For many requests at once: one context on two
// threads or two of one thread each, some requests a batch. Of format F32, slower than Q8_0 and
// Q4_0 on every workload, only the logits are compared with podium's. It cannot read a prompt in
// blocks: each token sees all before it, which costs no less and computes something else; nor are
// embeddings added.
//
//   llama_cpp_peer MODEL.gguf FORMAT WORKLOAD.json...
#include <ggml-backend.h>
#include <llama.h>

#include <memory>
#include <numeric>
#include <thread>

#include "bench/peers/peer.h"
#include "podium/base/error.h"

namespace podium::bench {
namespace {

struct Settings {
  int threads = 1;
  bool flash = true;
  ggml_type cache = GGML_TYPE_F16;
};

// One context: answers some of a workload's requests, a sequence each.
class Replica {
 public:
  Replica(llama_model* model, const Workload& workload, std::vector<size_t> requests,
          const Settings& settings)
      : workload_(workload), requests_(std::move(requests)) {
    const auto longest = uint32_t((workload.longest() + 255) / 256 * 256);
    auto params = llama_context_default_params();
    params.n_seq_max = uint32_t(requests_.size());
    params.n_ctx = longest * params.n_seq_max;
    params.n_batch = params.n_ctx;
    params.n_ubatch = 512;
    params.n_threads = params.n_threads_batch = settings.threads;
    params.flash_attn_type =
        settings.flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.type_k = params.type_v = settings.cache;
    context_.reset(llama_init_from_model(model, params));
    if (!context_) throw Error("llama.cpp makes no context", "see its messages");
    vocab_ = llama_vocab_n_tokens(llama_model_get_vocab(model));
    batch_ = llama_batch_init(int32_t(params.n_ctx), 0, 1);
    for (size_t i = 0; i < requests_.size(); ++i) {
      add(i, request(i).prefix, 0);
      decode();
    }
  }
  ~Replica() { llama_batch_free(batch_); }
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  size_t size() const { return requests_.size(); }

  // Answers requests [begin, end) of its own in one batch. The logits of names of the last one.
  std::vector<float> answer(size_t begin, size_t end, bool warm) {
    std::vector<int> at;
    for (size_t i = begin; i < end; ++i) {
      const auto& prefix = request(i).prefix;
      const auto& rest = request(i).rest;
      const auto kept = warm ? llama_pos(prefix.size()) : 0;
      llama_memory_seq_rm(llama_get_memory(context_.get()), llama_seq_id(i), kept, -1);
      if (!warm) add(i, prefix, 0);
      add(i, rest, llama_pos(prefix.size()));
      batch_.logits[batch_.n_tokens - 1] = 1;
      at.push_back(batch_.n_tokens - 1);
    }
    decode();
    const float* logits = llama_get_logits_ith(context_.get(), at.back());
    std::vector<float> result;
    for (const int name : workload_.names) result.push_back(logits[name]);
    for (int step = 0; step < workload_.decoded(); ++step) {
      std::vector<int> next;
      for (const int row : at) next.push_back(best(llama_get_logits_ith(context_.get(), row)));
      at.clear();
      for (size_t i = begin; i < end; ++i) {
        const auto read = llama_pos(request(i).prefix.size() + request(i).rest.size());
        add(i, {next[i - begin]}, read + step);
        batch_.logits[batch_.n_tokens - 1] = 1;
        at.push_back(batch_.n_tokens - 1);
      }
      decode();
    }
    return result;
  }

 private:
  const PeerRequest& request(size_t i) const { return workload_.requests[requests_[i]]; }

  void add(size_t sequence, const std::vector<int>& tokens, llama_pos position) {
    for (const int token : tokens) {
      const int i = batch_.n_tokens++;
      batch_.token[i] = token;
      batch_.pos[i] = position++;
      batch_.n_seq_id[i] = 1;
      batch_.seq_id[i][0] = llama_seq_id(sequence);
      batch_.logits[i] = 0;
    }
  }

  void decode() {
    if (llama_decode(context_.get(), batch_) != 0) {
      throw Error("llama.cpp failed to decode", "see its messages");
    }
    llama_synchronize(context_.get());
    batch_.n_tokens = 0;
  }

  int best(const float* logits) const {
    return int(std::max_element(logits, logits + vocab_) - logits);
  }

  struct Free {
    void operator()(llama_context* context) const { llama_free(context); }
  };
  const Workload& workload_;
  std::vector<size_t> requests_;
  std::unique_ptr<llama_context, Free> context_;
  llama_batch batch_;
  int vocab_ = 0;
};

// Requests dealt to `count` contexts.
std::vector<std::unique_ptr<Replica>> replicas_of(llama_model* model, const Workload& workload,
                                                  size_t count, const Settings& settings) {
  std::vector<std::unique_ptr<Replica>> replicas;
  for (size_t r = 0; r < count; ++r) {
    std::vector<size_t> mine;
    for (size_t i = r; i < workload.requests.size(); i += count) mine.push_back(i);
    replicas.push_back(std::make_unique<Replica>(model, workload, mine, settings));
  }
  return replicas;
}

void answer_all(const std::vector<std::unique_ptr<Replica>>& replicas, size_t batch, bool warm) {
  std::vector<std::jthread> threads;
  for (const auto& replica : replicas) {
    threads.emplace_back([&replica, batch, warm] {
      for (size_t i = 0; i < replica->size(); i += batch) {
        replica->answer(i, std::min(i + batch, replica->size()), warm);
      }
    });
  }
}

void check(llama_model* model, const Workload& workload, const Run& run) {
  std::vector<size_t> checked(workload.causal.size());
  std::iota(checked.begin(), checked.end(), size_t{0});
  Replica replica(model, workload, checked, {1, true, GGML_TYPE_F32});
  double most = 0;
  for (size_t i = 0; i < workload.causal.size(); ++i) {
    most = std::max(most, largest_difference(replica.answer(i, i + 1, true), workload.causal[i]));
  }
  print_difference(run, most);
}

// Flash attention reads prompts faster and decodes more slowly; keys in F32 are slower in it.
void measure(llama_model* model, const Workload& workload, Run run, bool warm, bool flash) {
  run.state = warm ? "warm" : "cold";
  run.how = flash ? "flash attention" : "";
  for (const int threads : {1, 2}) {
    run.threads = threads;
    const auto one = replicas_of(model, workload, 1, {threads, flash});
    measure_latency(run, one[0]->size(), [&](size_t i) { one[0]->answer(i, i + 1, warm); });
  }
  // Prompts of several sequences in one batch are no faster than one after the other; answers are.
  for (const size_t batch : {size_t{1}, size_t{4}, size_t{16}}) {
    if ((batch > 1) != (workload.decoded() > 0)) continue;
    for (const int count : {1, 2}) {
      const auto replicas = replicas_of(model, workload, size_t(count), {2 / count, flash});
      run.how = fmt::format("{} of {} threads, batches of {}{}", count, 2 / count, batch,
                            flash ? ", flash attention" : "");
      measure_rate(run, workload.requests.size(), [&] { answer_all(replicas, batch, warm); });
    }
  }
}

int run(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "llama_cpp_peer MODEL.gguf FORMAT WORKLOAD.json...\n");
    return 2;
  }
  llama_log_set(
      [](ggml_log_level level, const char* text, void*) {
        if (level == GGML_LOG_LEVEL_ERROR) fmt::print(stderr, "{}", text);
      },
      nullptr);
  ggml_backend_load_all_from_path(LLAMA_CPP_LIBRARIES);
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (!model) throw Error("llama.cpp cannot read the model", "see its messages", argv[1]);
  for (int i = 3; i < argc; ++i) {
    const Workload workload = read_workload(argv[i]);
    const Run run{workload.name, "", "llama.cpp", argv[2], "", 1};
    if (workload.trace == 0) check(model, workload, run);
    if (run.format == "F32") continue;
    for (const bool warm : {true, false}) {
      for (const bool flash : {true, false}) measure(model, workload, run, warm, flash);
    }
  }
  llama_model_free(model);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) {
  try {
    return podium::bench::run(argc, argv);
  } catch (const podium::Error& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}
