using PsyLite.Agent.Retrieval;

namespace PsyLite.Store.Conversations;

/// <summary>Words that are looked for: in either script, width and case. Every word has to be there.</summary>
internal sealed class SearchText
{
    /// <summary>Characters shown before and after the first word that was found.</summary>
    private const int Around = 24;
    private readonly string[] _words;

    public SearchText(string words) => _words = PassageGrams.Fold(words).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    public bool IsEmpty => _words.Length == 0;

    /// <summary>The text around the words on one line; null when they are not all there.</summary>
    public string? Excerpt(string text)
    {
        var folded = PassageGrams.Fold(text);
        var first = int.MaxValue;
        foreach (var word in _words)
        {
            var at = folded.IndexOf(word, StringComparison.Ordinal);
            if (at < 0)
            {
                return null;
            }

            first = Math.Min(first, at);
        }

        // Folding keeps every character in its place.
        var start = Math.Max(0, first - Around);
        var end = Math.Min(text.Length, first + _words[0].Length + Around);
        start -= start > 0 && char.IsLowSurrogate(text[start]) ? 1 : 0;
        end += end < text.Length && char.IsLowSurrogate(text[end]) ? 1 : 0;
        return $"{(start > 0 ? "…" : "")}{text[start..end].ReplaceLineEndings(" ")}{(end < text.Length ? "…" : "")}";
    }
}
