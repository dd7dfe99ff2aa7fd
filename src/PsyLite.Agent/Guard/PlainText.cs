using System.Collections.Frozen;

namespace PsyLite.Agent.Guard;

/// <summary>
/// Text in the spelling that the guard's rules are written in: simplified characters, half width, lower case. Every character stays in its
/// place, so that a position in the plain text is one in the reply.
/// </summary>
internal static class PlainText
{
    /// <summary>Cantonese words of one character, as pairs.</summary>
    private const string Cantonese = "係是喺在唔不嘅的佢他畀给冇没咗了嚟来啲些嗰那";
    private const string Marks = "，,。。：:；;！!？?（(）)　 ～~〈<〉>＜<＞>［[］]’'‘'";
    private static readonly FrozenDictionary<char, char> Table = Read();

    public static char Fold(char c) => Table.TryGetValue(c, out var plain) ? plain
        : c is >= '！' and <= '～' ? char.ToLowerInvariant((char)(c - 0xFEE0))
        : char.ToLowerInvariant(c);

    public static string Fold(string text) => string.Create(text.Length, text, (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = Fold(source[i]);
        }
    });

    private static FrozenDictionary<char, char> Read()
    {
        var pairs = EmbeddedText.Read("Tables.traditional.txt").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Where(p => p.Length == 2).Select(p => (p[0], p[1]))
            .Concat(Pairs(Cantonese)).Concat(Pairs(Marks));
        var table = new Dictionary<char, char>();
        foreach (var (from, to) in pairs)
        {
            table[from] = to;
        }

        return table.ToFrozenDictionary();
    }

    private static IEnumerable<(char From, char To)> Pairs(string text) => text.Chunk(2).Select(p => (p[0], p[1]));
}
