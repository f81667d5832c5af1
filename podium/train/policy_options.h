// The policy's shape and vocabulary; free of LibTorch, so that the pipeline may read it.
#pragma once

#include <string>

#include "podium/base/option_range.h"

namespace podium::train {

struct PolicyOptions {
  std::string size = "nano";  // see model_spec()
  int text_tokens = 1024;     // byte tokens and merges, SID and control tokens aside
  template <class V>
  void visit(V& v) {
    v("size", size, "of the policy: nano (~1 M parameters), small (~6 M), base (~25 M)",
      one_of({"nano", "small", "base"}));
    v("text_tokens", text_tokens, "byte-level BPE: byte tokens and merges", between(256, 1000000));
  }
};

}  // namespace podium::train
