using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Globalization;
using PsyLite.Training.Data.Mix;
using PsyLite.Training.Data.Records;

namespace PsyLite.Commands;

/// <summary>What a data command says at its end, and what its manifest keeps of its options.</summary>
internal sealed class DataSummary
{
    /// <summary>Where files go does not shape what is in them.</summary>
    private static readonly string[] Unshaping = ["--out", "--endpoint", "--check-endpoint", "--judge-endpoint", "--concurrency", "--rpm", "--tpm"];
    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>Options as the user gave them; of paths the names alone, so that a manifest does not depend on where the project lies.</summary>
    public SortedDictionary<string, string> OptionsOf(ParseResult parsed)
    {
        var given = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in parsed.CommandResult.Children.OfType<OptionResult>().Where(o => o is { Implicit: false } && !Unshaping.Contains(o.Option.Name)))
        {
            given[option.Option.Name] = string.Join(' ', option.Tokens.Select(t => Path.Exists(t.Value) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(t.Value)) : WithoutFolder(t.Value)));
        }

        if (parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => Path.GetFileName(Path.TrimEndingDirectorySeparator(t.Value))).ToList() is { Count: > 0 } files)
        {
            given["files"] = string.Join(' ', files);
        }

        return given;
    }

    public void Print(DataManifest manifest)
    {
        foreach (var (name, rows) in manifest.Counts)
        {
            Console.WriteLine($"{name}: {rows.ToString("N0", CultureInfo.InvariantCulture)}");
        }

        foreach (var file in manifest.Outputs.Where(o => o.Rows > 0))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Name}: {file.Rows:N0} rows, {file.Bytes / 1e6:F1} MB, sha256 {file.Sha256[..12]}…"));
        }

        using var process = Process.GetCurrentProcess();
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_started).TotalSeconds:F1} s, {process.PeakWorkingSet64 / 1e6:F0} MB"));
    }

    /// <summary>A source may carry its share behind a colon.</summary>
    private static string WithoutFolder(string value) => value.LastIndexOf(':') is > 0 and var colon && Path.Exists(value[..colon])
        ? Path.GetFileName(Path.TrimEndingDirectorySeparator(value[..colon])) + value[colon..]
        : value;
}

/// <summary>A bar for each source that is read; nothing when piped.</summary>
internal sealed class DataBars : IMixWatch, IDisposable
{
    private TransferBar? _bar;

    public IProgress<long> Begin(string step, long bytes)
    {
        _bar?.Dispose();
        _bar = new TransferBar(step, bytes);
        return new Counting(_bar);
    }

    public void Dispose() => _bar?.Dispose();

    private sealed class Counting(TransferBar bar) : IProgress<long>
    {
        public void Report(long value) => bar.Add(value);
    }
}
