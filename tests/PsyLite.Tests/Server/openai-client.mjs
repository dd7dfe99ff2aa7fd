// usage: node openai-client.mjs BASE_URL: what an application does with the npm client; prints one JSON object.
import OpenAI, { APIError, NotFoundError, BadRequestError } from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const out = {};

out.models = [];
for await (const model of client.models.list()) {
  out.models.push(model.id);
}

const messages = [{ role: "user", content: "我最近总是失眠，工作压力很大" }];
const stream = await client.chat.completions.create({ model: "psylite", messages, stream: true, stream_options: { include_usage: true } });
out.pieces = 0;
out.reply = "";
out.reasoning = "";
for await (const chunk of stream) {
  const delta = chunk.choices[0]?.delta;
  out.pieces += delta?.content ? 1 : 0;
  out.reply += delta?.content ?? "";
  out.reasoning += delta?.reasoning_content ?? "";
  out.usage = chunk.usage ?? out.usage;
}

const collected = await client.chat.completions.stream({ model: "psylite", messages }).finalChatCompletion();
out.final = collected.choices[0].message.content;

const whole = await client.chat.completions.create({ model: "psylite", messages: [{ role: "user", content: "我不想活了，药已经买好了" }] });
out.crisis = whole.choices[0].message.content;

out.errors = [];
for (const [body, kind] of [[{ model: "nothing", messages }, NotFoundError], [{ model: "psylite", messages: [] }, BadRequestError]]) {
  try {
    await client.chat.completions.create(body);
    out.errors.push("none");
  } catch (e) {
    out.errors.push(e instanceof kind && e instanceof APIError ? `${e.status} ${e.code} ${e.message}` : `unexpected ${e}`);
  }
}
console.log(JSON.stringify(out));
