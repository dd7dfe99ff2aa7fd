using System.Reflection;

namespace PsyLite.Evaluation.CEval;

/// <summary>One of the 52 subjects.</summary>
/// <param name="Id">As in the names of its files.</param>
/// <param name="Chinese">As in the prompt.</param>
public sealed record CEvalSubject(string Id, string Chinese, string Category, bool IsHard)
{
    public const string Stem = "STEM";

    /// <summary>All of them, in the order of their publication.</summary>
    public static IReadOnlyList<CEvalSubject> All { get; } = Read();

    private static List<CEvalSubject> Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("PsyLite.Evaluation.subjects.tsv")
            ?? throw new InvalidOperationException("The list of subjects is not embedded.");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Select(p => new CEvalSubject(p[0], p[1], p[2], p.Length > 3))];
    }
}
