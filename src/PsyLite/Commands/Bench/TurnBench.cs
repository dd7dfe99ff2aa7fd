using System.CommandLine;
using System.Diagnostics;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary>
/// <c>psylite bench turn</c>: how long a person waits for the first token, and for the whole turn: judged beside unjudged, and late in a long
/// conversation beside the paper's order of calls on llama-server with the same file.
/// </summary>
internal static class TurnBench
{
    public static Command Create()
    {
        var model = new ModelOptions();
        var server = new Option<string?>("--llama-server") { Description = "llama-server 的路径 · path of llama-server" };
        var tokens = new Option<int>("--history-tokens") { Description = "历史长度（词元）· tokens of history before the turn", DefaultValueFactory = _ => 2000 };
        var reply = new Option<int>("--reply-tokens") { Description = "回复长度上限 · most tokens of a reply", DefaultValueFactory = _ => 64 };
        var rounds = new Option<int>("--rounds") { Description = "轮数 · rounds (median)", DefaultValueFactory = _ => 5 };
        var reading = new Option<double>("--reading-seconds") { Description = "两轮之间读和写的时间（秒） · seconds in which the person reads and writes between turns", DefaultValueFactory = _ => 10 };
        var command = new Command("turn", "一轮的等待时间 · how long a turn takes\n  psylite bench turn --llama-server ../llama.cpp/build/bin/llama-server") { server, tokens, reply, rounds, reading };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = model.Read(parsed) with { Context = 4096 };
            var plan = new TurnPlan(parsed.GetValue(tokens), parsed.GetValue(reply), parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(reading)));
            await MeasureAsync(options, plan, parsed.GetValue(server), cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }

    private static async Task MeasureAsync(AppOptions options, TurnPlan plan, string? server, CancellationToken cancellationToken)
    {
        List<TimedTurn> judged, unjudged;
        IReadOnlyList<ChatMessage> known, other;
        using (var parts = PlainReplies.Compose(options))
        {
            var script = await ReadyAsync(parts);
            (known, other) = (script.History(0, plan.HistoryTokens), script.History(1, plan.HistoryTokens));
            judged = await LateTurnsAsync(parts.Pipeline, known, plan, judged: true, cancellationToken);
            unjudged = await LateTurnsAsync(parts.Pipeline, other, plan, judged: false, cancellationToken);
        }

        var name = $"from turn 10 on, {plan.HistoryTokens} tokens of history";
        double First(IEnumerable<TimedTurn> turns) => BenchLine.Median(turns.Select(t => t.Result.Timings.FirstTokenMs));
        new BenchLine("turn", $"{name}: judged, first token", "ttftMs", First(judged), "ms", "unjudged", First(unjudged)).Print();
        double Spoken(IEnumerable<TimedTurn> turns) => BenchLine.Median(turns.Select(t => t.SpokenMs));
        new BenchLine("turn", $"{name}: judged, last word of at most {plan.ReplyTokens} tokens", "spokenMs", Spoken(judged), "ms", "unjudged", Spoken(unjudged)).Print();
        double Whole(IEnumerable<TimedTurn> turns) => BenchLine.Median(turns.Select(t => t.Result.Timings.TotalMs));
        new BenchLine("turn", $"{name}: judged, whole turn with the mood asked behind the reply", "totalMs", Whole(judged), "ms", "unjudged", Whole(unjudged)).Print();
        var theirs = await PeerAsync(server, options, known, plan, cancellationToken);
        new BenchLine("turn", $"{name}: first token", "ttftMs", First(judged), "ms", "original workflow on llama-server", theirs).Print();
    }

