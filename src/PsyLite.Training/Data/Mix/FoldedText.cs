using System.Buffers;

namespace PsyLite.Training.Data.Mix;

/// <summary>Text as it is compared: letters, digits and characters alone, lower case and half width, so that layout and punctuation make no difference.</summary>
internal static class FoldedText
{
    private const char WideFirst = '\uff01';
    private const char WideLast = '\uff5e';
    private const int WideOffset = 0xfee0;

    /// <summary>Appends the folded text.</summary>
    public static void Fold(ReadOnlySpan<char> text, ArrayBufferWriter<char> into)
    {
        var target = into.GetSpan(text.Length);
        var count = 0;
        foreach (var raw in text)
        {
            var c = raw is >= WideFirst and <= WideLast ? (char)(raw - WideOffset) : raw;
            if (c is >= 'A' and <= 'Z')
            {
                target[count++] = (char)(c | 0x20);
            }
            else if (c is >= 'a' and <= 'z' or >= '0' and <= '9' or >= '\u4e00' and <= '\u9fff' || (c >= '\u00aa' && char.IsLetterOrDigit(c)) || char.IsSurrogate(c))
            {
                target[count++] = char.ToLowerInvariant(c);
            }
        }

        into.Advance(count);
    }

    public static string Fold(string text)
    {
        var buffer = new ArrayBufferWriter<char>(Math.Max(1, text.Length));
        Fold(text, buffer);
        return new string(buffer.WrittenSpan);
    }
}
