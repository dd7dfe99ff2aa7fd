using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Engine;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary><c>psylite bench engine</c>: decode rate of the chat client, beside llama-bench on the same file in the same run.</summary>
internal static class EngineBench
{
    private const string PeerHint = "no llama-bench: build it from llama.cpp v0.5.0 and pass --llama-bench FILE.";
    private const int TokensPerReply = 128;

    public static Command Create()
    {
        var model = new Option<string?>("--model") { Description = "GGUF" };
        var rounds = new Option<int>("--rounds") { Description = "轮数 · rounds (median)", DefaultValueFactory = _ => 9 };
        var threads = new Option<int>("--threads") { Description = "线程数，0 为自动 · threads, 0 = automatic" };
        var peer = new Option<string?>("--llama-bench") { Description = "llama-bench 的路径 · path of llama-bench" };
        var command = new Command("engine", "解码速度 · decode speed\n  psylite bench engine --llama-bench ../llama.cpp/build/bin/llama-bench") { model, rounds, threads, peer };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = parsed.GetValue(model) ?? AppOptions.FromEnvironment().ModelPath;
            var wanted = parsed.GetValue(threads) > 0 ? parsed.GetValue(threads) : (int?)null;
            var ours = await DecodeRatesAsync(path, wanted, parsed.GetValue(rounds), cancellationToken);
            var theirs = await PeerRateAsync(parsed.GetValue(peer), path, parsed.GetValue(rounds), cancellationToken);
            new BenchLine("engine", $"decode {Path.GetFileName(path)}", "tokens/s", BenchLine.Median(ours), "tokens/s", "llama-bench", theirs).Print();
            return CommandBoundary.Done;
        });
        return command;
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

    /// <summary>The better of one thread and all: the peer is measured at its best, and as deep in the context as our prompt is long.</summary>
    private static async Task<double?> PeerRateAsync(string? program, string path, int rounds, CancellationToken cancellationToken)
    {
        var threads = string.Join(',', new[] { 1, Environment.ProcessorCount }.Distinct());
        var output = await BenchPeer.RunAsync(program, ["-m", path, "-p", "0", "-n", $"{TokensPerReply}", "-d", "24", "-r", $"{rounds}", "-t", threads, "-o", "json"], PeerHint, cancellationToken);
        return output is null ? null : JsonDocument.Parse(output).RootElement.EnumerateArray()
            .Max(run => BenchLine.Median(run.GetProperty("samples_ts").EnumerateArray().Select(s => s.GetDouble())));
    }
}
