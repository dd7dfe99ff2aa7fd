using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Humour;
using PsyLite.Engine;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary>
/// <c>psylite bench engine</c>: decode rate beside llama-bench and the memory's limit, many users beside llama-server, peak memory of the server,
/// all on the same file in the same run.
/// </summary>
internal static class EngineBench
{
    private const string PeerHint = "no llama-bench: build it from llama.cpp v0.5.0 and pass --llama-bench FILE.";
    private const string NodeScript = "bench/node-llama-cpp.mjs";
    private const string NodeHint = "no node-llama-cpp: npm install --ignore-scripts node-llama-cpp@3.22.1 in a folder, pass --node-llama-cpp FOLDER, and run in the repository.";
    private const int TokensPerReply = 128;
    private const int HistoryTokens = 3800;

    public static Command Create()
    {
        var model = new Option<string?>("--model") { Description = "GGUF" };
        var rounds = new Option<int>("--rounds") { Description = "轮数 · rounds (median)", DefaultValueFactory = _ => 9 };
        var threads = new Option<int>("--threads") { Description = "线程数，0 为自动 · threads, 0 = automatic" };
        var peer = new Option<string?>("--llama-bench") { Description = "llama-bench 的路径 · path of llama-bench" };
        var node = new Option<string?>("--node-llama-cpp") { Description = "装有 node-llama-cpp 的文件夹 · folder where node-llama-cpp is installed" };
        var server = new Option<string?>("--llama-server") { Description = "llama-server 的路径 · path of llama-server" };
        var users = new Option<int>("--users") { Description = "同时的用户数，0 为不测 · users at once, 0 = leave out", DefaultValueFactory = _ => 16 };
        var command = new Command("engine", "解码、并发与内存 · decoding, many users, memory\n  psylite bench engine --llama-bench ../llama.cpp/build/bin/llama-bench --llama-server ../llama.cpp/build/bin/llama-server")
        {
            model, rounds, threads, peer, node, server, users,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = Path.GetFullPath(parsed.GetValue(model) ?? AppOptions.FromEnvironment().ModelPath);
            var limit = MemoryBandwidth.Measure() / new FileInfo(path).Length;
            var wanted = parsed.GetValue(threads) > 0 ? parsed.GetValue(threads) : (int?)null;
            var ours = await DecodeRatesAsync(path, wanted, parsed.GetValue(rounds), cancellationToken);
            var theirs = await PeerRateAsync(parsed.GetValue(peer), path, parsed.GetValue(rounds), cancellationToken);
            new BenchLine("engine", $"decode {Path.GetFileName(path)}", "tokens/s", BenchLine.Median(ours), "tokens/s", "llama-bench", theirs).Print();
            var binding = await NodeRateAsync(parsed.GetValue(node), path, parsed.GetValue(rounds), cancellationToken);
            new BenchLine("engine", $"decode {Path.GetFileName(path)}", "tokens/s", BenchLine.Median(ours), "tokens/s", "node-llama-cpp", binding).Print();
            new BenchLine("engine", $"decode {Path.GetFileName(path)}, every weight read once a token", "tokens/s", BenchLine.Median(ours), "tokens/s", "memory bandwidth", limit).Print();
            if (parsed.GetValue(users) > 0)
            {
                await CrowdBench.RunAsync(path, parsed.GetValue(users), parsed.GetValue(rounds), parsed.GetValue(server), cancellationToken);
            }

            await ServeMemoryBench.RunAsync(path, LongConversation(path), cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }

    /// <summary>As much as the history that a turn sends, less room for the reply.</summary>
    private static IReadOnlyList<ChatMessage> LongConversation(string path)
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 256, LoadMode = LlamaLoadMode.Map, Repack = false });
        var lines = CrosstalkLibrary.FromFolder(AppOptions.FromEnvironment().Crosstalk).Pieces.SelectMany(p => p.Lines);
        return [.. new BenchConversation(lines, text => model.Tokenize(text).Length).History(0, HistoryTokens), BenchConversation.Ninth];
    }

    /// <summary>Tokens per second of each round: everything between the first logits and the last token, sampling and text included.</summary>
    private static async Task<List<double>> DecodeRatesAsync(string path, int? threads, int rounds, CancellationToken cancellationToken)
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 1024, Threads = threads }, cancellationToken: cancellationToken);
        using var client = new LlamaChatClient(model);
        var rates = new List<double>();
        for (var round = -1; round < rounds; round++)
        {
            long tokens = 0;
            long micros = 0;
            for (var seed = 0; tokens < TokensPerReply; seed++)
            {
                var options = new ChatOptions { MaxOutputTokens = TokensPerReply, Temperature = 1f, Seed = seed + 1 };
                var response = await client.GetResponseAsync([new ChatMessage(ChatRole.User, $"最近总是睡不好，第{seed}晚了")], options, cancellationToken);
                tokens += response.Usage?.OutputTokenCount ?? 0;
                micros += response.Usage?.AdditionalCounts?[LlamaChatClient.ReplyMicros] ?? 0;
            }

            if (round >= 0)
            {
                rates.Add(tokens * 1e6 / micros);
            }
        }

        return rates;
    }

    /// <summary>The binding that ships the libraries we use, at its best of one thread and all; its own sampling is in its time, as ours is in ours.</summary>
    private static async Task<double?> NodeRateAsync(string? folder, string path, int rounds, CancellationToken cancellationToken)
    {
        double? best = null;
        foreach (var threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            var output = await BenchPeer.RunAsync(
                folder is null ? null : "node",
                [NodeScript, folder ?? "", path, $"{threads}", $"{TokensPerReply}", $"{rounds}"],
                NodeHint,
                cancellationToken);
            if (output is null)
            {
                return best;
            }

            var rate = BenchLine.Median(JsonDocument.Parse(output).RootElement.EnumerateArray().Select(r => r.GetDouble()));
            best = Math.Max(best ?? rate, rate);
        }

        return best;
    }

    /// <summary>The better of one thread and all: the peer is measured at its best, and as deep in the context as our prompt is long.</summary>
    private static async Task<double?> PeerRateAsync(string? program, string path, int rounds, CancellationToken cancellationToken)
    {
        var threads = string.Join(',', new[] { 1, Environment.ProcessorCount }.Distinct());
        var output = await BenchPeer.RunAsync(program, ["-m", path, "-p", "0", "-n", $"{TokensPerReply}", "-d", "24", "-r", $"{rounds}", "-t", threads, "-o", "json"], PeerHint, cancellationToken);
        return output is null ? null : JsonDocument.Parse(output).RootElement.EnumerateArray()
            .Max(run => BenchLine.Median(run.GetProperty("samples_ts").EnumerateArray().Select(s => s.GetDouble())));
    }
}
