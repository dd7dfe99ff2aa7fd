namespace PsyLite.Web;

/// <summary>
/// What a screen reader is told of a growing reply: sentences when they are finished, each once, and what is left when the reply is over.
/// </summary>
internal sealed class SentenceReader
{
    private const string Ends = "。！？!?…\n";
    private string _told = "";

    /// <summary>The sentences that are new in the reply so far, in plain text.</summary>
    public IReadOnlyList<string> Read(string reply, bool isOver)
    {
        if (!reply.StartsWith(_told, StringComparison.Ordinal))
        {
            // The guard put other words in the place of the reply: those are told from the beginning.
            _told = "";
        }

        var end = isOver ? reply.Length : EndOfSentence(reply);
        if (end <= _told.Length)
        {
            return [];
        }

        var news = ReplyMarkdown.Plain(reply[_told.Length..end]);
        _told = reply[..end];
        return news.Length > 0 ? [news] : [];
    }

    /// <summary>Just after the last mark that ends a sentence; a full stop counts only before a space, as it is no decimal point there.</summary>
    private static int EndOfSentence(string text)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            if (Ends.Contains(text[i], StringComparison.Ordinal) || (text[i] == '.' && i + 1 < text.Length && char.IsWhiteSpace(text[i + 1])))
            {
                return i + 1;
            }
        }

        return 0;
    }
}
