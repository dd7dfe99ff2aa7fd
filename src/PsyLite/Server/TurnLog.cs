using PsyLite.Agent;
using PsyLite.Agent.Risk;

namespace PsyLite.Server;

/// <summary>The one line that a turn leaves in the log: what was decided and how long it took, never what was said.</summary>
internal static partial class TurnLog
{
    public static void Finished(ILogger logger, string surface, TurnResult result) => Write(
        logger, surface, result.Assessment.Route, result.Assessment.Tier, result.FinishReason, result.UsedModel,
        result.Timings.ReplyTokens, (long)result.Timings.FirstTokenMs, (long)result.Timings.TotalMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "turn {Surface} route {Route} tier {Tier} end {End} model {UsedModel} tokens {Tokens} first {FirstMs} ms total {TotalMs} ms")]
    private static partial void Write(ILogger logger, string surface, Route route, Tier tier, string end, bool usedModel, int tokens, long firstMs, long totalMs);
}