    /// <summary>Turn 9 is run so that turn 10 finds what a running conversation leaves behind; turn 10 and those after it are measured.</summary>
    private static async Task<List<TimedTurn>> LateTurnsAsync(
        TurnPipeline pipeline, IReadOnlyList<ChatMessage> history, TurnPlan plan, bool judged, CancellationToken cancellationToken)
    {
        var state = new ConversationState();
        List<ChatMessage> known = [.. history, BenchConversation.Ninth];
        var last = await TurnAsync(pipeline, known, state, plan.ReplyTokens, judged, cancellationToken);
        var turns = new List<TimedTurn>();
        for (var round = 0; round < plan.Rounds; round++)
        {
            await Task.Delay(plan.Reading, cancellationToken);
            known.AddRange([new ChatMessage(ChatRole.Assistant, last.Result.Reply), BenchConversation.Late(round)]);
            last = await TurnAsync(pipeline, known, state, plan.ReplyTokens, judged, cancellationToken);
            if (!judged || last.Result.Timings.JudgeMs > 0)
            {
                turns.Add(last);
            }
        }

        return turns.Count > 0 ? turns : throw new InvalidDataException("the judge was never asked, so this measures nothing: BenchConversation's late words must be those of a good day.");
    }

    /// <summary>Loads the model.</summary>
    /// <returns>Conversations whose length is counted in its tokens.</returns>
    /// <exception cref="InvalidDataException">It cannot be loaded.</exception>
    internal static async Task<BenchConversation> ReadyAsync(Composition parts)
    {
        parts.Model.Start();
        await parts.Model.Settled;
        return parts.Model.Problem is { } problem
            ? throw new InvalidDataException(problem)
            : new BenchConversation(parts.Library.Pieces.SelectMany(p => p.Lines), text => parts.Model.CountTokens(text));
    }

    internal static async Task<TimedTurn> TurnAsync(
        TurnPipeline pipeline, IReadOnlyList<ChatMessage> messages, ConversationState state, int replyTokens, bool judged, CancellationToken cancellationToken)
    {
        var request = new TurnRequest(messages, state) { HumourAllowed = judged, Options = new ChatOptions { MaxOutputTokens = replyTokens } };
        var started = Stopwatch.GetTimestamp();
        TurnResult? result = null;
        var spoken = 0.0;
        await foreach (var e in pipeline.RunAsync(request, cancellationToken))
        {
            spoken = e is TurnEvent.ReplyDelta ? Stopwatch.GetElapsedTime(started).TotalMilliseconds : spoken;
            result = (e as TurnEvent.Completed)?.Result ?? result;
        }

        // Reasoning alone counts: a short limit may end the reply before its first word.
        return result is { UsedModel: true, Timings: { ReplyTokens: > 0, FirstTokenMs: > 0 } }
            ? new TimedTurn(result, spoken)
            : throw new InvalidDataException("the model gave no token: check it with `psylite chat --once 你好`.");
    }

    /// <summary>Median time to the first token; null without the peer.</summary>
    private static async Task<double?> PeerAsync(
        string? program, AppOptions options, IReadOnlyList<ChatMessage> history, TurnPlan plan, CancellationToken cancellationToken)
    {
        using var server = await LlamaServerPeer.StartAsync(program, options.ModelPath, options.Context, slots: 1, cancellationToken);
        if (server is null)
        {
            return null;
        }

        var workflow = new OriginalWorkflow(server);
        List<ChatMessage> known = [.. history, BenchConversation.Ninth];
        await workflow.TurnAsync(known, isHappy: false, plan.ReplyTokens, cancellationToken);
        var times = new List<double>();
        for (var round = 0; round < plan.Rounds; round++)
        {
            await Task.Delay(plan.Reading, cancellationToken);
            known.AddRange([new ChatMessage(ChatRole.Assistant, PlainReplies.Reply(plan.ReplyTokens)), BenchConversation.Late(round)]);
            times.Add((await workflow.TurnAsync(known, isHappy: false, plan.ReplyTokens, cancellationToken)).FirstMs);
        }

        return BenchLine.Median(times);
    }

    /// <param name="SpokenMs">From the message to the last word of the reply.</param>
    internal sealed record TimedTurn(TurnResult Result, double SpokenMs);

    /// <param name="Reading">Time between a reply and the next message, in which the engine may work ahead.</param>
    private sealed record TurnPlan(int HistoryTokens, int ReplyTokens, int Rounds, TimeSpan Reading);
}
