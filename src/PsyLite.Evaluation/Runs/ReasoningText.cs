using System.Text.RegularExpressions;

namespace PsyLite.Evaluation.Runs;

/// <summary>
/// Takes reasoning out of whole answers before anything is read off them. Engines do so while they stream; one that does not, or an
/// answer cut off in the middle of its reasoning, must not have its thoughts taken for its answer.
/// </summary>
internal static partial class ReasoningText
{
    /// <summary>What was said outside of reasoning; of reasoning that never ends nothing is left, and a closing tag without an opening one ends reasoning that began in the prompt.</summary>
    public static string Strip(string text)
    {
        var rest = Closed().Replace(text, "");
        var unopened = Close().Matches(rest);
        rest = unopened.Count > 0 ? rest[(unopened[^1].Index + unopened[^1].Length)..] : rest;
        return Open().Match(rest) is { Success: true } open ? rest[..open.Index] : rest;
    }

    [GeneratedRegex("<(think|thinking|reasoning)>.*?</\\1>", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Closed();

    [GeneratedRegex("</(?:think|thinking|reasoning)>", RegexOptions.IgnoreCase)]
    private static partial Regex Close();

    [GeneratedRegex("<(?:think|thinking|reasoning)>", RegexOptions.IgnoreCase)]
    private static partial Regex Open();
}
