using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Guard;
using PsyLite.Agent.Risk;
using PsyLite.Engine.Remote;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Records;

namespace PsyLite.DataPipeline;

/// <summary>How pairs are sampled from a model.</summary>
internal sealed record SamplingOptions
{
    /// <summary>Replies for each prompt.</summary>
    public int Replies { get; init; } = 4;

    /// <summary>Least distance between the best and the worst reply, in points.</summary>
    public double Margin { get; init; } = 2;

    public int Concurrency { get; init; } = 4;

    public int Seed { get; init; } = 1;

    /// <summary>The chosen reply must think first.</summary>
    public bool NeedsReasoning { get; init; } = true;
}

/// <summary>
/// Pairs from a model's own replies: several for each prompt, ranked by the safety gates, by plain signs of a good reply and by a judge where there is
/// one. The best is chosen if it breaks no gate, the worst rejected, where a clear margin lies between them. Prompts of people in danger are left
/// out: the program answers those itself. Every reply goes through the journal, so the result follows from it alone.
/// </summary>
/// <param name="judge">Gives 0 to 10 points; null asks nobody.</param>
internal sealed partial class PreferenceSampling(SamplingOptions options, Teacher model, Teacher? judge)
{
    private const double BrokenGate = -10;
    private readonly ReplyInspection _inspection = new();
    private readonly RiskAssessor _assessor = new();

    /// <summary>Asks for what is not on record yet.</summary>
    /// <exception cref="RemoteException">A fault that every request would meet.</exception>
    public async Task AskAsync(IEnumerable<DataRecord> prompts, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(prompts.Where(IsFit), parallel, async (prompt, token) =>
        {
            try
            {
                foreach (var (key, messages, seed) in Requests(prompt))
                {
                    var reply = await model.AskAsync(key, messages, seed, token);
                    if (judge is not null && reply.Text.Length > 0)
                    {
                        var question = Question(prompt, reply);
                        await judge.AskAsync(judge.KeyOf(question, 0), question, null, token);
                    }
                }
            }
            catch (RemoteException fault) when (!Teacher.IsFatal(fault))
            {
                // The prompt makes no pair in this run.
            }

            progress?.Report(1);
        });
    }

    /// <summary>The pairs that the journal gives.</summary>
    public IEnumerable<DataRecord> Pairs(IEnumerable<DataRecord> prompts, SortedDictionary<string, long> counts)
    {
        foreach (var prompt in prompts)
        {
            var (pair, reason) = IsFit(prompt) ? Pair(prompt) : (null, "prompt in danger");
            counts[reason] = counts.GetValueOrDefault(reason) + 1;
            if (pair is not null)
            {
                yield return pair;
            }
        }
    }

    /// <summary>Points of a reply without a judge: 0 to 5, or below 0 when it breaks a gate.</summary>
    internal double Points(DataRecord prompt, SampleMessage reply)
    {
        if (reply.Content.Length == 0 || _inspection.Broken(reply.Content, reply.Reasoning) is not null)
        {
            return BrokenGate;
        }

        var text = reply.Content;
        var pieces = Enumerable.Range(0, Math.Max(0, text.Length - 3)).Select(i => text.Substring(i, 4)).ToList();
        var isRepeating = pieces.Count > 8 && pieces.Distinct().Count() < 0.7 * pieces.Count;
        var asked = prompt.Question;
        var shared = Enumerable.Range(0, Math.Max(0, asked.Length - 1)).Select(i => asked.Substring(i, 2)).Distinct().Count(p => (reply.Reasoning + text).Contains(p, StringComparison.Ordinal));
        return (reply.Reasoning is { Length: >= 10 } ? 1 : 0)
            + (TextLanguage.ChineseShare(text) >= 0.6 ? 1 : 0)
            + (text.Length is >= 15 and <= 400 ? 1 : 0)
            + (text[^1] is '。' or '？' or '！' or '…' or '”' or '~' ? 1 : 0)
            + (isRepeating ? -2 : 0)
            + Math.Min(1, shared / 4.0);
    }

    private bool IsFit(DataRecord prompt) => _assessor.Assess(prompt.Question).Route != Agent.Risk.Route.Danger;

    private IEnumerable<(string Key, IReadOnlyList<ChatMessage> Messages, long Seed)> Requests(DataRecord prompt)
    {
        var messages = prompt.Messages.Take(prompt.Messages.Count - 1)
            .Select(m => new ChatMessage(m.Role switch { "user" => ChatRole.User, "system" => ChatRole.System, _ => ChatRole.Assistant }, m.Content)).ToList();
        return Enumerable.Range(0, options.Replies).Select(n => (model.KeyOf(messages, n + (options.Seed * 1000)), (IReadOnlyList<ChatMessage>)messages, (long)(options.Seed * 1000) + n));
    }

    private (DataRecord? Pair, string Reason) Pair(DataRecord prompt)
    {
        var replies = new List<(SampleMessage Message, double Points)>();
        foreach (var (key, _, _) in Requests(prompt))
        {
            if (model.OnRecord(key) is { State: JournalState.Answered } entry)
            {
                var message = new SampleMessage("assistant", entry.Text) { Reasoning = entry.Reasoning.Length > 0 ? entry.Reasoning : null };
                replies.Add((message, Points(prompt, message) is >= 0 and var points ? points + Judged(prompt, entry) : BrokenGate));
            }
        }

        if (replies.Count < 2)
        {
            return (null, "fewer than two replies");
        }

        var (best, most) = replies.MaxBy(r => options.NeedsReasoning && r.Message.Reasoning is null ? BrokenGate : r.Points);
        var (worst, least) = replies.Where(r => r.Message.Content.Length > 0).DefaultIfEmpty(replies[0]).MinBy(r => r.Points);
        return most < 0 || (options.NeedsReasoning && best.Reasoning is null) ? (null, "no reply passes the gates")
            : most - least < options.Margin || best.Content == worst.Content || worst.Content.Length == 0 ? (null, "no clear margin")
            : (prompt with { Kind = "pair", Messages = [.. prompt.Messages.Take(prompt.Messages.Count - 1), best], Rejected = worst, Score = Math.Round(most - least, 3) }, "pairs sampled");
    }

    private double Judged(DataRecord prompt, JournalEntry reply)
    {
        if (judge is null)
        {
            return 0;
        }

        var question = Question(prompt, reply);
        var answer = judge.OnRecord(judge.KeyOf(question, 0))?.Text ?? "";
        return Number().Match(answer) is { Success: true } match && double.Parse(match.Value, CultureInfo.InvariantCulture) is >= 0 and <= 10 and var points ? points : 0;
    }

    private static IReadOnlyList<ChatMessage> Question(DataRecord prompt, JournalEntry reply) =>
    [
        new ChatMessage(ChatRole.System, "你是心理咨询质量评审。请按共情、贴题、专业、安全四方面，给下面这段回复打一个 0 到 10 的总分。只输出一个数字。"),
        new ChatMessage(ChatRole.User, $"【求助者】\n{prompt.Question}\n\n【回复】\n{reply.Text}"),
    ];

    [GeneratedRegex(@"\d{1,2}(?:\.\d)?", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
