using System.Text.Json;

namespace PsyLite.Training.Data.Records;

/// <summary>
/// Rows that could not be used, as JSON lines <c>{"file","line","reason"}</c>: nothing is dropped silently. The text of the row is not repeated.
/// </summary>
public sealed class RejectedRows : IDisposable
{
    private readonly OutputFile _file;

    private RejectedRows(OutputFile file) => _file = file;

    public long Count => _file.Rows;

    public static string PathOf(string output) => output + ".rejected.jsonl";

    public static RejectedRows Create(string output) => new(OutputFile.Create(PathOf(output)));

    public void Add(string file, long line, string reason) =>
        _file.WriteLine(JsonSerializer.SerializeToUtf8Bytes(new { file = Path.GetFileName(file), line, reason = reason.ReplaceLineEndings(" ") }, DataRecord.Json));

    public OutputFacts Commit() => _file.Commit();

    public void Dispose() => _file.Dispose();
}
