using System.Diagnostics;
using System.Text;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>Turns the tokens of one reply into text: whole characters only, cut at stop strings, handed over in small batches.</summary>
internal sealed class ReplyText
{
    private static readonly TimeSpan HandoverInterval = TimeSpan.FromMilliseconds(8);

    private readonly Vocabulary vocabulary;
    private readonly StopText stops;
    private readonly TextHandover handover;
    private readonly Decoder utf8 = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder ready = new();
    private char[] characters = new char[64];
    private long lastHandover;

    public ReplyText(Vocabulary vocabulary, IReadOnlyList<string> stops, TextHandover handover)
    {
        this.vocabulary = vocabulary;
        this.stops = new StopText(stops);
        this.handover = handover;
    }

    /// <summary>Adds a token; true when a stop string has been reached.</summary>
    public bool Add(int token)
    {
        var piece = vocabulary.Piece(token);
        if (characters.Length <= piece.Length)
        {
            characters = new char[piece.Length * 2];
        }

        var count = utf8.GetChars(piece, characters, flush: false);
        var stopped = stops.Append(characters.AsSpan(0, count), ready);
        if (ready.Length > 0 && Stopwatch.GetElapsedTime(lastHandover) >= HandoverInterval)
        {
            handover.Write(ready);
            lastHandover = Stopwatch.GetTimestamp();
        }

        return stopped;
    }

    /// <summary>Hands over the rest. Bytes of a character that never became whole are dropped.</summary>
    public void Finish()
    {
        stops.Flush(ready);
        handover.Write(ready);
    }
}
