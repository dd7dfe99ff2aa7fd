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
const read = () => { try { return JSON.parse(localStorage.getItem(store)) ?? {}; } catch { return {}; } };
const state = { at: 0, scores: read() };
const keep = () => { try { localStorage.setItem(store, JSON.stringify(state.scores)); } catch { /* private windows keep nothing */ } };
const make = (tag, text, name) => { const e = document.createElement(tag); if (text) e.textContent = text; if (name) e.className = name; return e; };
const isDone = id => state.scores[id] && state.scores[id].every(s => s !== null);

function show() {
  const item = form.items[state.at];
  const scores = state.scores[item.id] ?? form.most.map(() => null);
  const place = document.getElementById("item");
  place.replaceChildren(
    make("h2", `${state.at + 1} / ${form.items.length}`),
    make("p", item.history || "（这是第一句）", "dialogue"),
    make("p", "求助者：" + item.query, "query"),
    make("p", item.reply || "（没有回应）", "candidate"),
    ...rubric.map(([name, chinese, english], i) => {
      const set = make("fieldset");
      const legend = make("legend", name);
      legend.append(make("small", chinese + " " + english));
      const row = make("div", "", "scores");
      const step = form.most[i] === 4 ? 0.5 : 1;
      for (let value = 0; value <= form.most[i]; value += step) {
        const label = make("label", String(value));
        const input = make("input");
        input.type = "radio";
        input.name = "s" + i;
        input.value = value;
        input.checked = scores[i] === value;
        input.addEventListener("change", () => { scores[i] = value; state.scores[item.id] = scores; keep(); count(); });
        label.append(input);
        row.append(label);
      }
      set.append(legend, row);
      return set;
    }));
  count();
}

function count() {
  document.getElementById("count").textContent = `${form.items.filter(i => isDone(i.id)).length} / ${form.items.length}`;
}

function move(by) {
  state.at = Math.min(Math.max(state.at + by, 0), form.items.length - 1);
  show();
  scrollTo(0, 0);
}

document.getElementById("back").addEventListener("click", () => move(-1));
document.getElementById("next").addEventListener("click", () => move(1));
document.getElementById("export").addEventListener("click", () => {
  const rater = document.getElementById("rater").value.trim() || "rater";
  const ratings = form.items.filter(i => isDone(i.id)).map(i => ({ id: i.id, scores: state.scores[i.id] }));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ form: form.form, rater, ratings }, null, 2)], { type: "application/json" }));
  link.download = `ratings-${rater}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
});
show();
