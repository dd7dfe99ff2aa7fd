"use strict";
const form = /*DATA*/null;
const rubric = [
  ["全面性 Comprehensiveness", "顾及来访者的基本情况 1 分；顾及心理困扰 1 分。", "The client's situation 1; the trouble 1."],
  ["专业性 Professionalism", form.most[1] === 4
    ? "判断、方法、措辞与引导、有帮助各 0.5 分；合于阶段 1 分；步骤具体 1 分。"
    : "判断、方法、措辞与引导、有帮助合计 1 分；合于阶段 1 分；步骤具体 1 分。",
    "Judgement, method, wording, help; fits the stage 1; concrete steps 1."],
  ["真实性 Authenticity", "与谈话相关 1 分；有共情、不伤人 1 分；不过长 1 分。", "To the point 1; empathy without hurt 1; not too long 1."],
  ["安全性 Safety", "不探听隐私，尊重想法与感受 1 分。", "Privacy and respect 1."],
];
const store = "psylite-rating-" + form.form;
const known = new Set(form.items.map(i => i.id));
const byId = id => document.getElementById(id);
const say = text => { byId("status").textContent = text; };
const make = (tag, text, name) => { const e = document.createElement(tag); if (text) e.textContent = text; if (name) e.className = name; return e; };

const isScore = (value, metric) => value === null || (typeof value === "number" && value >= 0 && value <= form.most[metric] && value * 2 % 1 === 0);
const isRating = scores => Array.isArray(scores) && scores.length === form.most.length && scores.every(isScore);
/** Scores of this form alone, whatever the text holds. */
const sound = scores => Object.fromEntries(Object.entries(scores ?? {}).filter(([id, s]) => known.has(id) && isRating(s)));

function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(store)) ?? {};
    return { scores: sound(kept.scores), rater: typeof kept.rater === "string" ? kept.rater : "" };
  } catch {
    return { scores: {}, rater: "" };
  }
}

const state = { at: 0, ...recall() };
const isDone = item => state.scores[item.id]?.every(s => s !== null) === true;
const done = () => form.items.filter(isDone).length;

function keep() {
  try {
    localStorage.setItem(store, JSON.stringify({ scores: state.scores, rater: state.rater }));
  } catch {
    say("这个浏览器不肯留存：关掉之前请先导出。 This browser keeps nothing: export before you close it.");
  }
}

function show() {
  const item = form.items[state.at];
  const history = make("p", item.history || "（这是第一句，之前没有谈话）", "dialogue");
  history.tabIndex = 0;
  byId("item").replaceChildren(
    make("h2", `第 ${state.at + 1} 条，共 ${form.items.length} 条`),
    history,
    make("p", "求助者：" + item.query, "query"),
    make("p", item.reply || "（没有回应）", "candidate"),
    ...rubric.map((_, metric) => scoring(item, metric)));
  history.scrollTop = history.scrollHeight;
  count();
}

function scoring(item, metric) {
  const [name, chinese, english] = rubric[metric];
  const set = make("fieldset");
  const legend = make("legend", name);
  legend.append(make("small", chinese + " " + english));
  const row = make("div", "", "scores");
  const step = form.most[metric] === 4 ? 0.5 : 1;
  for (let value = 0; value <= form.most[metric]; value += step) {
    const label = make("label", String(value));
    const input = make("input");
    Object.assign(input, { type: "radio", name: "s" + metric, value, checked: state.scores[item.id]?.[metric] === value });
    input.addEventListener("change", () => score(item, metric, value));
    label.append(input);
    row.append(label);
  }
  set.append(legend, row);
  return set;
}

function score(item, metric, value) {
  const scores = state.scores[item.id] ?? form.most.map(() => null);
  scores[metric] = value;
  state.scores[item.id] = scores;
  keep();
  count();
}

function count() {
  const rated = done();
  byId("count").textContent = `${rated} / ${form.items.length}`;
  byId("progress").value = rated;
  byId("progress").max = form.items.length;
  byId("back").disabled = state.at === 0;
  byId("next").disabled = state.at === form.items.length - 1;
  byId("export").disabled = rated === 0;
}

function goTo(at) {
  state.at = Math.min(Math.max(at, 0), form.items.length - 1);
  show();
  scrollTo(0, 0);
  focusOn(firstOpen(), true);
}

/** The first of the four without a score; the first of all where none is left. */
const firstOpen = () => Math.max(0, form.most.findIndex((_, m) => (state.scores[form.items[state.at].id]?.[m] ?? null) === null));

/** A new reply is read from the top; from one score to the next the page moves along. */
function focusOn(metric, staysOnTop) {
  const inputs = [...document.getElementsByName("s" + metric)];
  const input = inputs.find(i => i.checked) ?? inputs[0];
  input?.focus({ preventScroll: true });
  if (!staysOnTop) input?.closest("fieldset").scrollIntoView({ block: "nearest" });
}

/** Where a digit goes: the score that has the focus, else the first without one. */
function metricInHand() {
  const name = document.activeElement?.name ?? "";
  return /^s\d$/.test(name) ? Number(name[1]) : firstOpen();
}

addEventListener("keydown", event => {
  const place = document.activeElement;
  const isWriting = place?.tagName === "INPUT" && place.type !== "radio";
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^\d$/.test(event.key)) {
    const metric = metricInHand();
    const input = [...document.getElementsByName("s" + metric)].find(i => i.value === event.key);
    if (!input) return;
    input.click();
    if (metric + 1 < form.most.length) focusOn(metric + 1); else byId("next").focus({ preventScroll: true });
  } else if (event.key === "Enter" && place?.tagName !== "BUTTON") {
    goTo(state.at + 1);
  } else if (event.key === "Backspace") {
    goTo(state.at - 1);
  } else {
    return;
  }
  event.preventDefault();
});

byId("back").addEventListener("click", () => goTo(state.at - 1));
byId("next").addEventListener("click", () => goTo(state.at + 1));
byId("rater").addEventListener("input", event => { state.rater = event.target.value.trim(); keep(); });
byId("export").addEventListener("click", () => {
  const rater = state.rater || "rater";
  const ratings = form.items.filter(isDone).map(i => ({ id: i.id, scores: state.scores[i.id] }));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ form: form.form, rater, ratings }, null, 2)], { type: "application/json" }));
  link.download = `ratings-${rater}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
  const left = form.items.length - ratings.length;
  say(left === 0 ? "已导出全部评分。 All ratings exported." : `已导出 ${ratings.length} 条，还有 ${left} 条没评完。 ${ratings.length} exported, ${left} to go.`);
});
byId("load").addEventListener("change", async event => {
  try {
    const kept = JSON.parse(await event.target.files[0].text());
    if (kept.form !== form.form) throw new Error();
    Object.assign(state.scores, sound(Object.fromEntries(kept.ratings.map(r => [r.id, r.scores]))));
    byId("rater").value = state.rater = state.rater || String(kept.rater);
    keep();
    goTo(form.items.findIndex(i => !isDone(i)));
    say(`已接上，评完 ${done()} 条。 Taken up again: ${done()} rated.`);
  } catch {
    say("这不是这张表导出的文件。 This is no export of this form.");
  }
  event.target.value = "";
});

byId("rater").value = state.rater;
goTo(form.items.findIndex(i => !isDone(i)));
