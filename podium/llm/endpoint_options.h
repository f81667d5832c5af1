// How a chat endpoint is reached and what it may cost. Answers do not depend on any of it.
#pragma once

#include <cstdint>
#include <string>

#include "podium/base/option_range.h"

namespace podium::llm {

struct EndpointOptions {
  std::string base_url = "http://127.0.0.1:8080/v1";
  int concurrency = 8;
  double timeout = 120;  // seconds
  int retries = 6;
  double first_wait = 1;  // seconds; doubles with every further retry of a request
  int64_t max_tokens = 0;
  double max_cost = 0;
  double input_price = 0, output_price = 0;
  template <class V>
  void visit(V& v) {
    v("base_url", base_url,
      "OpenAI-compatible endpoint, asked at /chat/completions below it; its key is read from "
      "PODIUM_LLM_API_KEY or OPENAI_API_KEY");
    v("concurrency", concurrency, "requests in flight at once", between(1, 1000));
    v("timeout", timeout, "seconds until a request is given up and sent again",
      between(0.01, 86400));
    v("retries", retries, "times that a request is sent again before the run stops",
      between(0, 1000));
    v("first_wait", first_wait,
      "seconds before the first retry of a request; each next one doubles", between(0, 3600));
    v("max_tokens", max_tokens,
      "tokens that may be read and written, over all runs of a directory; 0: no limit",
      between(0, 9e9));
    v("max_cost", max_cost, "money that may be spent, over all runs of a directory; 0: no limit",
      between(0, 1e9));
    v("input_price", input_price, "price of a million tokens that are read", between(0, 1e6));
    v("output_price", output_price, "price of a million tokens that are written", between(0, 1e6));
    v.rule([this] { return max_cost == 0 || input_price + output_price > 0; },
           "a limit on cost needs input_price or output_price");
  }
};

}  // namespace podium::llm
