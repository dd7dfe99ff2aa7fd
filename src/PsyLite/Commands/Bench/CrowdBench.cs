using System.Diagnostics;
using Microsoft.Extensions.AI;
using PsyLite.Engine;

namespace PsyLite.Commands.Bench;

/// <summary>Many users at once: tokens a second of all together, and how long the unluckiest wait for their first token.</summary>
internal static class CrowdBench
{
    private const int ReplyTokens = 64;
    private const double Unlucky = 0.95;

    private sealed record Crowd(double TokensPerSecond, double UnluckyFirstMs);

    public static async Task RunAsync(string path, int users, int rounds, string? server, CancellationToken cancellationToken)
    {
        var ours = await OursAsync(path, users, rounds, cancellationToken);
        var theirs = await TheirsAsync(path, users, rounds, server, cancellationToken);
        double? Peer(Func<Crowd, double> value) => theirs is null ? null : BenchLine.Median(theirs.Select(value));
        var name = $"{users} users at once, {Path.GetFileName(path)}";
        new BenchLine("engine", name, "tokens/s", BenchLine.Median(ours.Select(c => c.TokensPerSecond)), "tokens/s", $"llama-server, {users} slots", Peer(c => c.TokensPerSecond)).Print();
        new BenchLine("engine", $"{name}: first token, 95th percentile", "ttftMs", BenchLine.Median(ours.Select(c => c.UnluckyFirstMs)), "ms", $"llama-server, {users} slots", Peer(c => c.UnluckyFirstMs)).Print();
    }

    private static ChatMessage Opening(int round, int user) => new(ChatRole.User, $"第{round}天第{user}次想起这件事，最近总是睡不好，白天也提不起精神，想说说工作上的压力和家里的一些琐事。");

    private static async Task<List<Crowd>> OursAsync(string path, int users, int rounds, CancellationToken cancellationToken)
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 1024 }, cancellationToken: cancellationToken);
        using var client = new LlamaChatClient(model);
        await client.Ready;
        async Task<(int Tokens, double FirstMs)> AskAsync(int round, int user)
        {
            var options = new ChatOptions { MaxOutputTokens = ReplyTokens, Temperature = 0 };
            var started = Stopwatch.GetTimestamp();
            var (tokens, first) = (0L, double.NaN);
            await foreach (var update in client.GetStreamingResponseAsync([Opening(round, user)], options, cancellationToken))
            {
                first = double.IsNaN(first) && update.Contents.Any(c => c is TextContent or TextReasoningContent) ? Stopwatch.GetElapsedTime(started).TotalMilliseconds : first;
                tokens = update.Contents.OfType<UsageContent>().FirstOrDefault()?.Details.OutputTokenCount ?? tokens;
            }

            return ((int)tokens, first);
        }

        return await RoundsAsync(AskAsync, users, rounds);
    }

    private static async Task<List<Crowd>?> TheirsAsync(string path, int users, int rounds, string? program, CancellationToken cancellationToken)
    {
        using var server = await LlamaServerPeer.StartAsync(program, path, users * 1024, users, cancellationToken);
        if (server is null)
        {
            return null;
        }

        return await RoundsAsync(
            async (round, user) =>
            {
                var reply = await server.ReplyAsync(OriginalWorkflow.Messages([Opening(round, user)]), ReplyTokens, cancellationToken);
                return (reply.Tokens, reply.FirstMs);
            },
            users,
            rounds);
    }

    /// <summary>One round to warm up, then so many; all users of a round ask at the same moment.</summary>
    private static async Task<List<Crowd>> RoundsAsync(Func<int, int, Task<(int Tokens, double FirstMs)>> ask, int users, int rounds)
    {
        var crowds = new List<Crowd>();
        for (var round = 0; round <= rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var replies = await Task.WhenAll(Enumerable.Range(0, users).Select(user => Task.Run(() => ask(round, user))));
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var waits = replies.Select(r => r.FirstMs).Order().ToList();
            crowds.Add(new Crowd(replies.Sum(r => r.Tokens) / seconds, waits[(int)Math.Ceiling(Unlucky * users) - 1]));
        }

        return crowds[1..];
    }
}
