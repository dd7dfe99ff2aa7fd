using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace PsyLite.Agent.Risk;

/// <summary>
/// Folds a message to the plain spelling that the rules are written in: width, case, compatibility forms, traditional
/// characters, Cantonese words, pinyin, emoji; and undoes splitting and reversing. Globalisation is invariant in this
/// program, where string.Normalize knows ASCII only, so the tables are our own.
/// </summary>
internal sealed class TextNormaliser
{
    private readonly FrozenDictionary<int, string> _compatibility;
    private readonly FrozenDictionary<char, char> _traditional;
    private readonly FrozenDictionary<char, (string From, string To)[]> _spellings;
    private readonly SearchValues<char> _spellingStarts;

    public TextNormaliser()
    {
        _compatibility = ReadCompatibility();
        _traditional = EmbeddedText.Read("Tables.traditional.txt").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .ToFrozenDictionary(pair => pair[0], pair => pair[1]);
        _spellings = ReadSpellings().GroupBy(s => s.From[0])
            .ToFrozenDictionary(g => g.Key, g => g.OrderByDescending(s => s.From.Length).ToArray());
        _spellingStarts = SearchValues.Create([.. _spellings.Keys]);
    }

    public bool IsTraditional(char c) => _traditional.ContainsKey(c);

    /// <summary>The plain spelling of <paramref name="text"/>.</summary>
    public NormalisedText Fold(string text)
    {
        var view = new ViewBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var status = Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used);
            if (status == OperationStatus.Done)
            {
                AppendFolded(view, rune, i, i + used);
            }

