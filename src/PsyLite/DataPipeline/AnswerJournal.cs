using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PsyLite.Training.Data.Records;

namespace PsyLite.DataPipeline;

/// <summary>What a journal line says of a request.</summary>
internal enum JournalState
{
    /// <summary>It is about to be sent; without an answer it may have been paid for.</summary>
    Asked,
    Answered,

    /// <summary>The teacher will not take this request; asking again would not help.</summary>
    Refused,
}

/// <summary>One line of the journal. <paramref name="Finish"/> is the teacher's reason to stop; tokens are as it counted them.</summary>
internal sealed record JournalEntry(string Key, JournalState State, string Text = "", string Finish = "", long InputTokens = 0, long OutputTokens = 0)
{
    /// <summary>What the model thought before the text, where it tells both apart.</summary>
    public string Reasoning { get; init; } = "";
}

/// <summary>
/// Every answer of a teacher, appended and flushed to the disk before it counts: lines of eight hexadecimal digits (the first of the SHA-256 of the
/// rest), a space, JSON. A torn last line is cut off when the file is opened again, a damaged one is counted and asked for anew. Answers
/// stay on disk; memory holds their places. One process at a time; safe for concurrent use within it.
/// </summary>
internal sealed class AnswerJournal : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private const int Mark = 9;
    private readonly Lock _gate = new();
    private readonly FileStream _file;
    private readonly Dictionary<string, (long Start, int Length)> _settled = [];
    private readonly HashSet<string> _asked = [];

    private AnswerJournal(FileStream file) => _file = file;

    /// <summary>Lines whose checksum did not fit when the file was opened.</summary>
    public int Damaged { get; private set; }

    /// <summary>Bytes of a torn last line that were cut off.</summary>
    public long Torn { get; private set; }

    /// <summary>Requests that were sent again because no answer to them was on record, in all runs together: at most these were paid for twice.</summary>
    public int Repeated { get; private set; }

    public int Settled
    {
        get
        {
            lock (_gate)
            {
                return _settled.Count;
            }
        }
    }

    /// <exception cref="InvalidDataException">Another process writes to it.</exception>
    public static AnswerJournal Open(string path)
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (IOException fault) when (File.Exists(path))
        {
            throw new InvalidDataException($"{path} is in use: another run writes to it; wait for it, or give another --out.", fault);
        }

        var journal = new AnswerJournal(file);
        journal.Recover();
        return journal;
    }

    /// <returns>The answer or refusal on record; null when there is none.</returns>
    public JournalEntry? Find(string key)
    {
        byte[] line;
        lock (_gate)
        {
            if (!_settled.TryGetValue(key, out var place))
            {
                return null;
            }

            line = new byte[place.Length];
            for (var read = 0; read < line.Length;)
            {
                var got = RandomAccess.Read(_file.SafeFileHandle, line.AsSpan(read), place.Start + read);
                read += got > 0 ? got : throw new EndOfStreamException("the journal was cut off while it was in use.");
            }
        }

        return Read(line) ?? throw new InvalidDataException("the journal was changed while it was in use.");
    }

    /// <summary>On the disk when this returns.</summary>
    public void Add(JournalEntry entry)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry, Json);
        byte[] line = [.. Encoding.ASCII.GetBytes(Sum(json) + " "), .. json, (byte)'\n'];
        lock (_gate)
        {
            var start = _file.Length;
            _file.Seek(start, SeekOrigin.Begin);
            _file.Write(line);
            _file.Flush(flushToDisk: true);
            Note(entry, start, line.Length - 1);
        }
    }

    public void Dispose() => _file.Dispose();

    internal static JournalEntry? Read(ReadOnlySpan<byte> line)
    {
        if (line.Length <= Mark || line[Mark - 1] != ' ' || !line[..(Mark - 1)].SequenceEqual(Encoding.ASCII.GetBytes(Sum(line[Mark..]))))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<JournalEntry>(line[Mark..], Json) is { Key: not null, Text: not null, Finish: not null } entry ? entry : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Sum(ReadOnlySpan<byte> json)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(json, hash);
        return Convert.ToHexStringLower(hash[..4]);
    }

    private void Note(JournalEntry entry, long start, int length)
    {
        if (entry.State == JournalState.Asked)
        {
            Repeated += _asked.Add(entry.Key) ? 0 : 1;
            return;
        }

        _settled[entry.Key] = (start, length);
    }

    private void Recover()
    {
        CutTornLine();
        _file.Position = 0;
        foreach (var (_, start, bytes) in ByteLines.Read(_file))
        {
            if (bytes is { Length: 0 })
            {
                continue;
            }

            if (bytes is { } line && Read(line.Span) is { } entry)
            {
                Note(entry, start, line.Length);
            }
            else
            {
                Damaged++;
            }
        }
    }

    private void CutTornLine()
    {
        var length = _file.Length;
        var buffer = new byte[1 << 16];
        for (var end = length; end > 0;)
        {
            var from = Math.Max(0, end - buffer.Length);
            var part = buffer.AsSpan(0, (int)(end - from));
            _file.Position = from;
            _file.ReadExactly(part);
            if (part.LastIndexOf((byte)'\n') is >= 0 and var feed)
            {
                Cut(from + feed + 1);
                return;
            }

            end = from;
        }

        Cut(0);

        void Cut(long at)
        {
            Torn = length - at;
            if (Torn > 0)
            {
                _file.SetLength(at);
                _file.Flush(flushToDisk: true);
            }
        }
    }
}
