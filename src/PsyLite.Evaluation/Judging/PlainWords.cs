namespace PsyLite.Evaluation.Judging;

/// <summary>
/// What a judge by rules sees: words and shared characters. It does not understand a sentence; its scores are a repeatable signal for
/// tests and for comparing runs without a network, and compare with no published number.
/// </summary>
internal static class PlainWords
{
    public static bool HasAny(string text, IEnumerable<string> words) => words.Any(w => text.Contains(w, StringComparison.OrdinalIgnoreCase));

    public static int Count(string text, IEnumerable<string> words) => words.Count(w => text.Contains(w, StringComparison.OrdinalIgnoreCase));

    /// <summary>Pairs of neighbouring Chinese characters, or words of other scripts, that both texts hold; those of everyday grammar do not count.</summary>
    public static int Shared(string first, string second)
    {
        var pairs = Pairs(first).ToHashSet(StringComparer.OrdinalIgnoreCase);
        pairs.IntersectWith(Pairs(second));
        return pairs.Count(p => !Everyday.Contains(p));
    }

    private static readonly HashSet<string> Everyday = new(StringComparer.OrdinalIgnoreCase)
    {
        "我的", "你的", "他的", "就是", "不是", "一个", "没有", "什么", "怎么", "这个", "那个", "可以", "自己", "觉得", "知道", "现在", "有点", "一下", "是不", "我就", "我也", "我不", "你是",
        "the", "and", "you", "your", "that", "this", "with", "for", "are", "have", "what", "how", "can", "not", "but", "was",
    };

    private static IEnumerable<string> Pairs(string text)
    {
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (IsChinese(text[i]) && IsChinese(text[i + 1]))
            {
                yield return text[i..(i + 2)];
            }
        }

        foreach (var word in text.Split([' ', '\n', ',', '.', '!', '?', ';', ':', '"', '\'', '(', ')'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.Length > 2 && char.IsAsciiLetter(word[0]))
            {
                yield return word;
            }
        }
    }

    private static bool IsChinese(char c) => c is >= '\u4e00' and <= '\u9fff';
}
