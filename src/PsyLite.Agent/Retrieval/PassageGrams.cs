using System.Collections.Frozen;

namespace PsyLite.Agent.Retrieval;

/// <summary>
/// Cuts text into the runs of characters that retrieval counts. Pairs carry meaning in Chinese and need no word list; characters
/// that only hold sentences together are left out.
/// </summary>
public static class PassageGrams
{
    private const string Fillers = "的了是我你他她它们在有和就不都也很这那个一上着过吗吧呢啊呀啦哈嘿嗯哦么什怎说太好真今天";

    /// <summary>Full-width forms U+FF01..U+FF5E stand this far above their ASCII twins.</summary>
    private const int FullWidthOffset = 0xFEE0;

    private static readonly FrozenDictionary<char, char> Simplified = EmbeddedText.Read("Tables.traditional.txt")
        .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>One spelling for both scripts, both widths and both cases; the length stays the same.</summary>
    public static string Fold(string text) => string.Create(text.Length, text, static (folded, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            var c = source[i] is >= '\uFF01' and <= '\uFF5E' ? (char)(source[i] - FullWidthOffset) : source[i];
            folded[i] = Simplified.GetValueOrDefault(c, char.ToLowerInvariant(c));
        }
    });

    /// <summary>All runs of <paramref name="size"/> meaningful characters, in order, repeats included. The text is folded already.</summary>
    public static IEnumerable<string> Of(string folded, int size)
    {
        var run = 0;
        for (var i = 0; i < folded.Length; i++)
        {
            run = IsMeaningful(folded[i]) ? run + 1 : 0;
            if (run >= size)
            {
                yield return folded.Substring(i - size + 1, size);
            }
        }
    }

    public static bool IsMeaningful(char c) => char.IsLetterOrDigit(c) && !Fillers.Contains(c);
}
