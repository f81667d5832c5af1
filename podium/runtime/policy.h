// A model with the prompts that it reads: what requests are decoded with.
#pragma once

#include <vector>

#include "podium/runtime/types.h"

namespace podium::runtime {

struct Model;
class PagePool;
class PrefixCache;
class ItemCache;

// What decoders work with of an engine; as long-lived as it, wherever that is moved.
struct EngineParts {
  const Model& model;
  PagePool& pool;
  PrefixCache* prefixes;  // null: none are kept
  ItemCache* items;       // null: none are kept
};

// The engine and the context must outlive it. Immutable and thread-safe.
struct Policy {
  // Throws Error when the tokenizer has more tokens than the model. Without `traces` none may be
  // asked for.
  Policy(const EngineParts& engine, const rerank::PromptContext& prompts, bool traces = true);

  EngineParts parts;
  const rerank::PromptContext& context;
  std::vector<TokenId> trace_tokens;  // allowed in a trace; ascending. Empty without traces
  std::vector<TokenId> all_tokens;    // of the model
};

}  // namespace podium::runtime
