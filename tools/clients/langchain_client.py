"""LangChain's Cohere re-ranker, by base_url."""
from importlib.metadata import version

from langchain_cohere import CohereRerank
from langchain_core.documents import Document

from checks import URL, descending, finish, same

rerank = CohereRerank(cohere_api_key="any", base_url=URL, model="any", top_n=2)
documents = [Document(page_content=text) for text in
             ("Thing 30 of kind 3", "Thing 7 of kind 0", "Something else")]
kept = rerank.compress_documents(documents, "Thing 7 of kind 0")
same(len(kept), 2, "top_n")
same(kept[0].page_content, "Thing 7 of kind 0", "the text that is the query comes first")
descending([d.metadata["relevance_score"] for d in kept], "relevance_score")
scores = rerank.rerank(documents, "user:u3", top_n=3)
same(sorted(s["index"] for s in scores), [0, 1, 2], "rerank() for a user")
finish(f"langchain-cohere {version('langchain-cohere')}", "compress_documents and rerank")
