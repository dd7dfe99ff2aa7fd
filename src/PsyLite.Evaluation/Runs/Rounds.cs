namespace PsyLite.Evaluation.Runs;

/// <summary>How far a run is.</summary>
public sealed record RunProgress(string What, int Done, int Total);

/// <summary>Many questions at once, results in the order of the questions.</summary>
public static class Rounds
{
    public static async Task<TResult[]> RunAsync<T, TResult>(
        string what, IReadOnlyList<T> items, int parallel, Func<T, CancellationToken, Task<TResult>> ask, IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        var results = new TResult[items.Count];
        var done = 0;
        progress?.Report(new RunProgress(what, 0, items.Count));
        await Parallel.ForAsync(0, items.Count, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken }, async (i, token) =>
        {
            results[i] = await ask(items[i], token);
            progress?.Report(new RunProgress(what, Interlocked.Increment(ref done), items.Count));
        });
        return results;
    }
}
