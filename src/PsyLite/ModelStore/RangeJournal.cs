using System.Globalization;
using System.Text;

namespace PsyLite.ModelStore;

/// <summary>
/// Which bytes of a partial file are on disk, as lines appended to a file beside it: first the validator of the server's copy, then one
/// finished range a line. A line that was not written to its end counts for nothing.
/// </summary>
internal sealed class RangeJournal : IDisposable
{
    public const string PartialSuffix = ".partial";
    private readonly Lock _gate = new();
    private readonly FileStream _stream;
    private readonly List<(long Start, long End)> _ranges = [];

    private RangeJournal(FileStream stream, string? validator) => (_stream, Validator) = (stream, validator);

    /// <summary>ETag of the copy that the ranges come from; null while no server has named one.</summary>
    public string? Validator { get; private set; }

    /// <summary>Bytes that need not be fetched again.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _ranges.Sum(r => r.End - r.Start);
            }
        }
    }

    public static string PathOf(string partial) => partial + ".ranges";

    /// <summary>Opens the journal of a partial file of this length; an unreadable one is begun anew.</summary>
    public static RangeJournal Open(string partial, long length)
    {
        var path = PathOf(partial);
        var lines = File.Exists(path) && File.Exists(partial) ? Lines(File.ReadAllBytes(path)) : [];
        var journal = new RangeJournal(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1), null);
        foreach (var line in lines)
        {
            if (line.StartsWith("etag ", StringComparison.Ordinal) && line.Length > 5)
            {
                journal.SetValidator(line[5..]);
            }
            else if (line.Split(' ') is [var first, var last] && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
                && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && start < end && end <= length)
            {
                journal.Add(start, end);
            }
        }

        return journal;
    }

    public void SetValidator(string validator)
    {
        lock (_gate)
        {
            Validator = validator;
            Append($"etag {validator}\n");
        }
    }

    /// <summary>Call after the bytes have been flushed.</summary>
    public void Add(long start, long end)
    {
        lock (_gate)
        {
            Append(string.Create(CultureInfo.InvariantCulture, $"{start} {end}\n"));
            _ranges.Add((start, end));
            _ranges.Sort();
            for (var i = _ranges.Count - 1; i > 0; i--)
            {
                if (_ranges[i].Start <= _ranges[i - 1].End)
                {
                    _ranges[i - 1] = (_ranges[i - 1].Start, Math.Max(_ranges[i - 1].End, _ranges[i].End));
                    _ranges.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>Forgets everything: the server's copy is another one now.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _ranges.Clear();
            Validator = null;
            _stream.SetLength(0);
        }
    }

    /// <summary>What is still to be fetched, in parts of at most so many bytes.</summary>
    public IEnumerable<(long Start, long End)> Missing(long length, long partBytes)
    {
        (long Start, long End)[] done;
        lock (_gate)
        {
            done = [.. _ranges, (length, length)];
        }

        var at = 0L;
        foreach (var (start, end) in done)
        {
            for (; at < start; at = Math.Min(at + partBytes, start))
            {
                yield return (at, Math.Min(at + partBytes, start));
            }

            at = Math.Max(at, end);
        }
    }

    public void Dispose() => _stream.Dispose();

    private static List<string> Lines(byte[] bytes)
    {
        // A torn last line may look like a shorter number, so only lines that end count.
        var text = Encoding.Latin1.GetString(bytes);
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private void Append(string line)
    {
        // The line feed in front keeps a line that a full disk tore from running into this one; what is left of a torn range is part of it.
        _stream.Seek(0, SeekOrigin.End);
        _stream.Write(Encoding.ASCII.GetBytes("\n" + line));
        _stream.Flush(flushToDisk: true);
    }
}
