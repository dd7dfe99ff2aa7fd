using System.CommandLine;
using System.Diagnostics;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary>
/// <c>psylite bench soak</c>: thousands of turns of many conversations that begin, grow, are broken off and end, and whether memory stays where
/// it was once everything is warm.
/// </summary>
internal static class SoakBench
{
    private const int ReplyTokens = 12;
    private const int LongestConversation = 12;
    private const int Readings = 20;

    /// <summary>One turn in so many is broken off in the middle.</summary>
    private const int BreakEvery = 7;

    private static readonly string[] Sayings =
    [
        "今天做了一顿饭，味道还行", "工作上的事有点烦，想聊聊", "昨晚睡得不太好", "周末想出去走走，不知道去哪", "和同事闹了点别扭", "在学画画，手很笨", "我真的不想活了", "考试没考好，有点难过",
        "猫今天跑出去又自己回来了", "妈妈总催我结婚", "怎样早一点放下手机", "刚跑完五公里，好开心",
    ];

    public static Command Create()
    {
        var model = new ModelOptions();
        var turns = new Option<int>("--turns") { Description = "轮数 · turns", DefaultValueFactory = _ => 20_000 };
        var users = new Option<int>("--users") { Description = "同时的对话 · conversations at once", DefaultValueFactory = _ => 8 };
        var command = new Command("soak", "长时间运行的内存 · memory over a long run\n  psylite bench soak --turns 20000") { turns, users };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await RunAsync(model.Read(parsed) with { Cache = null }, parsed.GetValue(turns), parsed.GetValue(users), cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }

    private static async Task RunAsync(AppOptions options, int turns, int users, CancellationToken cancellationToken)
    {
        using var parts = Composition.Create(options);
        parts.Model.Start();
        await parts.Model.Settled;
        var done = 0;
        var broken = 0;
        var failed = 0;
        var resident = new List<double>();
        async Task TalkAsync(int user)
        {
            var random = new Random(user);
            List<ChatMessage> messages = [];
            var state = new ConversationState();
            for (int number; (number = Interlocked.Increment(ref done)) <= turns;)
            {
                if (messages.Count >= 2 * random.Next(1, LongestConversation))
                {
                    (messages, state) = ([], new ConversationState());
                }

                messages.Add(new ChatMessage(ChatRole.User, Sayings[random.Next(Sayings.Length)]));
                var reply = await TurnAsync(parts.Pipeline, messages, state, number % BreakEvery == 0, cancellationToken);
                Interlocked.Add(ref broken, reply is null ? 1 : 0);
                Interlocked.Add(ref failed, reply?.FinishReason == "error" && reply.Timings.ReplyTokens == 0 ? 1 : 0);
                messages.Add(new ChatMessage(ChatRole.Assistant, reply?.Reply ?? "（停止）"));
                if (number % Math.Max(1, turns / Readings) == 0)
                {
                    lock (resident)
                    {
                        resident.Add(Environment.WorkingSet);
                    }
                }
            }
        }

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, users).Select(user => Task.Run(() => TalkAsync(user), cancellationToken)));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        // The first quarter warms caches, pools and compiled code.
        var warm = BenchLine.Median(resident.Skip(Readings / 4).Take(Readings / 4));
        var last = BenchLine.Median(resident.TakeLast(Readings / 4));
        new BenchLine("soak", $"{turns} turns, {users} conversations at once, {broken} broken off", "opsPerSec", turns / seconds, "turns/s").Print();
        new BenchLine("soak", $"{turns} turns: failures", "count", failed, "turns").Print();
        new BenchLine("soak", $"{turns} turns: resident memory in the last quarter", "rss", last, "bytes", "second quarter", warm).Print();
    }

    /// <returns>Null when the turn was broken off.</returns>
    private static async Task<TurnResult?> TurnAsync(TurnPipeline pipeline, List<ChatMessage> messages, ConversationState state, bool isBroken, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var request = new TurnRequest([.. messages], state) { Options = new ChatOptions { MaxOutputTokens = ReplyTokens } };
        try
        {
            await foreach (var step in pipeline.RunAsync(request, stop.Token))
            {
                if (step is TurnEvent.Completed completed)
                {
                    return completed.Result;
                }

                if (isBroken && step is TurnEvent.ReasoningDelta or TurnEvent.ReplyDelta)
                {
                    await stop.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (isBroken && !cancellationToken.IsCancellationRequested)
        {
            // Broken off, as meant.
        }

        return null;
    }
}
