using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Retrieval;

namespace PsyLite.Agent.Humour;

/// <summary>
/// What a piece has to fit: the person's own words of late, and the hard things that came up anywhere in the conversation. Made from
/// what the person said and nothing else; no prompt, no reply and no fold ever becomes a query.
/// </summary>
public sealed partial class Situation
{
    /// <summary>Meaningful pairs below which the newest message says too little by itself ("来一段吧").</summary>
    private const int EnoughPairs = 3;
    private const int LongestWords = 300;
    private const int MostEarlier = 3;
    private readonly string _said;
    private readonly HashSet<string> _troubles;
    private readonly HashSet<string> _pairs;
    private readonly IReadOnlyList<string> _liked;

    private Situation(string words, string said, IReadOnlyList<string> liked)
    {
        _liked = liked;
        Words = words;
        _said = said;
        _troubles = Troubles.In(said);
        var folded = PassageGrams.Fold(words);
        _pairs = [.. PassageGrams.Of(folded, 2), .. PassageGrams.Of(folded, 1)];
    }

    /// <summary>What to search with: at most a few hundred characters.</summary>
    public string Words { get; }

    /// <param name="liked">Themes of which the person asked for more.</param>
    public static Situation Of(IReadOnlyList<ChatMessage> messages, IReadOnlyList<string>? liked = null)
    {
        var said = messages.Where(m => m.Role == ChatRole.User).Select(m => m.Text ?? "").ToList();
        var words = "";
        for (var i = said.Count - 1; i >= Math.Max(0, said.Count - 1 - MostEarlier) && PassageGrams.Of(PassageGrams.Fold(words), 2).Take(EnoughPairs).Count() < EnoughPairs; i--)
        {
            words = $"{words}\n{Mood().Replace(Wish().Replace(said[i], " "), " ")}".Trim();
        }

        return new Situation(words.Length > LongestWords ? words[..LongestWords] : words, string.Join('\n', said), liked ?? []);
    }

    /// <summary>True when something that the piece is unfit for came up, in its words or in others for the same thing.</summary>
    public bool MakesUnfit(CrosstalkPiece piece) =>
        piece.Unfit.Any(tag => _said.Contains(tag, StringComparison.OrdinalIgnoreCase) || Troubles.In(tag).Overlaps(_troubles));

    /// <summary>How much of what the piece is about was spoken of.</summary>
    internal int SharedThemes(CrosstalkPiece piece) =>
        piece.Themes.Append(piece.Title).Count(t => _pairs.Contains(t) || PassageGrams.Of(PassageGrams.Fold(t), 2).Any(_pairs.Contains));

    /// <summary>How much of what the piece is about the person wanted more of.</summary>
    internal int LikedThemes(CrosstalkPiece piece) => piece.Themes.Count(_liked.Contains);

    /// <summary>Words that ask for a piece say nothing about what it should be about.</summary>
    [GeneratedRegex("(?:请|能|可以|快|帮我|给我|再)*(?:来|讲|说|听|想听|整|找|换|放)(?:我)?(?:一|两|几)?(?:段|个|点|首)?(?:儿)?(?:相声|笑话|段子|好玩的|搞笑的)(?:吧|吗|听听|呗|好不好)?|逗逗?我(?:笑|乐|开心)?(?:一下|吧)?|相声|笑话|段子")]
    private static partial Regex Wish();

    /// <summary>How glad somebody is says nothing about what; left in, it would find the pieces in which people are glad.</summary>
    [GeneratedRegex("开心|高兴|高興|快乐|快樂|幸福|激动|激動|兴奋|感动|欢喜|特别|非常|超级|真的|终于|終於|总算|居然|竟然|太棒|好棒|哈哈+|嘿嘿+|嘻嘻+|死了|谢谢|心情|感觉|觉得|没想到")]
    private static partial Regex Mood();
}
