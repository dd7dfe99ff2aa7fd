using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent;

/// <summary>Runs turns for tests and keeps what came out.</summary>
internal static class Turns
{
    public static readonly RiskAssessor Assessor = new();

    public static readonly CrosstalkLibrary Library = new(Enumerable.Range(1, 8).Select(i => new CrosstalkPiece(
        $"p{i}", $"报喜{i}", ["工作", "喜事"], "轻松", [], ["甲：今天有喜事。", "乙：什么喜事？", "甲：升职了。", $"乙：那得请我吃{i}顿！"])));

    public static TurnPipeline Pipeline(IChatClient? model, LabelLikelihoods? judge = null, TurnOptions? options = null, TimeProvider? time = null,
        ITakeoverDesk? desk = null, IAuditLog? audit = null) =>
        new(model, judge, Assessor, Library, options ?? Quick, time, desk, audit);

    /// <summary>Limits under which a hanging model costs a test little time.</summary>
    public static TurnOptions Quick { get; } = new()
    {
        Judge = TimeSpan.FromSeconds(1),
        FirstToken = TimeSpan.FromSeconds(2),
        Idle = TimeSpan.FromSeconds(2),
    };

    public static List<ChatMessage> Say(params string[] alternating) =>
        [.. alternating.Select((text, i) => new ChatMessage(i % 2 == 0 ? ChatRole.User : ChatRole.Assistant, text))];

    public static async Task<List<TurnEvent>> EventsAsync(this TurnPipeline pipeline, TurnRequest request, CancellationToken cancellationToken = default)
    {
        var events = new List<TurnEvent>();
        await foreach (var e in pipeline.RunAsync(request, cancellationToken))
        {
            events.Add(e);
        }

        return events;
    }

    public static async Task<TurnResult> AskAsync(this TurnPipeline pipeline, string text, ConversationState? state = null) =>
        Result(await pipeline.EventsAsync(new TurnRequest(Say(text), state ?? new ConversationState())));

    public static TurnResult Result(IEnumerable<TurnEvent> events) => Assert.Single(events.OfType<TurnEvent.Completed>()).Result;

    /// <summary>What a reader sees at the end: all pieces, or the text that replaced them and what came after it.</summary>
    public static string Visible(IEnumerable<TurnEvent> events) => events.Aggregate("", (text, e) => e switch
    {
        TurnEvent.ReplyDelta delta => text + delta.Text,
        TurnEvent.ReplyReplaced replaced => replaced.Text,
        _ => text,
    });

    public static LabelLikelihoods Judge(params double[] logs) => (_, _, _) => ValueTask.FromResult<IReadOnlyList<double>>(logs);
}
