// usage: node openai.mjs BASE_URL SCENARIO: what an application does with the npm client openai; prints one JSON value.
import http from "node:http";
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from "openai";

const [base, scenario] = process.argv.slice(2);
const make = (more = {}) => new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", maxRetries: 0, ...more });
const say = (text) => ({ model: "psylite", messages: [{ role: "user", content: text }] });
const tired = say("今天有点累");

async function read(stream) {
  const seen = { roles: [], content: "", reasoning: "", finish: null, usage: null, pieces: 0 };
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    if (choice?.delta.role) seen.roles.push(choice.delta.role);
    seen.pieces += choice?.delta.content ? 1 : 0;
    seen.content += choice?.delta.content ?? "";
    seen.reasoning += choice?.delta.reasoning_content ?? "";
    seen.finish = choice?.finish_reason ?? seen.finish;
    seen.usage = chunk.usage ?? seen.usage;
  }
  return seen;
}

async function fails(action) {
  try {
    await action();
    return { kind: "none" };
  } catch (e) {
    const kind = e instanceof AuthenticationError ? "AuthenticationError"
      : e instanceof NotFoundError ? "NotFoundError"
      : e instanceof BadRequestError ? "BadRequestError"
      : e instanceof APIError ? "APIError" : e.constructor.name;
    return { kind, status: e.status ?? null, code: e.code ?? null, message: e.message, retryAfter: e.headers?.get?.("retry-after") ?? null };
  }
}

const scenarios = {
  async models() {
    const ids = [];
    for await (const model of make().models.list()) ids.push(model.id);
    return ids;
  },
  async streams() {
    const client = make();
    return [
      await read(await client.chat.completions.create({ ...tired, stream: true })),
      await read(await client.chat.completions.create({ ...tired, stream: true, stream_options: { include_usage: true } })),
    ];
  },
  async final() {
    // The bare routes with Open WebUI's user object carry events between the chunks.
    const stream = new OpenAI({ baseURL: base, apiKey: "none", maxRetries: 0 }).chat.completions.stream({ ...tired, user: { id: "u1", name: "n", email: "e", role: "user" } });
    let events = 0;
    stream.on("chunk", (chunk) => { events += chunk.event ? 1 : 0; });
    const completion = await stream.finalChatCompletion();
    return { events, content: completion.choices[0].message.content, finish: completion.choices[0].finish_reason };
  },
  async boundaries() {
    const client = make();
    const seen = [];
    for (let cut = 0; cut < Number(process.argv[4]); cut++) {
      seen.push(await read(await client.chat.completions.create({ ...say(`今天有点累，编号${cut}号`), stream: true })));
    }
    return seen;
  },
  async whole() {
    const completion = await make().chat.completions.create(tired);
    return { content: completion.choices[0].message.content, reasoning: completion.choices[0].message.reasoning_content ?? null };
  },
  unknown: () => fails(() => make().chat.completions.create({ ...tired, model: "nothing" })),
  key: () => fails(() => make({ apiKey: "wrong" }).chat.completions.create(tired)),
  malformed: () => fails(() => make().chat.completions.create({ model: "psylite", messages: "今天有点累" })),
  async broken() {
    let shown = "";
    const error = await fails(async () => {
      for await (const chunk of await make().chat.completions.create({ ...tired, stream: true })) shown += chunk.choices[0]?.delta?.content ?? "";
    });
    return { shown, error };
  },
  async overload() {
    const client = make({ maxRetries: 0 });
    const held = await client.chat.completions.create({ ...tired, stream: true });
    await held[Symbol.asyncIterator]().next();
    const refused = await fails(() => client.chat.completions.create(tired));
    const danger = await client.chat.completions.create(say("我不想活了，药已经买好了"));
    setTimeout(() => held.controller.abort(), 300);
    const { response } = await make({ maxRetries: 2 }).chat.completions.create(tired).withResponse();
    return { refused, danger: danger.choices[0].message.content, status: response.status };
  },
  async lost() {
    // A proxy that loses the first answer after the server gave it: the client sends the request again by itself.
    let calls = 0;
    const retries = [];
    const proxy = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", async () => {
        retries.push(request.headers["x-stainless-retry-count"]);
        const { host, connection, "content-length": _, ...headers } = request.headers;
        const answer = await fetch(base + request.url, { method: request.method, headers, body: Buffer.concat(parts) });
        const text = await answer.text();
        response.writeHead(calls++ === 0 ? 502 : answer.status, { "content-type": "application/json" });
        response.end(calls === 1 ? "" : text);
      });
    });
    await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${proxy.address().port}/v1`, apiKey: "none", maxRetries: 2 });
    const completion = await client.chat.completions.create(say("我不想活了，药已经买好了"));
    proxy.close();
    proxy.closeAllConnections();
    return { retries, content: completion.choices[0].message.content };
  },
  async embeddings() {
    const client = make();
    const input = ["猫和狗", "今天有点累"];
    const plain = await client.embeddings.create({ model: "psylite-embed", input });
    const floats = await client.embeddings.create({ model: "psylite-embed", input, encoding_format: "float" });
    const raw = await (await fetch(`${base}/v1/embeddings`, { method: "POST", body: JSON.stringify({ model: "psylite", input, encoding_format: "base64" }) })).json();
    const decoded = raw.data.map((d) => Array.from(new Float32Array(Uint8Array.from(Buffer.from(d.embedding, "base64")).buffer)));
    return { byDefault: plain.data.map((d) => d.embedding), floats: floats.data.map((d) => Array.from(Float32Array.from(d.embedding))), decoded };
  },
  noEmbedder: () => fails(() => make().embeddings.create({ model: "psylite", input: "猫" })),
  async logprobs() {
    const client = make();
    const whole = await client.chat.completions.create({ ...tired, logprobs: true, top_logprobs: 2 });
    const streamed = [];
    for await (const chunk of await client.chat.completions.create({ ...tired, stream: true, logprobs: true, top_logprobs: 2 })) {
      streamed.push(...(chunk.choices[0]?.logprobs?.content ?? []));
    }
    const none = await client.chat.completions.create(tired);
    return { whole: whole.choices[0].logprobs.content, streamed, none: none.choices[0].logprobs };
  },
  async abort() {
    const stream = await make().chat.completions.create({ ...tired, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta?.content) break;
    }
    stream.controller.abort();
    return true;
  },
  async parts() {
    const content = [{ type: "text", text: "今天" }, { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }, { type: "text", text: "有点累" }];
    const completion = await make().chat.completions.create({ model: "psylite", messages: [{ role: "user", content }] });
    return completion.choices[0].message.content;
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
process.exit(0);
