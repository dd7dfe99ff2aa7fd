using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Commands.Bench;

/// <summary>
/// The paper's order of calls for one turn: a judge's completion over the whole history as text, for happy turns a whole crosstalk generation,
/// then the reply. Each is a request of its own with a prompt of its own.
/// </summary>
internal sealed class OriginalWorkflow(LlamaServerPeer server)
{
    private const int JudgeTokens = 48;
    private const int CrosstalkTokens = 160;
    private const string Judge = "请根据用户的回复和历史聊天记录判断用户目前的状态，只输出“分数,理由”：0 为状态很危险，1 为状态正常，2 为心情好、可以讲笑话。";
    private const string Crosstalk = "你会写相声。请结合用户的话写一段五到十行的对口相声，每行以“甲：”或“乙：”开头。";

    /// <summary>Milliseconds from the person's message to the first token of the reply, and to its end.</summary>
    public async Task<(double FirstMs, double TotalMs)> TurnAsync(IReadOnlyList<ChatMessage> messages, bool isHappy, int replyTokens, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var said = messages[^1].Text;
        var history = string.Join('\n', messages.SkipLast(1).Select(m => $"{m.Role}: {m.Text}"));
        await server.ReplyAsync(Ask(Judge, $"用户回复：{said}\n历史聊天记录：{history}"), JudgeTokens, cancellationToken);
        if (isHappy)
        {
            await server.ReplyAsync(Ask(Crosstalk, said), CrosstalkTokens, cancellationToken);
        }

        var before = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var reply = await server.ReplyAsync(Messages(messages), replyTokens, cancellationToken);
        return (before + reply.FirstMs, before + reply.TotalMs);
    }

    public static JsonArray Messages(IEnumerable<ChatMessage> messages) =>
        [.. messages.Select(m => new JsonObject { ["role"] = m.Role.Value, ["content"] = m.Text })];

    private static JsonArray Ask(string system, string user) => Messages([new ChatMessage(ChatRole.System, system), new ChatMessage(ChatRole.User, user)]);
}
