using PsyLite.Agent;
using PsyLite.Agent.Risk;

namespace PsyLite.Server.Observability;

/// <summary>The one line that a turn leaves in the log: what was decided and how long it took, never what was said.</summary>
internal static partial class TurnLog
{
    public static void Finished(ILogger logger, string surface, TurnResult result) => Write(
        logger, surface, result.Assessment.Route, result.Assessment.Tier, result.FinishReason, result.UsedModel,
        result.Timings.ReplyTokens, (long)result.Timings.FirstTokenMs, (long)result.Timings.TotalMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "turn {Surface} route {Route} tier {Tier} end {End} model {UsedModel} tokens {Tokens} first {FirstMs} ms total {TotalMs} ms")]
    private static partial void Write(ILogger logger, string surface, Route route, Tier tier, string end, bool usedModel, int tokens, long firstMs, long totalMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "turn {Surface} ended early after {TotalMs} ms")]
    public static partial void EndedEarly(ILogger logger, string surface, long totalMs);

    /// <summary>The kind of a fault, never its message, which may quote what was said.</summary>
    [LoggerMessage(Level = LogLevel.Error, Message = "request {Surface} failed: {Kind}")]
    public static partial void Failed(ILogger logger, string surface, string kind);
}
