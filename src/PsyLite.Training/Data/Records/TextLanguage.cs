namespace PsyLite.Training.Data.Records;

/// <summary>What a text is written in, roughly.</summary>
public static class TextLanguage
{
    /// <summary>Share of Chinese characters among letters and characters; a Latin word counts as one. 1 for a text without either.</summary>
    public static double ChineseShare(ReadOnlySpan<char> text)
    {
        var (chinese, words, inWord) = (0, 0, false);
        foreach (var c in text)
        {
            var isChinese = c is >= '\u3400' and <= '\u9fff';
            var isLetter = !isChinese && char.IsLetter(c);
            chinese += isChinese ? 1 : 0;
            words += isLetter && !inWord ? 1 : 0;
            inWord = isLetter;
        }

        return chinese + words == 0 ? 1 : (double)chinese / (chinese + words);
    }
}
