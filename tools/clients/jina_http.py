"""Requests as Jina, llama.cpp, TEI and a Gorse with a re-ranker send them, by plain HTTP."""
import requests

from checks import URL, check, descending, finish, same

DOCUMENTS = ["Thing 30 of kind 3", "Thing 7 of kind 0", "Something else"]
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer jina_any"}


def post(path, body):
    reply = requests.post(URL + path, json=body, headers=HEADERS, timeout=10)
    same(reply.status_code, 200, f"{path}: {reply.text}")
    return reply.json()


def results(reply, count):
    rows = reply["results"]
    same(len(rows), count, "results")
    same(rows[0]["index"], 1, "the text that is the query comes first")
    descending([row["relevance_score"] for row in rows], "relevance_score")
    return rows


# Jina's documented request.
told = post("/v1/rerank", {"model": "jina-reranker-v2-base-multilingual", "top_n": 3,
                           "query": DOCUMENTS[1], "documents": DOCUMENTS})
results(told, 3)
same(told["model"], "jina-reranker-v2-base-multilingual", "the model's name comes back")
check(isinstance(told["usage"]["total_tokens"], int), "usage")
told = post("/v1/rerank", {"model": "m", "query": DOCUMENTS[1], "return_documents": True,
                           "documents": [{"text": text} for text in DOCUMENTS], "top_n": 1})
same(results(told, 1)[0]["document"]["text"], DOCUMENTS[1], "return_documents")
# vLLM and llama.cpp: 0 is all.
results(post("/rerank", {"query": DOCUMENTS[1], "documents": DOCUMENTS, "top_n": 0}), 3)
# TEI.
rows = post("/rerank", {"query": DOCUMENTS[1], "texts": DOCUMENTS, "raw_scores": False,
                        "return_text": True, "truncate": True})
same((rows[0]["index"], rows[0]["text"]), (1, DOCUMENTS[1]), "TEI's form")
descending([row["score"] for row in rows], "score")
# A Gorse whose ranker podium is: what its templates of docs/serving.md make.
told = post("/v1/rerank", {"model": "podium", "query": "user:u3",
                           "documents": [f"item:i{i}" for i in (7, 20, 4, 999)]})
same(sorted(row["index"] for row in told["results"]), [0, 1, 2, 3], "every item has its place")
descending([row["relevance_score"] for row in told["results"]], "relevance_score")
finish("Jina's, TEI's and Gorse's rerank requests", "plain HTTP")
