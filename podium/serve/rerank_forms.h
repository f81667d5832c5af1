// The rerank calls of others, so that their clients work with another address: Cohere's
// (/v2/rerank, and /v1/rerank), Jina's (/v1/rerank; llama.cpp's and vLLM's are like it) and that of
// Text Embeddings Inference (/rerank).
//
// Whose order? `query` is
//   user:ID             the policy orders for this user's history; so does an ID that is known
//   history:ID,ID,...   for somebody who took these
//   any other text      documents are ordered by how like it their texts are
// A document is the id of an item, "item:ID", or an object with "id"; else it is a text, which the
// policy reads as the title of an item that nobody has taken yet.
//
// Scores are 0 to 1: the policy's (serving::AnswerItem::score), or the cosine of two texts, 0 where
// it is below. Fields that only steer other engines are read past.
#pragma once

#include "podium/base/json.h"
#include "podium/serve/service.h"

namespace podium::serve {

enum class DocumentForm {
  kV1,    // Cohere's first, and Jina's
  kV2,    // Cohere's second
  kTexts  // TEI's
};

inline constexpr size_t kMostDocuments = 1000;

// stale: the answer misses an offset that the caller asked for, and warns of it.
void rerank_documents(const Service& service, const Call& call, const Json& json, DocumentForm form,
                      bool stale = false);

}  // namespace podium::serve