            i += used;
        }

        return Respell(view.Build());
    }

    /// <summary>Folds one character of a pattern, so that patterns and messages meet in the same spelling.</summary>
    public string FoldPatternChar(char c)
    {
        var view = new ViewBuilder(1);
        AppendFolded(view, new Rune(c), 0, 1);
        return view.Build().Text;
    }

    /// <summary>
    /// What is written like "不 想 活" or "死.一.下", put together, each time with the words around it; null when nothing is split that way.
    /// </summary>
    public static NormalisedText? Joined(NormalisedText view)
    {
        const int around = 12;
        var text = view.Text;
        ViewBuilder? joined = null;
        var copied = 0;
        for (var i = 0; i < text.Length;)
        {
            var end = SplitRunEnd(text, i);
            if (end < 0)
            {
                i++;
                continue;
            }

            joined ??= new ViewBuilder(text.Length);
            joined.Copy(view, Math.Max(copied, i - around), i);
            for (var k = i; k < end; k++)
            {
                if (!IsSeparator(text[k]))
                {
                    joined.Copy(view, k, k + 1);
                }
            }

            copied = Math.Min(text.Length, end + around);
            joined.Copy(view, end, copied);
            i = end;
        }

        return joined?.Build();
    }

    /// <summary>The Chinese characters of a short message read backwards.</summary>
    public static NormalisedText? Reversed(NormalisedText view)
    {
        const int longest = 24;
        if (view.Text.Length is < 4 or > longest)
        {
            return null;
        }

        var reversed = new ViewBuilder(view.Text.Length);
        for (var i = view.Text.Length - 1; i >= 0; i--)
        {
            reversed.Copy(view, i, i + 1);
        }

        return reversed.Build();
    }

    internal static bool IsHan(char c) => c is >= '\u3400' and <= '\u9FFF';

    private static bool IsSeparator(char c) =>
        !char.IsLetterOrDigit(c) && c is not ('〔' or '〕' or '?' or '!' or '\n');

    /// <summary>End of a run of at least three single Chinese characters kept apart by one or two separators each; -1 if none starts here.</summary>
    private static int SplitRunEnd(string text, int start)
    {
        if (!IsHan(text[start]) || (start > 0 && IsHan(text[start - 1])))
        {
            return -1;
        }

        var singles = 1;
        var end = start + 1;
        while (true)
        {
            var next = end;
            while (next < text.Length && next - end < 2 && IsSeparator(text[next]))
            {
                next++;
            }

            var alone = next > end && next < text.Length && IsHan(text[next]) && (next + 1 == text.Length || !IsHan(text[next + 1]));
            if (!alone)
            {
                break;
            }

            end = next + 1;
            singles++;
        }

        return singles >= 3 ? end : -1;
    }

    private void AppendFolded(ViewBuilder view, Rune rune, int start, int end)
    {
        var value = rune.Value;
        if (value < 0x80)
        {
            view.Append((char)(value is >= 'A' and <= 'Z' ? value + 32 : value is '\t' or '\r' ? ' ' : value), start, end);
            return;
        }

        if (IsInvisible(rune))
        {
            return;
        }

        if (value <= char.MaxValue && _traditional.TryGetValue((char)value, out var simplified))
        {
            view.Append(simplified, start, end);
        }
        else if (!IsHanOrSymbol(value) && _compatibility.TryGetValue(value, out var plain))
        {
            foreach (var c in plain)
            {
                view.Append(c, start, end);
            }
        }
        else
        {
            Span<char> units = stackalloc char[2];
            var count = Rune.ToLowerInvariant(rune).EncodeToUtf16(units);
            for (var k = 0; k < count; k++)
            {
                view.Append(units[k], start, end);
            }
        }
    }

    private static bool IsHanOrSymbol(int value) => value is >= 0x3400 and <= 0x9FFF;

    private static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
        || rune.Value is 0x3164 or 0x115F or 0x1160 or 0xFFA0;

    private NormalisedText Respell(NormalisedText view)
    {
        var text = view.Text;
        ViewBuilder? result = null;
        var copied = 0;
        for (var i = 0; i < text.Length;)
        {
            var skip = text.AsSpan(i).IndexOfAny(_spellingStarts);
            if (skip < 0)
            {
                break;
            }

            i += skip;
            var match = FindSpelling(text, i);
            if (match is not { } spelling)
            {
                i++;
                continue;
            }

            result ??= new ViewBuilder(text.Length);
            result.Copy(view, copied, i);
            var last = i + spelling.From.Length - 1;
            foreach (var c in spelling.To)
            {
                result.Append(c, view.Starts[i], view.Ends[last]);
            }

            i = copied = last + 1;
        }

        if (result is null)
        {
            return view;
        }

        result.Copy(view, copied, text.Length);
        return result.Build();
    }

    private (string From, string To)? FindSpelling(string text, int at)
    {
        foreach (var spelling in _spellings[text[at]])
        {
            if (string.CompareOrdinal(text, at, spelling.From, 0, spelling.From.Length) == 0
                && (!char.IsAsciiLetter(spelling.From[0]) || IsWholeWord(text, at, spelling.From.Length)))
            {
                return spelling;
            }
        }

        return null;
    }

    private static bool IsWholeWord(string text, int at, int length) =>
        (at == 0 || !char.IsAsciiLetter(text[at - 1])) && (at + length == text.Length || !char.IsAsciiLetter(text[at + length]));

    private static FrozenDictionary<int, string> ReadCompatibility()
    {
        var table = new Dictionary<int, string>();
        foreach (var line in EmbeddedText.Read("Tables.compatibility.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var space = line.IndexOf(' ');
            var range = line[..space].Split('-');
            var first = int.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var last = range.Length == 1 ? first : int.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var plain = line[(space + 1)..];
            for (var value = first; value <= last; value++)
            {
                table[value] = range.Length == 1 ? plain : ((char)(plain[0] + value - first)).ToString();
            }
        }

        return table.ToFrozenDictionary();
    }

    private static IEnumerable<(string From, string To)> ReadSpellings() =>
        EmbeddedText.Read("Tables.spellings.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#')
            .Select(line => line.Split('\t'))
            .Select(parts => (parts[0], parts[1].TrimEnd('\r')));

    private sealed class ViewBuilder(int capacity)
    {
        private readonly StringBuilder _text = new(capacity);
        private readonly List<int> _starts = new(capacity);
        private readonly List<int> _ends = new(capacity);

        public void Append(char c, int start, int end)
        {
            if (c == ' ' && _text.Length > 0 && _text[^1] == ' ')
            {
                return;
            }

            _text.Append(c);
            _starts.Add(start);
            _ends.Add(end);
        }

        public void Copy(NormalisedText from, int start, int end)
        {
            for (var i = start; i < end; i++)
            {
                Append(from.Text[i], from.Starts[i], from.Ends[i]);
            }
        }

        public NormalisedText Build() => new(_text.ToString(), [.. _starts], [.. _ends]);
    }
}
