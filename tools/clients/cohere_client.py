"""The Cohere client, both of its rerank calls."""
from importlib.metadata import version

import cohere
from cohere.core.api_error import ApiError

from checks import URL, check, descending, fails, finish, same

TEXTS = ["Thing 30 of kind 3", "Thing 7 of kind 0", "Something else"]

client = cohere.ClientV2(api_key="any", base_url=URL)
reply = client.rerank(model="any", query="Thing 7 of kind 0", documents=TEXTS, top_n=2)
same([r.index for r in reply.results][0], 1, "v2: the text that is the query comes first")
same(len(reply.results), 2, "v2: top_n")
descending([r.relevance_score for r in reply.results], "v2: relevance_score")
check(reply.id, "v2: an id")
same(reply.meta.api_version.version, "2", "v2: the version in meta")

reply = client.rerank(model="any", query="user:u3", documents=["i7", "item:i20", "i4", "new text"])
same(sorted(r.index for r in reply.results), [0, 1, 2, 3], "v2: for a user")
descending([r.relevance_score for r in reply.results], "v2: for a user")
fails(lambda: client.rerank(model="any", query="x", documents=[]), ApiError, 400, "v2: nothing")

first = cohere.Client(api_key="any", base_url=URL)
reply = first.rerank(model="any", query="Thing 7 of kind 0", return_documents=True,
                     documents=[{"text": text, "id": f"d{i}"} for i, text in enumerate(TEXTS)])
same(reply.results[0].index, 1, "v1: objects as documents")
same(reply.results[0].document.text, TEXTS[1], "v1: return_documents")
descending([r.relevance_score for r in reply.results], "v1: relevance_score")
reply = first.rerank(model="any", query="Thing 7 of kind 0", rank_fields=["title"],
                     documents=[{"title": text, "text": "Thing 7 of kind 0"} for text in TEXTS])
same(reply.results[0].index, 1, "v1: rank_fields")
finish(f"cohere {version('cohere')}", "v2 and v1 rerank")
