using System.Text.Json;

namespace PsyLite.Training.Running;

/// <summary>
/// A JSONL file of objects with a <c>step</c>. A resumed run first takes out what lies behind the step it goes on from, so that each step
/// stands there once, however often the run was killed.
/// </summary>
internal sealed class StepLog : IDisposable
{
    private readonly StreamWriter _writer;

    /// <param name="lastStep">Lines up to this step stay; 0 begins a new file.</param>
    public StepLog(string path, int lastStep)
    {
        Kept = lastStep == 0 || !File.Exists(path) ? [] : [.. File.ReadLines(path).Where(line => StepOf(line) is { } step && step <= lastStep)];
        File.WriteAllLines(path + ".part", Kept);
        File.Move(path + ".part", path, overwrite: true);
        _writer = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    /// <summary>Lines of earlier runs that stayed.</summary>
    public IReadOnlyList<string> Kept { get; }

    public void Write(string line) => _writer.WriteLine(line);

    public void Dispose() => _writer.Dispose();

    /// <summary>Null for a line that a kill cut off.</summary>
    private static int? StepOf(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.TryGetProperty("step", out var step) && step.TryGetInt32(out var number) ? number : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
