using PsyLite.Engine.Remote;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.DataPipeline;

/// <summary>How far a distillation is.</summary>
internal readonly record struct DistillProgress(long Done, long Total, long Tokens, double Cost);

/// <summary>What a whole run will ask, roughly.</summary>
/// <param name="OnRecord">Turns that need nothing any more.</param>
internal sealed record DistillEstimate(long Turns, long OnRecord, long InputTokens, long OutputTokens, double Cost, TimeSpan Time);

/// <summary>What a run did. Counts of turns are those of the whole set; requests, tokens and cost those of this run.</summary>
internal sealed record DistillReport
{
    public long Turns { get; init; }

    public long Kept { get; init; }

    /// <summary>Turns that no try brought past the gates, by the last gate.</summary>
    public SortedDictionary<string, long> Failed { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Turns still without an answer: run the same command again.</summary>
    public long Unanswered { get; init; }

    public long Requests { get; init; }

    public long FailedRequests { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    public double Cost { get; init; }

    /// <summary>Requests that were sent again since an earlier run ended before their answer came, in all runs together: the most that may have been paid for twice.</summary>
    public long MaybePaidTwice { get; init; }

    public int DamagedJournalLines { get; init; }

    /// <summary>Why it stopped early; null when it did not.</summary>
    public string? Stopped { get; init; }
}

/// <summary>
/// Writes the chain of thought into counselling turns (arXiv 2506.21536, hybrid distillation). First every turn is asked for, many at once, each
/// answer going to the journal; then the output is made of the journal alone, in the order of the source. So a run that was killed goes on where it
/// was, and the output does not depend on the order of answers.
/// </summary>
/// <param name="doubter">A second teacher that confirms each reasoning; null asks nobody.</param>
internal sealed class DistillRun(DistillOptions options, Teacher teacher, Teacher? doubter, AnswerJournal journal)
{
    private const double TypicalAnswerTokens = 400;
    private const long TypicalVerdictTokens = 2;
    private const double TokensPerSecond = 30;
    private readonly ReasoningGates _gates = new(options.Gates);
    private string? _stopped;

    /// <summary>Reads all sources once; counts what the journal does not hold, each answer as if its first try passed.</summary>
    public DistillEstimate Estimate(int? requestsPerMinute, int? tokensPerMinute, CancellationToken cancellationToken)
    {
        var (turns, known, reasonings, input) = (0L, 0L, 0L, 0L);
        var (doubts, doubtInput) = (0L, 0L);
        foreach (var turn in Turns(new DataManifest(""), null, cancellationToken))
        {
            turns++;
            if (Judge(turn).Next is not { } next)
            {
                known++;
                continue;
            }

            var isReasoning = next.Who == teacher;
            reasonings += isReasoning ? 1 : 0;
            input += isReasoning ? Teacher.Estimate(next.Messages) : 0;
            if (doubter is not null)
            {
                doubts++;
                doubtInput += isReasoning ? Teacher.Estimate(ReasoningPrompt.Doubt(turn, "")) + (long)TypicalAnswerTokens : Teacher.Estimate(next.Messages);
            }
        }

        var output = (long)(reasonings * TypicalAnswerTokens);
        var doubtOutput = doubts * TypicalVerdictTokens;
        var seconds = new[]
        {
            (output + doubtOutput) / TokensPerSecond / options.Concurrency,
            requestsPerMinute is { } requests ? reasonings * 60.0 / requests : 0,
            tokensPerMinute is { } tokens ? (input + output) * 60.0 / tokens : 0,
        }.Max();
        var cost = Teacher.Price(teacher.Options, input, output) + (doubter is null ? 0 : Teacher.Price(doubter.Options, doubtInput, doubtOutput));
        return new DistillEstimate(turns, known, input + doubtInput, output + doubtOutput, cost, TimeSpan.FromSeconds(seconds));
    }

    /// <exception cref="RemoteException">A fault that every request would meet; what was answered before is in the journal.</exception>
    public async Task<DistillReport> RunAsync(long total, IProgress<DistillProgress>? progress, SortedDictionary<string, string> asGiven, CancellationToken cancellationToken)
    {
        await AskAllAsync(total, progress, cancellationToken);
        return Write(asGiven, cancellationToken);
    }

    private async Task AskAllAsync(long total, IProgress<DistillProgress>? progress, CancellationToken cancellationToken)
    {
        using var fatal = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        RemoteException? end = null;
        var done = 0L;
        try
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = fatal.Token };
            await Parallel.ForEachAsync(Turns(new DataManifest(""), null, cancellationToken), parallel, async (turn, token) =>
            {
                try
                {
                    await SettleAsync(turn, token);
                }
                catch (RemoteException fault) when (Teacher.IsFatal(fault))
                {
                    end ??= fault;
                    await fatal.CancelAsync();
                }
                catch (RemoteException)
                {
                    // Every attempt failed. The turn stays without an answer and is asked for again by the next run.
                }

                progress?.Report(new DistillProgress(Interlocked.Increment(ref done), total, Tokens, Cost));
            });
        }
        catch (OperationCanceledException) when (end is not null)
        {
            throw new RemoteException(end.Message, end);
        }

        if (end is not null)
        {
            throw new RemoteException(end.Message, end);
        }
    }

    private long Tokens => teacher.Meter.InputTokens + teacher.Meter.OutputTokens + (doubter is null ? 0 : doubter.Meter.InputTokens + doubter.Meter.OutputTokens);

    private double Cost => teacher.Meter.Cost(teacher.Options) + (doubter?.Meter.Cost(doubter.Options) ?? 0);

