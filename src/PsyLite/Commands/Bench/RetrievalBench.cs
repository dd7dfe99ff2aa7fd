using System.CommandLine;
using System.Diagnostics;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Retrieval;
using PsyLite.Options;
using PsyLite.Store;

namespace PsyLite.Commands.Bench;

/// <summary><c>psylite bench retrieval</c>: builds an index on disk and asks it, beside BM25 over everything in memory.</summary>
internal static class RetrievalBench
{
    /// <summary>Passages up to which the peer, which keeps every posting in memory, is measured.</summary>
    private const int MostForPeer = 200_000;
    private const int Dimensions = 384;
    private const int ColdSearches = 40;
    private const int Asked = 10;

    public static Command Create()
    {
        var passages = new Option<int>("--passages") { Description = "段数 · passages", DefaultValueFactory = _ => 1_000_000 };
        var queries = new Option<int>("--queries") { Description = "查询数 · queries", DefaultValueFactory = _ => 1000 };
        var vectors = new Option<bool>("--vectors") { Description = "连向量一起测 · measure vectors as well" };
        var folder = new Option<string?>("--folder") { Description = "放索引的目录 · where to build the index, and to find it again; a temporary folder by default" };
        var command = new Command("retrieval", "检索速度 · speed of retrieval from disk\n  psylite bench retrieval --passages 100000") { passages, queries, vectors, folder };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var place = parsed.GetValue(folder) ?? Path.Combine(Path.GetTempPath(), $"psylite-bench-{Guid.NewGuid():N}");
            Directory.CreateDirectory(place);
            var index = Path.Combine(place, "bench.db");
            try
            {
                await RunAsync(index, parsed.GetValue(passages), parsed.GetValue(queries), parsed.GetValue(vectors), cancellationToken);
            }
            finally
            {
                if (parsed.GetValue(folder) is null)
                {
                    Directory.Delete(place, recursive: true);
                }
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    private static async Task RunAsync(string index, int passages, int queries, bool withVectors, CancellationToken cancellationToken)
    {
        var composer = new PassageComposer(CrosstalkLibrary.FromFolder(AppOptions.FromEnvironment().Crosstalk).Pieces);
        var name = $"{passages} passages on disk";
        if (!File.Exists(index) || !IsWhole(index, passages))
        {
            Build(index, composer, passages, name, cancellationToken);
        }

        new BenchLine("retrieval", name, "indexBytes", new FileInfo(index).Length, "B").Print();
        var asked = Enumerable.Range(0, queries).Select(i => composer.Query(i, composer.Passage((int)((long)i * 7919 % passages)))).ToArray();
        await ColdAsync(index, name, asked, cancellationToken);
        var answers = new List<IReadOnlyList<PassageHit>>();
        await using (var file = File.OpenRead(index))
        {
            // Warm means that the system holds the file in memory; the cold case has just thrown it out.
            await file.CopyToAsync(Stream.Null, 1 << 20, cancellationToken);
        }

        using var search = new SqlitePassageSearch(index);
        foreach (var query in asked.Take(50))
        {
            await search.SearchAsync(query, Asked, cancellationToken);
        }

        var times = await TimesAsync(asked, async query => answers.Add(await search.SearchAsync(query, Asked, cancellationToken)));
        var peer = Peer(composer, passages, asked, answers, name);
        new BenchLine("retrieval", name + ", warm", "p50Ms", At(times, 0.5), "ms", "BM25 in memory", peer is null ? null : At(peer, 0.5)).Print();
        new BenchLine("retrieval", name + ", warm", "p95Ms", At(times, 0.95), "ms", "BM25 in memory", peer is null ? null : At(peer, 0.95)).Print();
        new BenchLine("retrieval", name + ", warm", "p99Ms", At(times, 0.99), "ms", "BM25 in memory", peer is null ? null : At(peer, 0.99)).Print();
        var found = answers.Select((hits, i) => hits.Any(h => h.Key == $"p{(long)i * 7919 % passages}")).Count(f => f);
        new BenchLine("retrieval", name, "sourceInTop10", (double)found / queries, "share").Print();
        new BenchLine("retrieval", name, "peakRss", Process.GetCurrentProcess().PeakWorkingSet64, "B").Print();
        if (withVectors)
        {
            Vectors(Path.ChangeExtension(index, ".vec"), passages, cancellationToken);
        }
    }

    private static bool IsWhole(string index, int passages)
    {
        using var reader = new PassageIndexReader(index);
        return reader.Facts.Passages == passages;
    }

    private static void Build(string index, PassageComposer composer, int passages, string name, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        using var writer = new PassageIndexWriter(index);
        for (var i = 0; i < passages; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var text = composer.Passage(i);
            writer.Add($"p{i}", "", text, text);
        }

        writer.Publish();
        new BenchLine("retrieval", name, "buildSeconds", clock.Elapsed.TotalSeconds, "s").Print();
    }

    /// <summary>Searches right after the system was told to forget the file, each through a fresh connection.</summary>
    private static async Task ColdAsync(string index, string name, string[] asked, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        foreach (var query in asked.Take(ColdSearches))
        {
            if (await BenchPeer.RunAsync("dd", [$"if={index}", "iflag=nocache", "count=0", "status=none"], "GNU dd (coreutils) empties the cache for the cold case.", cancellationToken) is null)
            {
                return;
            }

            using var search = new SqlitePassageSearch(index);
            var start = Stopwatch.GetTimestamp();
            await search.SearchAsync(query, Asked, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        new BenchLine("retrieval", name + ", cold", "p50Ms", At(times, 0.5), "ms").Print();
        new BenchLine("retrieval", name + ", cold", "p95Ms", At(times, 0.95), "ms").Print();
    }

    /// <summary>Times of the exact search, and how many of its ten best ours finds too; null when it would need too much memory.</summary>
    private static List<double>? Peer(PassageComposer composer, int passages, string[] asked, List<IReadOnlyList<PassageHit>> answers, string name)
    {
        if (passages > MostForPeer)
        {
            Console.Error.WriteLine($"psylite: BM25 in memory is measured up to {MostForPeer} passages; run again with --passages {MostForPeer}.");
            return null;
        }

        var exact = new PassageIndex(Enumerable.Range(0, passages).Select(composer.Passage));
        var shared = 0.0;
        var times = new List<double>();
        for (var i = 0; i < asked.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var best = exact.Search(asked[i], Asked);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            shared += (double)answers[i].Count(h => best.Any(b => h.Key == $"p{b.Passage}")) / Math.Max(1, best.Count);
        }

        times.Sort();
        new BenchLine("retrieval", name, "sharedTop10WithExactBm25", shared / asked.Length, "share").Print();
        return times;
    }

    private static void Vectors(string path, int rows, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        var vector = new float[Dimensions];
        using (var writer = new VectorFileWriter(path, Dimensions))
        {
            for (var row = 0; row < rows; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Fill(vector, random);
                writer.Add(vector);
            }
        }

        using var file = new VectorFile(path, rows);
        var times = new List<double>();
        for (var i = 0; i < 110; i++)
        {
            Fill(vector, random);
            var start = Stopwatch.GetTimestamp();
            file.Nearest(vector, Asked, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.RemoveRange(0, 10);
        times.Sort();
        var name = $"{rows} vectors of {Dimensions} on disk, warm";
        new BenchLine("retrieval", name, "p50Ms", At(times, 0.5), "ms").Print();
        new BenchLine("retrieval", name, "p95Ms", At(times, 0.95), "ms").Print();
        new BenchLine("retrieval", name, "bytesScanned", (long)rows * VectorFile.WordsOf(Dimensions) * 8, "B").Print();
        File.Delete(path);
    }

    private static void Fill(float[] vector, Random random)
    {
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = random.NextSingle() - 0.5f;
        }
    }

    private static async Task<List<double>> TimesAsync(string[] asked, Func<string, Task> search)
    {
        var times = new List<double>();
        foreach (var query in asked)
        {
            var start = Stopwatch.GetTimestamp();
            await search(query);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return times;
    }

    private static double At(List<double> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
}
