using System.Text.RegularExpressions;
using PsyLite.Agent.Guard;
using PsyLite.Training.Data.Records;

namespace PsyLite.DataPipeline;

/// <summary>Bounds of a chain of thought.</summary>
internal sealed record GateOptions
{
    /// <summary>Characters.</summary>
    public int Shortest { get; init; } = 40;

    public int Longest { get; init; } = 4000;

    /// <summary>Least share of Chinese, by <see cref="TextLanguage"/>.</summary>
    public double Chinese { get; init; } = 0.7;

    /// <summary>Longest stretch of the answer that may be repeated word for word, as a share of the answer.</summary>
    public double Copied { get; init; } = 0.6;

    /// <summary>Least share of the answer's two-character pieces that the reasoning has, too: a reasoning about something else has next to none.</summary>
    public double Supported { get; init; } = 0.05;
}

/// <summary>What became of a teacher's text: the reasoning ready to be used, or the gate that stopped it.</summary>
internal readonly record struct GateVerdict(string Reasoning, string? Gate);

/// <summary>
/// Decides whether a chain of thought may be taught: whole, in Chinese, of a sensible length, about this question and this answer, without a word of
/// the answer having been shown, without methods or doses, and with personal data taken out. A pure function of turn and text.
/// </summary>
internal sealed partial class ReasoningGates(GateOptions options)
{
    private const int LeastPieces = 12;
    private readonly ReplyInspection _inspection = new();

    public GateVerdict Check(DataRecord turn, JournalEntry answer)
    {
        var text = PersonalData.Scrub(Frame().Replace(answer.Text.Trim(), "").Trim()).Text;
        return new GateVerdict(text, Broken(turn, text, answer.Finish));
    }

    private string? Broken(DataRecord turn, string text, string finish)
    {
        var answer = turn.Reply.Content;
        return text.Length == 0 ? "empty"
            : finish is "length" or "content_filter" ? "cut off"
            : text.Length < options.Shortest || text.Length > options.Longest ? "length"
            : TextLanguage.ChineseShare(text) < options.Chinese ? "language"
            : Refusal().IsMatch(text) ? "refusal"
            : Label().IsMatch(text) ? "label leaked"
            : Markup().IsMatch(text) ? "markup"
            : LongestCommon(text, answer) > Math.Max(24, options.Copied * answer.Length) ? "answer copied"
            : !IsAbout(turn, text) ? "inconsistent"
            : _inspection.Broken("", text) is { } rule ? rule
            : null;
    }

    /// <summary>The reasoning shares pieces with the answer and with what the person said.</summary>
    private bool IsAbout(DataRecord turn, string text)
    {
        var pieces = Pieces(text);
        var answer = Pieces(turn.Reply.Content);
        var said = Pieces(string.Concat(turn.Messages.Where(m => m.Role == "user").Select(m => m.Content + "\n")));
        return (answer.Count < LeastPieces || answer.Count(pieces.Contains) >= options.Supported * answer.Count)
            && (said.Count < LeastPieces || said.Count(pieces.Contains) >= 2);
    }

    private static HashSet<int> Pieces(string text)
    {
        var pieces = new HashSet<int>();
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsLetterOrDigit(text[i]) && char.IsLetterOrDigit(text[i + 1]))
            {
                pieces.Add((text[i] << 16) | text[i + 1]);
            }
        }

        return pieces;
    }

    /// <summary>Length of the longest common stretch; time grows with the product of the lengths, both of which are bounded.</summary>
    private static int LongestCommon(string left, string right)
    {
        var row = new int[right.Length + 1];
        var longest = 0;
        foreach (var c in left)
        {
            for (var j = right.Length; j > 0; j--)
            {
                row[j] = c == right[j - 1] ? row[j - 1] + 1 : 0;
                longest = Math.Max(longest, row[j]);
            }
        }

        return longest;
    }

    [GeneratedRegex(@"\A(?:```\w*\s*|</?think(?:ing)?>\s*|(?:内心)?思考(?:过程)?[:：]\s*)+|(?:\s*```|\s*</think(?:ing)?>)+\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Frame();

    [GeneratedRegex("(?:抱歉|对不起)[，,]?我(?:无法|不能|没办法)|作为(?:一个|一名)?(?:AI|人工智能|语言模型)|as an ai|i (?:cannot|can't) (?:help|assist)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Refusal();

    /// <summary>Words by which a reasoning shows that its author had the answer before him.</summary>
    [GeneratedRegex("(?:标准|参考|正确|给定的?|已知的?|提供的|预期的?|目标)(?:答案|回复|回答|答复)|(?:答案|回复|回答)(?:已经)?(?:给出|给定|提供)|题目(?:中|里|给出|要求)|(?:根据|按照|对照|结合)(?:上述|上面|下面|所给|给出)的?(?:回复|回答|答案)|(?:这段|该|上述)(?:回复|回答)(?:中|里|体现|运用|使用)|咨询师的回复|【[^】]{0,12}(?:回复|对话|最后一句话)】|the (?:given|provided|reference) (?:answer|response|reply)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Label();

    [GeneratedRegex(@"</?think|<\|im_|<\|[a-z_]+\|>|^#{1,4} |```", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Markup();
}
