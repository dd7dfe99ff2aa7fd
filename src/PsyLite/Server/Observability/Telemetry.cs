using System.Diagnostics;
using System.Diagnostics.Metrics;
using PsyLite.Agent;

namespace PsyLite.Server.Observability;

/// <summary>
/// What the server tells about itself: one log line, one set of measurements and one trace for each turn. Routes, tiers, times and kinds of
/// fault; never a word of a conversation, a name or an id.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    /// <summary>Name of the meter and of the source of traces.</summary>
    public const string Source = "PsyLite";

    private readonly ILogger _logger;
    private readonly ActivitySource _traces = new(Source);
    private readonly Counter<long> _turns;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _cuts;
    private readonly Counter<long> _crosstalk;
    private readonly Histogram<double> _stages;
    private int _waiting;

    public Telemetry(ILogger<Telemetry> logger, TimeProvider time)
    {
        (_logger, Time) = (logger, time);
        _turns = Meter.CreateCounter<long>("psylite_turns_total", null, "Turns by surface, route, tier and end.");
        _tokens = Meter.CreateCounter<long>("psylite_tokens_total", null, "Tokens read and written by the model.");
        _refusals = Meter.CreateCounter<long>("psylite_refused_requests_total", null, "API requests answered with an error of the caller's or for want of room.");
        _faults = Meter.CreateCounter<long>("psylite_errors_total", null, "API requests that failed here, by kind of fault.");
        _cuts = Meter.CreateCounter<long>("psylite_guard_cuts_total", null, "Replies cut by the guard, by rule.");
        _crosstalk = Meter.CreateCounter<long>("psylite_crosstalk_offers_total", null, "Pieces of crosstalk offered.");
        _stages = Meter.CreateHistogram<double>("psylite_stage_seconds", "s", "Time of a turn's stages: assess, judge, first_token, reply, turn.");
        Meter.CreateObservableGauge("psylite_turns_waiting", () => Volatile.Read(ref _waiting), null, "Turns that wait for the first word of the model.");
    }

    public TimeProvider Time { get; }

    public Meter Meter { get; } = new(Source);

    /// <summary>Begins a turn; disposing it before its end counts it as left.</summary>
    public MeasuredTurn Begin(string surface) => new(this, surface, _traces.StartActivity("turn", ActivityKind.Server));

    public void Refused(Dialect dialect, ApiException error) => _refusals.Add(1, new("surface", Name(dialect)), new("code", error.Code));

    public void Failed(Dialect dialect, Exception fault)
    {
        _faults.Add(1, new("surface", Name(dialect)), new("kind", fault.GetType().Name));
        TurnLog.Failed(_logger, Name(dialect), fault.GetType().Name);
    }

    public void Dispose()
    {
        Meter.Dispose();
        _traces.Dispose();
    }

    internal void Waits(int change) => Interlocked.Add(ref _waiting, change);

    internal void Cut(string rule) => _cuts.Add(1, new KeyValuePair<string, object?>("rule", rule));

    internal void Offered() => _crosstalk.Add(1);

    internal void Finished(string surface, TurnResult result)
    {
        TurnLog.Finished(_logger, surface, result);
        _turns.Add(1, new("surface", surface), new("route", result.Assessment.Route.ToString()), new("tier", result.Assessment.Tier.ToString()), new("end", result.FinishReason));
        _tokens.Add(result.PromptTokens, new KeyValuePair<string, object?>("kind", "prompt"));
        _tokens.Add(result.Timings.ReplyTokens, new KeyValuePair<string, object?>("kind", "reply"));
        var times = result.Timings;
        Stage("assess", times.AssessMs);
        Stage("turn", times.TotalMs);
        if (times.JudgeMs > 0)
        {
            Stage("judge", times.JudgeMs);
        }

        if (times.FirstTokenMs > 0)
        {
            Stage("first_token", times.FirstTokenMs);
            Stage("reply", EndOfReply(times) - times.FirstTokenMs);
        }
    }

    internal void Left(string surface, TimeSpan after)
    {
        TurnLog.EndedEarly(_logger, surface, (long)after.TotalMilliseconds);
        _turns.Add(1, new("surface", surface), new("route", "unknown"), new("tier", "unknown"), new("end", "left"));
    }

    /// <summary>The stages as spans of their own, from the times that the turn took itself.</summary>
    internal void Trace(Activity turn, TurnResult result)
    {
        var (start, times) = (new DateTimeOffset(turn.StartTimeUtc), result.Timings);
        Span(turn, "assess", start, 0, times.AssessMs);
        if (times.JudgeMs > 0)
        {
            Span(turn, "judge", start, times.AskedMs, times.AskedMs + times.JudgeMs);
        }

        if (times.FirstTokenMs > 0)
        {
            Span(turn, "first token", start, times.AssessMs + (IsJudgedLast(times) ? 0 : times.JudgeMs), times.FirstTokenMs);
            Span(turn, "reply", start, times.FirstTokenMs, EndOfReply(times));
        }

        turn.SetTag("psylite.route", result.Assessment.Route.ToString()).SetTag("psylite.tier", result.Assessment.Tier.ToString())
            .SetTag("psylite.end", result.FinishReason).SetTag("psylite.reply_tokens", times.ReplyTokens);
        turn.SetEndTime((start + TimeSpan.FromMilliseconds(times.TotalMs)).UtcDateTime);
    }

    private static bool IsJudgedLast(TurnTimings times) => times.JudgeMs > 0 && times.AskedMs > times.FirstTokenMs;

    private static double EndOfReply(TurnTimings times) => IsJudgedLast(times) ? times.AskedMs : times.TotalMs;

    private static string Name(Dialect dialect) => dialect switch
    {
        Dialect.OpenAi => "openai",
        Dialect.Ollama => "ollama",
        _ => "pipelines",
    };

    private void Stage(string name, double milliseconds) => _stages.Record(milliseconds / 1000, new KeyValuePair<string, object?>("stage", name));

    private void Span(Activity turn, string name, DateTimeOffset start, double fromMs, double toMs)
    {
        using var span = _traces.StartActivity(name, ActivityKind.Internal, turn.Context, null, null, start + TimeSpan.FromMilliseconds(fromMs));
        span?.SetEndTime((start + TimeSpan.FromMilliseconds(Math.Max(fromMs, toMs))).UtcDateTime);
    }
}
