using PsyLite.Agent.Guard;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Data;
using PsyLite.Training.Data.Mix;
using PsyLite.Training.Data.Records;

namespace PsyLite.DataPipeline;

/// <summary>Counts a set of records for its page, row by row; memory grows by some 300 bytes a row.</summary>
/// <param name="tokens">Tokens of a text.</param>
internal sealed class DatasetCount(Func<string, int> tokens)
{
    /// <summary>Rows that are assessed and tokenised together.</summary>
    private const int Batch = 1024;

    /// <summary>Tokens that the chat template adds to a message.</summary>
    private const int TemplateTokens = 5;
    private readonly RiskAssessor _assessor = new();
    private readonly ReplyInspection _inspection = new();
    private readonly RepeatCount _repeats = new(0.8);
    private readonly SortedDictionary<string, List<int>> _lengths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, long>> _named = [];
    private long _tokens;
    private int _rows;
    private int _pairs;
    private int _reasoned;
    private int _personal;

    /// <summary>What is known of one record, computed beside the others of its batch.</summary>
    private sealed record Facts(DataRecord Record, int Prompt, int Reasoning, int Reply, int Rejected, Tier Tier, string? Rule, bool IsPersonal);

    public void Add(IEnumerable<DataRecord> records, CancellationToken cancellationToken)
    {
        foreach (var batch in records.Chunk(Batch))
        {
            var facts = new Facts[batch.Length];
            Parallel.For(0, batch.Length, new ParallelOptions { CancellationToken = cancellationToken }, i => facts[i] = Look(batch[i]));
            _repeats.Add([.. batch.Select(r => $"{r.Question}\n{r.Reply.Content}")]);
            foreach (var fact in facts)
            {
                Count(fact);
            }
        }
    }

    public DatasetFigures Figures(IReadOnlyList<string> files, long rejected, CancellationToken cancellationToken)
    {
        var (exact, near) = _repeats.Count(cancellationToken);
        return new DatasetFigures
        {
            Files = files,
            Rows = _rows,
            Pairs = _pairs,
            WithReasoning = _reasoned,
            Tokens = _tokens,
            Rejected = (int)rejected,
            ExactDuplicates = exact,
            NearDuplicates = near,
            WithPersonalData = _personal,
            Lengths = [.. new[] { "row", "prompt", "reasoning", "reply", "rejected" }.Where(_lengths.ContainsKey).Select(n => Lengths(n, _lengths[n]))],
            Turns = [.. Named("turns").OrderBy(c => int.Parse(c.Name, System.Globalization.CultureInfo.InvariantCulture))],
            Topics = Named("topic"),
            Kinds = Named("kind"),
            Sources = Named("source"),
            Licences = Named("licence"),
            Scores = [.. Named("score").OrderBy(c => double.Parse(c.Name, System.Globalization.CultureInfo.InvariantCulture))],
            Tiers = [.. Named("tier").OrderBy(c => c.Name, StringComparer.Ordinal)],
            Harms = Named("harm"),
            BrokenRules = Named("rule"),
        };
    }

    private Facts Look(DataRecord record)
    {
        var prompt = record.Messages.Take(record.Messages.Count - 1).Sum(m => tokens(m.Content) + TemplateTokens);
        var isPersonal = record.Messages.Any(m => PersonalData.Scrub(m.Content).Found + (m.Reasoning is { } r ? PersonalData.Scrub(r).Found : 0) > 0);
        return new Facts(
            record, prompt, record.Reply.Reasoning is { } reasoning ? tokens(reasoning) : 0, tokens(record.Reply.Content) + TemplateTokens,
            record.Rejected is { } other ? tokens(other.Content) + TemplateTokens : 0,
            _assessor.Assess(record.Question).Tier, _inspection.Broken(record.Reply.Content, record.Reply.Reasoning), isPersonal);
    }

    private void Count(Facts facts)
    {
        var record = facts.Record;
        _rows++;
        _pairs += record.Rejected is null ? 0 : 1;
        _reasoned += facts.Reasoning > 0 ? 1 : 0;
        _personal += facts.IsPersonal ? 1 : 0;
        _tokens += facts.Prompt + facts.Reasoning + facts.Reply + facts.Rejected;
        Length("prompt", facts.Prompt);
        Length("reply", facts.Reply);
        Length("row", facts.Prompt + facts.Reasoning + facts.Reply);
        if (facts.Reasoning > 0)
        {
            Length("reasoning", facts.Reasoning);
        }

        if (record.Rejected is not null)
        {
            Length("rejected", facts.Rejected);
        }

        Name("turns", $"{record.Messages.Count(m => m.Role == "user")}");
        Name("topic", record.Topic);
        Name("kind", record.Kind);
        Name("source", record.Source.Split('/')[0]);
        Name("licence", record.Licence ?? "未注明 unknown");
        Name("score", record.Score is { } score ? Math.Floor(score).ToString(System.Globalization.CultureInfo.InvariantCulture) : null);
        Name("tier", facts.Tier.ToString());
        Name("rule", facts.Rule);
        foreach (var harm in record.Safety ?? [])
        {
            Name("harm", harm);
        }
    }

    private void Length(string name, int count)
    {
        if (!_lengths.TryGetValue(name, out var list))
        {
            _lengths[name] = list = [];
        }

        list.Add(count);
    }

    private void Name(string kind, string? name)
    {
        if (name is { Length: > 0 })
        {
            var counts = _named.TryGetValue(kind, out var known) ? known : _named[kind] = [];
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }
    }

    private List<NamedCount> Named(string kind) =>
        _named.TryGetValue(kind, out var counts) ? [.. counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => new NamedCount(c.Key, c.Value))] : [];

    private static LengthFigures Lengths(string name, List<int> lengths)
    {
        lengths.Sort();
        var counts = new int[DatasetFigures.LengthClasses.Count];
        foreach (var length in lengths)
        {
            var at = 0;
            while (at < DatasetFigures.LengthEnds.Count && length > DatasetFigures.LengthEnds[at])
            {
                at++;
            }

            counts[at]++;
        }

        int At(double share) => lengths[Math.Min(lengths.Count - 1, (int)(share * lengths.Count))];
        return new LengthFigures(name, counts, At(0.5), At(0.9), At(0.99), lengths[^1]);
    }
}
