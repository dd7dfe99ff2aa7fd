using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Evaluation.Runs;

/// <summary>
/// Answers as they came, one a line, found by a hash of everything they depend on. A run that was stopped, even by a power cut, finds
/// here what it had; a line cut short at the end is dropped. Thread-safe.
/// </summary>
public sealed class Journal : IDisposable
{
    private readonly Dictionary<string, Answer> _answers = [];
    private readonly FileStream _file;
    private readonly Lock _gate = new();

    private readonly FileStream _lock;

    private Journal(FileStream file, FileStream @lock) => (_file, _lock) = (file, @lock);

    /// <summary>Answers that this run took from an earlier one.</summary>
    public int Found { get; private set; }

    /// <summary>Answers that this run added.</summary>
    public int Added { get; private set; }

    /// <exception cref="IOException">Another run writes it.</exception>
    public static Journal Open(string path)
    {
        FileStream held;
        try
        {
            // Beside the journal, so that a run under way can be looked at; the system lets go of it when the process ends, however it ends.
            held = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path + ".lock"))
        {
            throw new IOException($"{path} 正被另一次运行写入 · is being written by another run: wait for it, or choose another --out folder.", e);
        }

        var journal = new Journal(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite), held);
        journal.Read();
        return journal;
    }

    /// <summary>Where an answer to this is found. Parts are told apart by a character that no text holds.</summary>
    public static string Key(params IEnumerable<string> parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001f', parts))));

    public async Task<Answer> FindOrAddAsync(string key, Func<Task<Answer>> ask)
    {
        lock (_gate)
        {
            if (_answers.TryGetValue(key, out var known))
            {
                Found++;
                return known;
            }
        }

        var answer = await ask();
        if (answer.Finish == Answer.Refused)
        {
            // The same command may find an engine that takes it.
            return answer;
        }

        var line = Encoding.UTF8.GetBytes(ReportJson.WriteLine(new Entry(key, answer)) + "\n");
        lock (_gate)
        {
            Added++;
            _answers[key] = answer;
            _file.Write(line);
            _file.Flush();
        }

        return answer;
    }

    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    private void Read()
    {
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        var whole = 0;
        for (var end = Array.IndexOf(bytes, (byte)'\n'); end >= 0; end = Array.IndexOf(bytes, (byte)'\n', end + 1))
        {
            if (Parse(bytes.AsSpan(whole, end - whole)) is { } entry)
            {
                _answers[entry.Key] = entry.Answer;
            }

            whole = end + 1;
        }

        _file.SetLength(whole);
        _file.Position = whole;
    }

    private static Entry? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return ReportJson.Read<Entry>(Encoding.UTF8.GetString(line)) is { Key: not null, Answer: { Text: not null } } entry ? entry : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Entry(string Key, Answer Answer);
}
