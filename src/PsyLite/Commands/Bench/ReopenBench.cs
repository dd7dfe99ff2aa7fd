using System.CommandLine;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary>
/// <c>psylite bench reopen</c>: how long a person waits who comes back to a long conversation after a restart, beside computing it anew. A round
/// reads the history cold once, which is what a large model takes minutes for; it closes everything, so that the conversation goes to the disk,
/// loads the model again and takes the next turn.
/// </summary>
internal static class ReopenBench
{
    public static Command Create()
    {
        var model = new ModelOptions();
        var tokens = new Option<int>("--history-tokens") { Description = "历史长度（词元）· tokens of history before the restart", DefaultValueFactory = _ => 2000 };
        var reply = new Option<int>("--reply-tokens") { Description = "回复长度上限 · most tokens of a reply", DefaultValueFactory = _ => 8 };
        var rounds = new Option<int>("--rounds") { Description = "轮数，每轮一次冷读 · rounds (median), one cold prefill each", DefaultValueFactory = _ => 3 };
        var command = new Command("reopen", "重启后接着聊的等待时间 · how long the first token takes after a restart\n  psylite bench reopen --rounds 1 --model runs/7b.q4_k_m.gguf") { tokens, reply, rounds };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await MeasureAsync(model.Read(parsed) with { Context = 4096 }, parsed.GetValue(tokens), parsed.GetValue(reply), parsed.GetValue(rounds), cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }

    private static async Task MeasureAsync(AppOptions options, int tokens, int replyTokens, int rounds, CancellationToken cancellationToken)
    {
        var (cold, reopened, bytes) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            var folder = Directory.CreateTempSubdirectory("psylite-reopen-");
            try
            {
                var kept = options with { Cache = folder.FullName };
                var (known, first) = await TurnAsync(kept, script => [.. script.History(round, tokens), BenchConversation.Ninth], replyTokens, cancellationToken);
                cold.Add(first.Timings.FirstTokenMs);
                bytes.Add(folder.EnumerateFiles().Sum(f => f.Length));
                var (_, next) = await TurnAsync(kept, _ => [.. known, new ChatMessage(ChatRole.Assistant, first.Reply), BenchConversation.Late(round)], replyTokens, cancellationToken);
                reopened.Add(next.Timings.FirstTokenMs);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        var name = $"{tokens} tokens of history";
        new BenchLine("reopen", $"{name}: first token after a restart", "ttftMs", BenchLine.Median(reopened), "ms", "cold prefill", BenchLine.Median(cold)).Print();
        new BenchLine("reopen", $"{name}: kept on disk", "storedBytes", BenchLine.Median(bytes), "bytes").Print();
    }

    /// <summary>Loads the model, takes one turn and closes everything.</summary>
    private static async Task<(IReadOnlyList<ChatMessage> Said, TurnResult Result)> TurnAsync(
        AppOptions options, Func<BenchConversation, IReadOnlyList<ChatMessage>> messages, int replyTokens, CancellationToken cancellationToken)
    {
        using var parts = PlainReplies.Compose(options);
        var said = messages(await TurnBench.ReadyAsync(parts));
        return (said, (await TurnBench.TurnAsync(parts.Pipeline, said, new ConversationState(), replyTokens, judged: false, cancellationToken)).Result);
    }
}