    /// <summary>Asks until an answer passes, the tries are used up, or a budget is.</summary>
    private async Task SettleAsync(DataRecord turn, CancellationToken cancellationToken)
    {
        while (Judge(turn) is { Next: { } next })
        {
            if (options.TokenBudget <= Tokens || options.CostBudget <= Cost)
            {
                _stopped ??= "the budget is used up";
                return;
            }

            await next.Who.AskAsync(next.Key, next.Messages, null, cancellationToken);
        }
    }

    private sealed record Question(Teacher Who, string Key, IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> Messages);

    /// <summary>Either the reasoning, or the gate that stopped the last try, or what has to be asked next.</summary>
    private readonly record struct Judgement(string? Reasoning, string? Gate, Question? Next);

    /// <summary>A pure function of the turn and of what the journal holds.</summary>
    private Judgement Judge(DataRecord turn)
    {
        var messages = ReasoningPrompt.Ask(turn);
        var gate = "";
        for (var attempt = 0; attempt < options.Tries; attempt++)
        {
            var key = teacher.KeyOf(messages, attempt);
            if (teacher.OnRecord(key) is not { } answer)
            {
                return new Judgement(null, null, new Question(teacher, key, messages));
            }

            if (answer.State == JournalState.Refused)
            {
                return new Judgement(null, "refused by the teacher", null);
            }

            var verdict = _gates.Check(turn, answer);
            if (verdict.Gate is not null)
            {
                gate = verdict.Gate;
                continue;
            }

            if (doubter is null)
            {
                return new Judgement(verdict.Reasoning, null, null);
            }

            var doubt = ReasoningPrompt.Doubt(turn, verdict.Reasoning);
            var doubtKey = doubter.KeyOf(doubt, 0);
            if (doubter.OnRecord(doubtKey) is not { } opinion)
            {
                return new Judgement(null, null, new Question(doubter, doubtKey, doubt));
            }

            if (ReasoningPrompt.Verdict(opinion.Text) is not { } agrees)
            {
                gate = "second teacher gave no verdict";
            }
            else if (agrees)
            {
                return new Judgement(verdict.Reasoning, null, null);
            }
            else
            {
                gate = "second teacher disagrees";
            }
        }

        return new Judgement(null, gate, null);
    }

    private DistillReport Write(SortedDictionary<string, string> asGiven, CancellationToken cancellationToken)
    {
        var manifest = new DataManifest("data distill") { Options = asGiven };
        var failed = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var (turns, kept, unanswered) = (0L, 0L, 0L);
        using var output = OutputFile.Create(options.Output);
        using var rejected = RejectedRows.Create(options.Output);
        foreach (var turn in Turns(manifest, rejected, cancellationToken))
        {
            turns++;
            var judgement = Judge(turn);
            if (judgement.Reasoning is { } reasoning)
            {
                kept++;
                var record = turn with { Messages = [.. turn.Messages.Take(turn.Messages.Count - 1), turn.Reply with { Reasoning = reasoning }] };
                manifest.Add(record);
                output.WriteLine(record.ToUtf8());
            }
            else if (judgement.Gate is { } gate)
            {
                failed[gate] = failed.GetValueOrDefault(gate) + 1;
                rejected.Add(turn.Id, turns, $"gate: {gate}");
            }
            else
            {
                unanswered++;
            }
        }

        manifest.Count("turns", turns);
        manifest.Count("kept", kept);
        foreach (var (gate, count) in failed)
        {
            manifest.Count($"gate: {gate}", count);
        }

        if (unanswered == 0 || options.IsPartial)
        {
            manifest.Count("unanswered", unanswered);
            manifest.Outputs.Add(output.Commit());
            manifest.Outputs.Add(rejected.Commit());
            manifest.Write(DataManifest.PathOf(options.Output));
        }

        return new DistillReport
        {
            Turns = turns,
            Kept = kept,
            Failed = failed,
            Unanswered = unanswered,
            Requests = teacher.Meter.Requests + (doubter?.Meter.Requests ?? 0),
            FailedRequests = teacher.Meter.Failures + (doubter?.Meter.Failures ?? 0),
            InputTokens = teacher.Meter.InputTokens + (doubter?.Meter.InputTokens ?? 0),
            OutputTokens = teacher.Meter.OutputTokens + (doubter?.Meter.OutputTokens ?? 0),
            Cost = Math.Round(Cost, 4),
            MaybePaidTwice = journal.Repeated,
            DamagedJournalLines = journal.Damaged,
            Stopped = _stopped,
        };
    }

    /// <summary>The turns to be thought through, without personal data: it must not go to a teacher elsewhere.</summary>
    private IEnumerable<DataRecord> Turns(DataManifest manifest, RejectedRows? rejected, CancellationToken cancellationToken)
    {
        var turns = RecordReading.Records(options.Sources, manifest, rejected, cancellationToken).Select(r => ScrubbedRecord.Of(r).Record).SelectMany(Cut);
        return options.Rows is { } most ? turns.Take(most) : turns;
    }

    private IEnumerable<DataRecord> Cut(DataRecord record)
    {
        for (var i = 1; i < record.Messages.Count; i++)
        {
            var isLast = i == record.Messages.Count - 1;
            if (record.Messages[i].Role != "assistant" || record.Messages[i - 1].Role != "user" || (options.Turns == DistilledTurns.Last && !isLast))
            {
                continue;
            }

            var messages = record.Messages.Take(i + 1).Select((m, at) => m.Reasoning is null ? m : m with { Reasoning = null }).ToList();
            yield return isLast
                ? record with { Messages = messages }
                : record with { Id = $"{record.Id}#{i}", Group = record.Dialogue, Messages = messages, Rejected = null };
        }
    }
}
