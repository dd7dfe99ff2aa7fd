// Decode rate of node-llama-cpp, a peer of `psylite bench engine`:
//   node bench/node-llama-cpp.mjs FOLDER MODEL THREADS TOKENS ROUNDS
// FOLDER is where `npm install --ignore-scripts node-llama-cpp@3.22.1` was run. Prints a JSON array: tokens per second of each round.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, modelPath, threads, tokens, rounds] = process.argv.slice(2);
const resolve = createRequire(path.join(path.resolve(folder), "package.json"));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(resolve.resolve("node-llama-cpp")).href);

const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize: 1024, threads: Number(threads) });
const rates = [];
for (let round = -1; round < Number(rounds); round++) {
    const sequence = context.getSequence();
    const prompt = model.tokenize(`最近总是睡不好，第${round + 1}晚了`);
    let made = 0;
    let first = 0n;
    let last = 0n;
    for await (const token of sequence.evaluate(prompt, { temperature: 1, yieldEogToken: true })) {
        last = process.hrtime.bigint();
        first = made === 0 ? last : first;
        if (++made > Number(tokens)) {
            break;
        }
    }

    if (round >= 0) {
        rates.push(((made - 1) * 1e9) / Number(last - first));
    }

    sequence.dispose();
}

console.log(JSON.stringify(rates));
await llama.dispose();
