using System.Text;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Retrieval;

namespace PsyLite.Commands;

/// <summary>
/// Makes any number of distinct passages out of the words of our pieces, the same ones for the same seed: words are drawn as often as they
/// occur, so that common grams are as common as in real text, and strung into lines.
/// </summary>
internal sealed class PassageComposer
{
    private const int WordsInPassage = 34;
    private const int WordsInLine = 6;
    private readonly string[] _words;
    private readonly string[] _glue;

    public PassageComposer(IEnumerable<CrosstalkPiece> pieces)
    {
        var words = new List<string>();
        var glue = new List<string>();
        foreach (var text in pieces.SelectMany(p => p.Themes.Concat(p.Lines.Select(l => l[2..]))))
        {
            Cut(PassageGrams.Fold(text), words, glue);
        }

        _words = [.. words];
        _glue = [.. glue];
        if (_words.Length == 0)
        {
            throw new InvalidDataException("there are no pieces to take words from; check --crosstalk.");
        }
    }

    public string Passage(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        for (var i = 0; i < WordsInPassage; i++)
        {
            text.Append(Word(random));
            text.Append(i % WordsInLine == WordsInLine - 1 ? "，" : random.Next(3) == 0 ? _glue[random.Next(_glue.Length)] : "");
        }

        return text.ToString();
    }

    /// <summary>Something a person might say: a few words of one passage and a few of none.</summary>
    public string Query(int seed, string passage)
    {
        var random = new Random(seed);
        var start = random.Next(Math.Max(1, passage.Length - 12));
        return $"今天{passage.Substring(start, Math.Min(random.Next(4, 9), passage.Length - start))}了，{Word(random)}{Word(random)}好开心";
    }

    private string Word(Random random) => _words[random.Next(_words.Length)];

    /// <summary>Runs of meaningful characters in words of two or three; what stands between them is the glue.</summary>
    private static void Cut(string text, List<string> words, List<string> glue)
    {
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && PassageGrams.IsMeaningful(text[i]))
            {
                continue;
            }

            for (var left = i - start; left > 1; left = i - start)
            {
                var size = left == 3 ? 3 : 2;
                words.Add(text.Substring(start, size));
                start += size;
            }

            if (i < text.Length && char.IsLetter(text[i]))
            {
                glue.Add(text[i].ToString());
            }

            start = i + 1;
        }
    }
}
