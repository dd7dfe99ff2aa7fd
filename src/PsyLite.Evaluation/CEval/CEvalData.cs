using System.Globalization;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.CEval;

/// <summary>A question with four options.</summary>
/// <param name="Id">Its number within subject and split.</param>
/// <param name="Options">A to D.</param>
/// <param name="Answer">A letter; null where the labels are not published.</param>
public sealed record CEvalQuestion(string Subject, string Id, string Text, IReadOnlyList<string> Options, string? Answer, string Explanation)
{
    public const string Letters = "ABCD";
}

/// <summary>A split's questions, and the worked examples of each subject.</summary>
public sealed record CEvalData(IReadOnlyList<CEvalQuestion> Questions, ILookup<string, CEvalQuestion> Examples, string Folder, string Sha256)
{
    /// <summary>Reads <c>{split}/{subject}_{split}.csv</c>, as the set is published, of every subject that is there.</summary>
    /// <exception cref="InvalidDataException">There is none, or one is not as it should be.</exception>
    public static CEvalData Read(string folder, string split, IReadOnlyCollection<string>? subjects = null)
    {
        var files = new DataFiles(folder);
        var chosen = CEvalSubject.All.Where(s => subjects is null || subjects.Contains(s.Id)).ToList();
        List<CEvalQuestion> OfSplit(string part) => [.. chosen.Where(s => File.Exists(Path.Combine(folder, Name(s, part)))).SelectMany(s => Parse(s.Id, files.Read(Name(s, part)), Path.Combine(folder, Name(s, part))))];
        var questions = OfSplit(split);
        return questions.Count > 0
            ? new CEvalData(questions, OfSplit("dev").ToLookup(q => q.Subject), folder, files.Sha256)
            : throw new InvalidDataException($"{folder} 里没有 {split}/科目_{split}.csv · There is no {split}/SUBJECT_{split}.csv in {folder}: unpack the data set as it is published, or take eval-sets/ceval.");
    }

    /// <exception cref="InvalidDataException">A column is missing, or an answer is none of A to D.</exception>
    internal static IEnumerable<CEvalQuestion> Parse(string subject, string text, string source)
    {
        List<Dictionary<string, string>> rows;
        try
        {
            rows = CsvTable.Read(text, source);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException(e.Message, e);
        }

        return rows.Select((row, i) => Question(subject, row, i, source)).ToList();
    }

    private static CEvalQuestion Question(string subject, Dictionary<string, string> row, int number, string source)
    {
        string Column(string name) => row.GetValueOrDefault(name) ?? throw new InvalidDataException($"{source}: there is no column \"{name}\".");
        var answer = row.GetValueOrDefault("answer")?.Trim() ?? "";
        return answer is "" or "A" or "B" or "C" or "D"
            ? new CEvalQuestion(
                subject,
                row.GetValueOrDefault("id") is { Length: > 0 } id ? id : number.ToString(CultureInfo.InvariantCulture),
                Column("question"),
                [.. CEvalQuestion.Letters.Select(letter => Column(letter.ToString()))],
                answer.Length > 0 ? answer : null,
                row.GetValueOrDefault("explanation") ?? "")
            : throw new InvalidDataException($"{source}: the answer \"{answer}\" of row {number + 2} is none of A, B, C, D.");
    }

    private static string Name(CEvalSubject subject, string split) => $"{split}/{subject.Id}_{split}.csv";
}
