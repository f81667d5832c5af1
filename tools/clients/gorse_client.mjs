// Gorse's JavaScript client: each of its calls that podium answers, and one that it refuses.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [url, modules] = process.argv.slice(2);
const { Gorse } = createRequire(`${modules}/`)("gorsejs");
const version = JSON.parse(readFileSync(`${modules}/node_modules/gorsejs/package.json`)).version;

let count = 0;
function same(got, wanted, what) {
  ++count;
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a === b) return;
  console.error(`FAILED: gorse_client.mjs: ${what}: ${a}, not ${b}`);
  process.exit(1);
}
async function fails(promise, code, what) {
  same(await promise.then(() => 200, (error) => error.code), code, what);
}

const gorse = new Gorse({ endpoint: url, secret: "any key" });
const time = new Date("2024-02-29T12:00:00Z");
const item = { ItemId: "js", IsHidden: false, Timestamp: time, Categories: ["c"],
               Labels: ["red"], Comment: "Thing 7 of kind 0" };
same(await gorse.upsertItem(item), 1, "upsertItem");
same(await gorse.upsertItems([item, { ...item, ItemId: "js2" }]), 2, "upsertItems");
same(await gorse.updateItem("js", { Comment: "other" }), 1, "updateItem");
same((await gorse.getItem("js")).Comment, "other", "getItem");
same((await gorse.getItem("js")).Timestamp, "2024-02-29T12:00:00Z", "getItem: Timestamp");
same(await gorse.insertItemCategory("js", "d"), 1, "insertItemCategory");
same(await gorse.deleteItemCategory("js", "c"), 1, "deleteItemCategory");
same((await gorse.getItem("js")).Categories, ["d"], "getItem: Categories");
const first = await gorse.getItems({ n: 30 });
const rest = await gorse.getItems({ n: 30, Cursor: first.Cursor });
same([first.Items.length, rest.Items.length, rest.Cursor], [30, 12, ""], "getItems by pages");
same((await gorse.getItemNeighbors({ itemId: "i7", cursorOptions: { n: 4 } })).length, 4,
     "getItemNeighbors");

same(await gorse.insertUser({ UserId: "jo", Comment: "c" }), 1, "insertUser");
same(await gorse.insertUsers([{ UserId: "jo2" }]), 1, "insertUsers");
same(await gorse.updateUser("jo", { Labels: ["x"] }), 1, "updateUser");
same(await gorse.getUser("jo"), { UserId: "jo", Labels: ["x"], Comment: "c" }, "getUser");
same((await gorse.getUsers({ n: 1000 })).Users.length, 82, "getUsers");
await fails(gorse.getUserNeighbors({ userId: "jo" }), 501, "getUserNeighbors");

const read = { FeedbackType: "read", UserId: "jo", ItemId: "i1", Timestamp: time };
same(await gorse.insertFeedbacks([read, { ...read, FeedbackType: "star" }]), 2, "insertFeedbacks");
same(await gorse.upsertFeedbacks([read]), 1, "upsertFeedbacks");
const key = { type: "read", userId: "jo", itemId: "i1" };
same((await gorse.getFeedback(key)).Timestamp, "2024-02-29T12:00:00Z", "getFeedback");
same((await gorse.getFeedbacks()).Feedback.length, 2, "getFeedbacks");
same((await gorse.getFeedbacks("star")).Feedback.length, 1, "getFeedbacks of a type");
same((await gorse.getItemFeedback("i1")).length, 2, "getItemFeedback");
same((await gorse.getItemFeedbackByType("i1", "star")).length, 1, "getItemFeedbackByType");
same((await gorse.getUserFeedback("jo")).length, 2, "getUserFeedback");
same((await gorse.getUserFeedbackByType("jo", "star")).length, 1, "getUserFeedbackByType");

const ids = await gorse.getRecommend({ userId: "jo", cursorOptions: { n: 5 } });
same([ids.length, typeof ids[0], ids.includes("i1")], [5, "string", false], "getRecommend");
same((await gorse.getRecommend({ userId: "jo", category: "d" })), ["js"], "getRecommend: category");
await gorse.getRecommend({ userId: "jo2", writeBackType: "seen", writeBackDelay: "1h",
                           cursorOptions: { n: 2 } });
same((await gorse.getUserFeedbackByType("jo2", "seen")).length, 2, "getRecommend: writeBackType");
same((await gorse.getSessionRecommend([read], { cursorOptions: { n: 3 } })).length, 3,
     "getSessionRecommend");
same((await gorse.getPopular({ cursorOptions: { n: 3 } })).length, 3, "getPopular");
same((await gorse.getLatest({ category: "c" })).map((score) => score.Id), ["js2"], "getLatest");

same(await gorse.deleteFeedback(key), { RowAffected: 1 }, "deleteFeedback");
same(await gorse.getFeedback(key), {}, "getFeedback after that");
for (const id of ["js", "js2"]) same(await gorse.deleteItem(id), 1, "deleteItem");
for (const id of ["jo", "jo2"]) same(await gorse.deleteUser(id), 1, "deleteUser");
await fails(gorse.getItem("js"), 404, "getItem after that");
console.log(`gorsejs ${version}: items, users, feedback, recommendations, ${count} checks`);
