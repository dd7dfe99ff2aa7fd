using PsyLite.Evaluation.Judging;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>How turns become one number.</summary>
public enum CounsellingAggregation
{
    /// <summary>Mean over a dialogue's turns, two decimals, then over dialogues.</summary>
    PerDialogue,

    /// <summary>Mean over all turns, long dialogues counting more.</summary>
    Pooled,
}

/// <summary>What stands before the model.</summary>
public enum CounsellingForm
{
    /// <summary>The protocol's one message: persona, history quoted, the client's words.</summary>
    Official,

    /// <summary>History as turns, without persona.</summary>
    Chat,
}

public sealed record CounsellingOptions
{
    public CounsellingScale Scale { get; init; } = CounsellingScale.Notebook;

    public CounsellingAggregation Aggregation { get; init; }

    public CounsellingForm Form { get; init; }

    public float Temperature { get; init; }

    public int MaxTokens { get; init; } = 1024;

    public int Seed { get; init; } = 1;
}

/// <summary>A reply and what each judge made of it.</summary>
public sealed record JudgedTurn(CounsellingTurn Turn, Answer Reply, IReadOnlyList<Verdict> Verdicts);

/// <summary>Asks a model for every client turn after its gold history, and has each reply judged.</summary>
public sealed class CounsellingRun(Asker asker, IReadOnlyList<ModelJudge> judges, CounsellingOptions options)
{
    /// <summary>Judges in order; the judge by rules where no model judges.</summary>
    public IReadOnlyList<JudgeFacts> Judges => judges.Count > 0 ? [.. judges.Select(j => j.Facts)] : [JudgeFacts.Rules];

    /// <summary>What was said to model and judge, word for word, with holes in braces.</summary>
    public static IReadOnlyDictionary<string, string> Prompts(CounsellingOptions options, bool hasModelJudge)
    {
        var prompts = new Dictionary<string, string>();
        if (options.Form == CounsellingForm.Official)
        {
            prompts["受测模型 model"] = CounsellingPrompts.Persona;
        }

        if (hasModelJudge)
        {
            prompts["评分者 judge"] = CounsellingPrompts.JudgeFor(options.Scale);
        }

        return prompts;
    }

    public async Task<IReadOnlyList<JudgedTurn>> RunAsync(CounsellingData data, IProgress<RunProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var turns = data.Dialogues.SelectMany(d => d.Turns()).ToList();
        var replies = await Rounds.RunAsync("回应 replies", turns, asker.Model.Parallel, (turn, token) => asker.AskAsync(
            options.Form == CounsellingForm.Chat ? CounsellingPrompts.AskAsChat(turn) : CounsellingPrompts.Ask(turn), options.Temperature, options.MaxTokens, cancellationToken: token), progress, cancellationToken);
        var verdicts = new List<Verdict[]>();
        foreach (var judge in judges)
        {
            verdicts.Add(await Rounds.RunAsync($"评分 {judge.Name}", [.. turns.Zip(replies)], judge.Parallel, (pair, token) => judge.JudgeAsync(
                CounsellingPrompts.ToJudge(pair.First, pair.Second.Text, options.Scale), said => CounsellingPrompts.Read(said, options.Scale), CounsellingPrompts.Reminder, token), progress, cancellationToken));
        }

        return
        [
            .. turns.Zip(replies).Select((pair, i) => new JudgedTurn(pair.First, pair.Second, judges.Count == 0
                ? [new Verdict(CounsellingRules.Score(pair.First, pair.Second.Text, options.Scale), "", 1)]
                : [.. verdicts.Select(v => v[i])])),
        ];
    }

    /// <summary>Scores of dialogues by one judge. A turn that the judge's answer could not be read for is missing from its dialogue's mean, and counted.</summary>
    /// <param name="judge">Its place among <see cref="Judges"/>.</param>
    public static IReadOnlyList<ScoredItem> Items(IReadOnlyList<JudgedTurn> turns, CounsellingAggregation aggregation, int judge = 0)
    {
        var dialogues = turns.GroupBy(t => t.Turn.Dialogue).Select(g => (Dialogue: g.Key, Scores: g.Select(t => t.Verdicts[judge].Scores).OfType<IReadOnlyList<double>>().ToList())).ToList();
        var read = (double)dialogues.Sum(d => d.Scores.Count);
        var judged = (double)dialogues.Count(d => d.Scores.Count > 0);
        return
        [
            .. dialogues.Select(d => new ScoredItem(
                $"{d.Dialogue.Topic}/{d.Dialogue.Id}",
                d.Dialogue.Topic,
                d.Scores.Count == 0 ? 0 : aggregation == CounsellingAggregation.Pooled ? d.Scores.Count / read : 1 / judged,
                d.Scores.Count == 0 ? new Dictionary<string, double>() : CounsellingScale.Metrics.Index().ToDictionary(m => m.Item.Id, m =>
                {
                    var mean = d.Scores.Average(s => s[m.Index]);
                    return aggregation == CounsellingAggregation.Pooled ? mean : Math.Round(mean, 2, MidpointRounding.AwayFromZero);
                }))),
        ];
    }

    /// <summary>The four scores with intervals over dialogues.</summary>
    public static IReadOnlyList<Figure> Figures(IReadOnlyList<ScoredItem> items, CounsellingScale scale, int seed) =>
    [
        .. CounsellingScale.Metrics.Select((metric, i) => new Figure(
            metric.Id, metric.Chinese, metric.English,
            Bootstrap.Of([.. items.Where(d => d.Scores.ContainsKey(metric.Id))], d => d.Sum(x => x.Weight * x.Scores[metric.Id]) / d.Sum(x => x.Weight), seed), scale[i])),
    ];
}
