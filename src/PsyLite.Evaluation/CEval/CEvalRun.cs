using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.CEval;

/// <summary>A question as it was answered.</summary>
/// <param name="Chosen">A letter, or null where none could be told; never dropped.</param>
/// <param name="Shots">Examples that the model saw: fewer than asked for where its context has no room for more.</param>
public sealed record CEvalAnswer(CEvalQuestion Question, string? Chosen, string Said, IReadOnlyList<double>? LogLikelihoods, bool WasCut, int Shots)
{
    /// <summary>Null where the label is not published.</summary>
    public bool? IsRight => Question.Answer is null ? null : Chosen == Question.Answer;
}

/// <summary>A subject's accuracy; counts are of questions with a label.</summary>
public sealed record CEvalAccuracy(string Subject, string Chinese, string Category, bool IsHard, Proportion Right, int Unread);

/// <summary>What is asked and how.</summary>
public sealed record CEvalOptions(CEvalVariant Variant, string Split)
{
    public int Shots { get; init; } = Variant.Shots;

    public int MaxTokens { get; init; } = Variant.MaxTokens;

    public int Seed { get; init; } = 1;
}

/// <summary>Asks every question, and averages as the owners do: over the subjects of a category, the eight hard ones, and all.</summary>
public sealed class CEvalRun(Asker asker, CEvalOptions options)
{
    /// <summary>Marks of a chat template around one message; measured 5 for InternLM2.</summary>
    private const int TokensPerMessage = 8;

    private static readonly Dictionary<string, CEvalSubject> Subjects = CEvalSubject.All.ToDictionary(s => s.Id);

    public async Task<IReadOnlyList<CEvalAnswer>> RunAsync(CEvalData data, IProgress<RunProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        foreach (var subject in data.Questions.Select(q => q.Subject).Distinct())
        {
            if (data.Examples[subject].Count() < options.Shots)
            {
                throw new InvalidDataException($"{data.Folder}/dev/{subject}_dev.csv 的例题不足 {options.Shots} 道 · has fewer than {options.Shots} examples: complete it, or use --shots 0.");
            }
        }

        return await Rounds.RunAsync("C-Eval", data.Questions, asker.Model.Parallel, (question, token) => AnswerAsync(data, question, token), progress, cancellationToken);
    }

    public static IReadOnlyList<CEvalAccuracy> Accuracies(IReadOnlyList<CEvalAnswer> answers) =>
    [
        .. answers.Where(a => a.IsRight is not null).GroupBy(a => a.Question.Subject).Select(g => new CEvalAccuracy(
            g.Key, Subjects[g.Key].Chinese, Subjects[g.Key].Category, Subjects[g.Key].IsHard, Proportion.Count(g, a => a.IsRight == true), g.Count(a => a.Chosen is null))),
    ];

    /// <summary>The whole, hard and each category, as unweighted means over subjects.</summary>
    public static IReadOnlyList<Figure> Figures(IReadOnlyList<CEvalAnswer> answers, int seed)
    {
        var bySubject = answers.Where(a => a.IsRight is not null).GroupBy(a => a.Question.Subject)
            .Select(g => (Subject: Subjects[g.Key], Scores: (IReadOnlyList<double>)[.. g.Select(a => a.IsRight == true ? 1.0 : 0)])).ToList();
        Figure Of(string id, string chinese, string english, Func<CEvalSubject, bool> isIn) =>
            new(id, chinese, english, Bootstrap.MeanOfMeans([.. bySubject.Where(s => isIn(s.Subject)).Select(s => s.Scores)], seed), 1, IsShare: true);
        return
        [
            Of("accuracy", "总平均", "All subjects", _ => true),
            Of("hard", "Hard", "Eight hard subjects", s => s.IsHard),
            Of("stem", "理工", "STEM", s => s.Category == CEvalSubject.Stem),
            Of("social", "社科", "Social Science", s => s.Category == "Social Science"),
            Of("humanities", "人文", "Humanities", s => s.Category == "Humanities"),
            Of("other", "其他", "Other", s => s.Category == "Other"),
        ];
    }

    /// <summary>Questions with weights that make the whole's accuracy their sum.</summary>
    public static IReadOnlyList<ScoredItem> Items(IReadOnlyList<CEvalAnswer> answers)
    {
        var bySubject = answers.Where(a => a.IsRight is not null).GroupBy(a => a.Question.Subject).ToList();
        return [.. bySubject.SelectMany(g => g.Select(a => new ScoredItem(
            $"{g.Key}/{a.Question.Id}", Subjects[g.Key].Category, 1.0 / (bySubject.Count * g.Count()), new Dictionary<string, double> { ["accuracy"] = a.IsRight == true ? 1 : 0 })))];
    }

    /// <summary>The file that the owners' site takes for a split without labels: subject, number, letter.</summary>
    public static Dictionary<string, Dictionary<string, string>> Submission(IReadOnlyList<CEvalAnswer> answers) => answers.GroupBy(a => a.Question.Subject)
        .ToDictionary(g => g.Key, g => g.ToDictionary(a => a.Question.Id, a => a.Chosen ?? ""));

    private async Task<CEvalAnswer> AnswerAsync(CEvalData data, CEvalQuestion question, CancellationToken cancellationToken)
    {
        var subject = Subjects[question.Subject];
        var examples = data.Examples[question.Subject].Take(options.Shots).ToList();
        if (options.Variant.Form is CEvalForm.Text or CEvalForm.RoundsText)
        {
            var prompt = Fit(examples, 1, fewer => CEvalPrompt.Text(options.Variant, subject, fewer, question), text => asker.Model.CountTokens!(text));
            var chosen = await asker.ChooseAsync([.. CEvalQuestion.Letters.Select(letter => prompt + letter)], cancellationToken);
            return new CEvalAnswer(question, CEvalQuestion.Letters[int.Parse(chosen.Text, System.Globalization.CultureInfo.InvariantCulture)].ToString(), "", chosen.Scores, false, examples.Count);
        }

        var turns = Fit(examples, options.MaxTokens, fewer => CEvalPrompt.Turns(options.Variant, subject, fewer, question), t => t.Sum(m => asker.Model.CountTokens!(m.Text) + TokensPerMessage));
        var answer = await asker.AskAsync(turns, temperature: 0, options.MaxTokens, cancellationToken: cancellationToken);
        return new CEvalAnswer(question, AnswerReading.Read(answer.Text, options.Variant.Reading, options.Shots, question.Options), answer.Text, null, answer.Finish == "length", examples.Count);
    }

    /// <summary>A prompt that leaves room for the answer; the last examples go first where it would not, as OpenCompass does it.</summary>
    private T Fit<T>(List<CEvalQuestion> examples, int room, Func<IReadOnlyList<CEvalQuestion>, T> make, Func<T, int> count)
    {
        var limit = asker.Model is { CountTokens: not null, Facts.ContextLength: { } context } ? context - Math.Min(room, context / 3) - 2 : int.MaxValue;
        var prompt = make(examples);
        while (limit < int.MaxValue && examples.Count > 0 && count(prompt) > limit)
        {
            examples.RemoveAt(examples.Count - 1);
            prompt = make(examples);
        }

        return prompt;
    }
}
