using System.Text.RegularExpressions;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.CEval;

/// <summary>Finds the chosen option in what a model said. Reasoning goes first: any capital in it would count as the answer.</summary>
internal static partial class AnswerReading
{
    /// <summary>Ways to name an option, the surest first; where several places match, the last one concludes.</summary>
    private static readonly Regex[] Patterns = [Named(), Chosen(), Right(), Alone(), Ending()];

    /// <summary>A letter, or null where none can be told.</summary>
    public static string? Read(string said, CEvalReading reading, int shots, IReadOnlyList<string> options)
    {
        var text = ReasoningText.Strip(said).Trim();
        return reading switch
        {
            CEvalReading.ExactOrPattern when shots > 0 => Exact(text),
            CEvalReading.ExactOrPattern => Exact(text) ?? LastMatch(text),
            CEvalReading.Conclusion => Conclusion(text, options),
            CEvalReading.FirstCapital => text.FirstOrDefault(char.IsUpper) is var c && c != default ? Letter(c.ToString()) ?? c.ToString() : null,
            CEvalReading.FirstOption => FirstMatch(text),
            _ => throw new ArgumentOutOfRangeException(nameof(reading), reading, "This reading takes likelihoods, not words."),
        };
    }

    /// <summary>Exact match after normalising: nothing but the letter, spaces and punctuation.</summary>
    private static string? Exact(string text) => Letter(new string([.. text.Where(c => !char.IsPunctuation(c) && !char.IsWhiteSpace(c) && !char.IsSymbol(c))]).ToUpperInvariant());

    private static string? Conclusion(string text, IReadOnlyList<string> options)
    {
        foreach (var pattern in (Regex[])[Is(), Was(), OptionIs()])
        {
            if (pattern.Matches(text) is { Count: > 0 } found)
            {
                var said = found[^1].Groups[1].Value.Trim();
                var option = options.Select(o => o.Trim()).ToList().IndexOf(said);
                return Exact(said) ?? (option >= 0 ? CEvalQuestion.Letters[option].ToString() : null);
            }
        }

        return null;
    }

    private static string? LastMatch(string text) => Patterns.Select(p => p.Matches(text)).Where(m => m.Count > 0).Select(m => m[^1].Groups[1].Value).FirstOrDefault();

    private static string? FirstMatch(string text) =>
        Patterns.Select(p => p.Match(text)).Where(m => m.Success).Select(m => m.Groups[1].Value).FirstOrDefault()
        ?? (text.FirstOrDefault(c => CEvalQuestion.Letters.Contains(c)) is var letter && letter != default ? letter.ToString() : null);

    private static string? Letter(string text) => text is "A" or "B" or "C" or "D" ? text : null;

    [GeneratedRegex("答案是(.+?)。")]
    private static partial Regex Is();

    [GeneratedRegex("答案为(.+?)。")]
    private static partial Regex Was();

    [GeneratedRegex("选项(.+?)是正确的。")]
    private static partial Regex OptionIs();

    [GeneratedRegex("(?:答案|[Aa]nswer)(?:应该|应当|应)?(?:是|为|选|is)?[\\s:：*（(]*(?:选项)?\\s*([ABCD])(?![A-Za-z])")]
    private static partial Regex Named();

    [GeneratedRegex("(?:应该选|应选|故选|因此选|所以选|选择|我选|选)(?:项)?[\\s:：*（(]*([ABCD])(?![A-Za-z])")]
    private static partial Regex Chosen();

    [GeneratedRegex("([ABCD])\\s*(?:项|选项)?\\s*(?:是|为)?(?:正确|对的)")]
    private static partial Regex Right();

    [GeneratedRegex("^[\\s*（(]*([ABCD])(?:[\\s.．、。:：*）)]|$)")]
    private static partial Regex Alone();

    [GeneratedRegex("(?:[\\s，,：:。是为]|因此|所以|即|故)([ABCD])[\\s。.*）)]*$")]
    private static partial Regex Ending();
}
