using System.Diagnostics;
using System.Text.Json;
using PsyLite.DataPipeline;
using PsyLite.Tests.Store;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Records;
using PsyLite.Training.Data.Synthetic;

namespace PsyLite.Tests.DataPipeline;

/// <summary>
/// kill -9 at twenty moments of a real run against two teachers that fail in every way, the second checking the first: no turn is lost, no answer is paid for twice, and the report
/// and the bytes are those of a run that nobody disturbed.
/// </summary>
public sealed class DistillKillTests : IDisposable
{
    private const int Kills = 20;
    private const int Turns = 400;
    private readonly TemporaryFolder _folder = new();
    private readonly Random _random = new(11);

    public void Dispose() => _folder.Dispose();

    private string[] Arguments(FaultyTeacher teacher, string output) =>
    [
        "data", "distill", _folder["cp.json"], "--endpoint", teacher.Address.ToString(), "--model", "teacher",
        "--tries", "3", "--concurrency", "8", "--attempts", "14", "--delay", "0.02", "--timeout", "2", "--price-in", "10", "--price-out", "20",
        "--check-endpoint", teacher.Address.ToString(), "--check-model", "doubter", "--check-attempts", "14", "--check-delay", "0.02", "--check-timeout", "2", "--out", output,
    ];

    /// <summary>Keys that have an answer on disk.</summary>
    private HashSet<string> OnDisk()
    {
        var keys = new HashSet<string>();
        if (File.Exists(_folder["a.jsonl.journal"]))
        {
            using var file = File.OpenRead(_folder["a.jsonl.journal"]);
            foreach (var (_, _, bytes) in ByteLines.Read(file))
            {
                if (bytes is { } line && AnswerJournal.Read(line.Span) is { State: not JournalState.Asked } entry)
                {
                    keys.Add(entry.Key);
                }
            }
        }

        return keys;
    }

    [Fact]
    public async Task No_turn_is_lost_and_none_paid_twice_by_twenty_kills()
    {
        new SourceGenerator(TextCorpus.Read(Path.Combine(ReferenceGraphTests.Root, "corpora"))).Write(SyntheticKind.CPsyCoun, Turns, 6, _folder["cp.json"], default);
        await using var teacher = await FaultyTeacher.StartAsync();
        (teacher.FaultRate, teacher.Pace) = (0.2, TimeSpan.FromMilliseconds(60));
        var moments = new List<int>();
        for (var kill = 0; kill < Kills; kill++)
        {
            var settled = OnDisk();
            teacher.Settled = settled;
            var (before, more) = (teacher.Requests, _random.Next(1, 26));
            using var process = PsyliteProcess.Start(Arguments(teacher, _folder["a.jsonl"]));
            var clock = Stopwatch.StartNew();
            while (teacher.Requests < before + more && clock.Elapsed < TimeSpan.FromSeconds(30) && !process.HasExited)
            {
                await Task.Delay(2);
            }

            await Task.Delay(_random.Next(40));
            process.Kill();
            await process.WaitForExitAsync();
            moments.Add(OnDisk().Count - settled.Count);
            Assert.False(File.Exists(_folder["a.jsonl"]), "the run ended before the kills did");
        }

        Assert.True(moments.Count(m => m > 0) > 12, $"answers between kills: {string.Join(' ', moments)}");
        teacher.Settled = OnDisk();
        var (code, text, errors) = await PsyliteProcess.RunAsync(Arguments(teacher, _folder["a.jsonl"]));
        Assert.True(code == 0, errors);
        var report = JsonSerializer.Deserialize<JsonElement>(text);
        long Of(params string[] path) => path.Aggregate(report, (at, name) => at.GetProperty(name)).GetInt64();
        var failed = report.GetProperty("failed").EnumerateObject().Sum(f => f.Value.GetInt64());
        var rows = File.ReadLines(_folder["a.jsonl"]).Count();
        Assert.Equal((rows, 0), (Of("kept"), Of("unanswered")));
        Assert.Equal(Of("turns"), Of("kept") + failed);

        Assert.Equal(0, teacher.AskedAgain);
        Assert.Empty(teacher.Bills.Keys.Except(OnDisk()));
        Assert.True(Of("failed", "second teacher disagrees") > 10);

        // A whole answer was sent twice only where a kill came between sending and writing.
        Assert.InRange(teacher.Bills.Values.Sum(b => Math.Max(0, b - 1)), 0, Of("maybePaidTwice"));

        // What nobody disturbed gives the same bytes.
        (teacher.FaultRate, teacher.Pace, teacher.Settled) = (0, TimeSpan.Zero, []);
        await PsyliteProcess.RunAsync(Arguments(teacher, _folder["b.jsonl"]));
        Assert.Equal(File.ReadAllText(_folder["b.jsonl"]), File.ReadAllText(_folder["a.jsonl"]));
        var a = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(_folder["a.jsonl.manifest.json"])).GetProperty("counts").ToString();
        Assert.Equal(a, JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(_folder["b.jsonl.manifest.json"])).GetProperty("counts").ToString());
    }
}
