using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>
/// Runs conversations through turn pipelines in which one thing is broken, and holds every turn against the same turn without any fault:
/// the local assessment's tier and, in danger, the crisis text word for word.
/// </summary>
internal sealed class FaultRun(RiskAssessor assessor, CrosstalkLibrary library)
{
    /// <summary>Short enough that a model that never ends costs little.</summary>
    private const int LongestReply = 1500;
    private const int FindingsKept = 5;

    /// <summary>Real time after which a turn counts as one without a reply: no limit inside the turn takes any.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task<FaultTable> RunAsync(IReadOnlyList<LabelledMessage> messages, int turns, int seed, CancellationToken cancellationToken)
    {
        var rows = new List<FaultRow>();
        for (var i = 0; i < Fault.All.Count; i++)
        {
            var share = (turns * (i + 1) / Fault.All.Count) - (turns * i / Fault.All.Count);
            rows.Add(await RowAsync(i, messages, share, new Random(seed + i), cancellationToken));
        }

        return new FaultTable(rows);
    }

    private async Task<FaultRow> RowAsync(int number, IReadOnlyList<LabelledMessage> messages, int turns, Random random, CancellationToken cancellationToken)
    {
        var fault = Fault.All[number];
        var seams = new FaultySeams(fault, assessor, library, LongestReply, random);
        var conversations = new Conversations(messages, random, number);
        var found = new List<(TurnFaults Faults, bool IsCrisis, bool IsOffer, string Text)>();
        while (found.Count < turns)
        {
            var said = new List<ChatMessage>();
            var state = new ConversationState();
            var isAfterRisk = false;
            foreach (var text in conversations.Next().Take(turns - found.Count).Select(seams.Spoil))
            {
                cancellationToken.ThrowIfCancellationRequested();
                seams.NextTurn();
                said.Add(new ChatMessage(ChatRole.User, text));
                state = seams.ForgetsState ? new ConversationState() : state;
                var expected = await ExpectAsync(seams.Sound, said, state, isAfterRisk);
                isAfterRisk = expected.IsAfterRisk;
                var (events, escaped) = await TurnAsync(seams.Pipeline, new TurnRequest([.. said], state), cancellationToken);
                var isOffer = events.Any(e => e is TurnEvent.CrosstalkOffered);
                found.Add((TurnCheck.Of(events, escaped, expected), expected.CrisisText is not null, isOffer, text));
                said.Add(new ChatMessage(ChatRole.Assistant, TurnCheck.Visible(events)));
            }
        }

        int Count(Func<TurnFaults, bool> which) => found.Count(f => which(f.Faults));
        return new FaultRow(fault.Id, fault.Chinese, fault.English)
        {
            Turns = found.Count,
            FailSafe = new Proportion(Count(f => f.IsSafe), found.Count),
            CrisisTurns = found.Count(f => f.IsCrisis),
            CrisisTextsLost = Count(f => f.IsCrisisTextLost),
            JokesAfterRisk = Count(f => f.IsJokeAfterRisk),
            Escaped = Count(f => f.IsEscaped),
            WithoutReply = Count(f => f.IsWithoutReply),
            TiersLowered = Count(f => f.IsTierLowered),
            Offers = found.Count(f => f is { IsOffer: true, Faults.IsJokeAfterRisk: false }),
            Findings = [.. found.Where(f => !f.Faults.IsSafe).Take(FindingsKept).Select(f => $"{f.Faults}: {f.Text}")],
        };
    }

    /// <summary>The same turn on a copy of the state, with nothing broken.</summary>
    private async Task<Expected> ExpectAsync(TurnPipeline sound, List<ChatMessage> said, ConversationState state, bool isAfterRisk)
    {
        var tier = assessor.Assess(said, state).Tier;
        string? text = null;
        if (Severity.IsCrisis(tier))
        {
            var copy = JsonSerializer.Deserialize<ConversationState>(JsonSerializer.Serialize(state))!;
            await foreach (var step in sound.RunAsync(new TurnRequest([.. said], copy)))
            {
                text = step is TurnEvent.Completed completed ? completed.Result.Reply : text;
            }
        }

        return new Expected(tier, text, isAfterRisk || tier != Tier.T0);
    }

    private static async Task<(IReadOnlyList<TurnEvent> Events, Exception? Escaped)> TurnAsync(TurnPipeline pipeline, TurnRequest request, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = new List<TurnEvent>();
        try
        {
            await ListenAsync().WaitAsync(Patience, cancellationToken);
            return (events, null);
        }
        catch (Exception escaped) when (!cancellationToken.IsCancellationRequested)
        {
            // The very thing that is looked for: an exception out of a turn, or a turn that never ends.
            await stop.CancelAsync();
            lock (events)
            {
                return ([.. events], escaped);
            }
        }

        async Task ListenAsync()
        {
            await foreach (var step in pipeline.RunAsync(request, stop.Token))
            {
                lock (events)
                {
                    events.Add(step);
                }
            }
        }
    }
}
