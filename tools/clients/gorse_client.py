"""Gorse's Python client: each of its calls, and the asynchronous one's recommend."""
import asyncio
from importlib.metadata import version

from gorse import AsyncGorse, Gorse, GorseException

from checks import URL, check, descending, fails, finish, same

ONE = {"RowAffected": 1}
client = Gorse(URL, "any key", timeout=10)

item = {"ItemId": "py", "IsHidden": False, "Labels": ["red", "blue"], "Categories": ["Kind 0"],
        "Timestamp": "2024-02-29T00:00:00Z", "Comment": "Thing 7 of kind 0"}
same(client.insert_item(item), ONE, "insert_item")
same(client.get_item("py"), item, "get_item")
same(client.update_item("py", comment="another"), ONE, "update_item")
same(client.get_item("py"), {**item, "Comment": "another"}, "get_item of what was changed")
items, cursor, pages = [], "", 0
while pages == 0 or cursor:
    page, cursor = client.get_items(15, cursor)
    items += [i["ItemId"] for i in page]
    pages += 1
same((len(items), len(set(items)), pages), (41, 41, 3), "get_items by pages")
same([i["ItemId"] for i in client.search_items("another")], ["py"], "search_items")
check(any(s["Id"] == "py" for s in client.get_neighbors("i0", 41)), "a new item is a neighbour")

user = {"UserId": "ann", "Labels": {"city": "Oslo"}, "Comment": "likes tea"}
same(client.insert_user(user), ONE, "insert_user")
same(client.get_user("ann"), user, "get_user")
same(client.insert_users([{"UserId": "bob"}, {"UserId": "cy"}]), {"RowAffected": 2}, "insert_users")
users, cursor = client.get_users(1000)
same((len(users), cursor), (83, ""), "get_users")

same(client.insert_feedback("read", "ann", "i1", "2024-03-01T10:00:00Z", 2), ONE, "insert_feedback")
same(client.insert_feedbacks([
    {"FeedbackType": "star", "UserId": "ann", "ItemId": f"i{i}", "Timestamp": "2024-03-01"}
    for i in (3, 5)]), {"RowAffected": 2}, "insert_feedbacks")
read = client.list_feedbacks("read", "ann")
same([(f["ItemId"], f["Value"], f["Timestamp"]) for f in read],
     [("i1", 2, "2024-03-01T10:00:00Z")], "list_feedbacks")
same(len(client.get_feedbacks(2)[0]), 2, "get_feedbacks")
check(client.get_feedbacks(2)[1] != "", "get_feedbacks: there are more")
same(client.get_feedbacks(2, client.get_feedbacks(2)[1])[1], "", "get_feedbacks: the last page")

scores = client.get_recommend("ann", n=8)
same(len(scores), 8, "get_recommend")
descending([s.score for s in scores], "get_recommend")
check(not {"i1", "i3", "i5"} & {s.id for s in scores}, "get_recommend: what was taken is left out")
same([s.id for s in client.get_recommend("ann", n=3, offset=5)], [s.id for s in scores[5:]],
     "get_recommend: offset")
some = client.get_recommend("ann", category="Kind 1", n=3)
check(some and all("Kind 1" in client.get_item(s.id)["Categories"] for s in some), "category")
written = client.get_recommend("bob", n=2, write_back_type="seen", write_back_delay="10m")
same({f["ItemId"] for f in client.list_feedbacks("seen", "bob")}, {s.id for s in written},
     "get_recommend: write_back_type")
session = client.session_recommend([{"UserId": "", "ItemId": "i7", "FeedbackType": "read",
                                     "Timestamp": "2024-03-01T10:00:00Z"}], n=4)
same(len(session), 4, "session_recommend")
same([s.id for s in asyncio.run(AsyncGorse(URL, "any key").get_recommend("ann", n=8))],
     [s.id for s in client.get_recommend("ann", n=8)], "AsyncGorse.get_recommend")

same(client.delete_feedback("ann", "i1"), ONE, "delete_feedback")
same(client.list_feedbacks("read", "ann"), [], "list_feedbacks after that")
same(client.delete_item("py"), ONE, "delete_item")
fails(lambda: client.get_item("py"), GorseException, 404, "get_item after that")
fails(lambda: client.delete_item("i0"), GorseException, 501, "delete_item of a trained one")
for name in ("ann", "bob", "cy"):
    same(client.delete_user(name), ONE, "delete_user")
fails(lambda: client.get_user("ann"), GorseException, 404, "get_user after that")
same(client.get_feedbacks(10), ([], ""), "get_feedbacks after that")
finish(f"PyGorse {version('pygorse')}", "items, users, feedback, recommendations")
