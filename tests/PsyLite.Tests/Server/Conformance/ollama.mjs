// usage: node ollama.mjs BASE_URL SCENARIO: what an application does with the npm client ollama; prints one JSON value.
import { Ollama } from "ollama";

const [base, scenario] = process.argv.slice(2);
const ollama = new Ollama({ host: base });
const messages = [{ role: "user", content: "今天有点累" }];

async function fails(action) {
  try {
    await action();
    return { kind: "none" };
  } catch (e) {
    return { kind: e.name, status: e.status_code ?? null, message: e.message };
  }
}

const scenarios = {
  async shapes() {
    const tagged = await ollama.show({ model: "psylite:latest" });
    return { list: await ollama.list(), show: await ollama.show({ model: "psylite" }), tagged, ps: await ollama.ps(), version: await ollama.version() };
  },
  async chat() {
    const parts = [];
    for await (const part of await ollama.chat({ model: "psylite", messages, stream: true })) parts.push(part);
    return parts;
  },
  async whole() {
    const loaded = await ollama.chat({ model: "psylite", messages: [] });
    const unloaded = await ollama.chat({ model: "psylite", messages: [], keep_alive: 0 });
    return { whole: await ollama.chat({ model: "psylite", messages }), loaded, unloaded, generated: await ollama.generate({ model: "psylite", prompt: "今天有点累" }) };
  },
  unknown: () => fails(() => ollama.chat({ model: "nothing", messages })),
  async think() {
    return {
      wanted: await fails(() => ollama.chat({ model: "psylite", messages, think: true })),
      unwanted: (await ollama.chat({ model: "psylite", messages, think: false })).message,
    };
  },
  async embed() {
    const one = await ollama.embed({ model: "psylite-embed", input: "猫和狗" });
    const many = await ollama.embed({ model: "psylite-embed", input: ["猫和狗", "考试", "今天"] });
    return { one: one.embeddings, many: many.embeddings, old: (await ollama.embeddings({ model: "psylite-embed", prompt: "猫和狗" })).embedding };
  },
  noEmbedder: () => fails(() => ollama.embed({ model: "psylite", input: "猫" })),
  async pull() {
    const lines = [];
    const error = await fails(async () => {
      for await (const line of await ollama.pull({ model: "someone/counsel:q4", stream: true })) lines.push(line);
    });
    return { lines, error };
  },
  async format() {
    const format = {
      type: "object",
      properties: { mood: { type: "string", enum: ["low", "good"] }, reply: { type: "string" }, score: { type: "integer", minimum: 1, maximum: 5 }, tags: { type: "array", items: { type: "string" } } },
      required: ["mood", "reply", "score", "tags"],
    };
    const ask = async (content, shape) => (await ollama.chat({ model: "psylite", messages: [{ role: "user", content }], format: shape })).message.content;
    return { calm: await ask("今天有点累", format), danger: await ask("我不想活了，药已经买好了", format), plain: await ask("今天有点累", "json"), refused: await fails(() => ask("今天", { type: "integer" })) };
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
process.exit(0);
