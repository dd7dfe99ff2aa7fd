using System.Text.Json;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Mix;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Pairs;

/// <summary>Where pairs come from and which of them are taken.</summary>
public sealed record PairOptions
{
    public IReadOnlyList<SourceOptions> Sources { get; init; } = [];

    /// <summary>Folders of pairs written by hand.</summary>
    public IReadOnlyList<string> Corpora { get; init; } = [];

    /// <summary>The labels of the first line of reasoning, for the folders of <see cref="Corpora"/>.</summary>
    public ComposerPrompts Prompts { get; init; } = new("", "", "", "");

    /// <summary>Pairs that were made in this run, such as those sampled from a model.</summary>
    public IReadOnlyList<DataRecord> Made { get; init; } = [];

    /// <summary>Files that those were made from, and what became of their rows.</summary>
    public DataManifest? MadeFrom { get; init; }

    /// <summary>Most pairs; null takes all.</summary>
    public int? Rows { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Chosen replies without reasoning are left out.</summary>
    public bool NeedsReasoning { get; init; }

    /// <summary>Least share of Chinese in the chosen reply; 0 takes any language.</summary>
    public double Chinese { get; init; }

    /// <summary>Similarity from which two pairs are duplicates; null keeps all.</summary>
    public double? Duplicates { get; init; } = 0.9;

    /// <summary>Why a chosen reply must not be taught; null when it may. Called from several threads at once.</summary>
    public Func<SampleMessage, string?>? Gate { get; init; }

    public IReadOnlyList<string> Against { get; init; } = [];
}

/// <summary>Pairs of chosen and rejected replies, shuffled, in the paper's shape. The same inputs and seed give the same bytes.</summary>
public static class PairRun
{
    private const int Batch = 4096;

    /// <param name="output">Gets the pairs; records lie beside it as <c>NAME.records.jsonl</c>.</param>
    /// <exception cref="InvalidDataException">No pair was left.</exception>
    public static DataManifest Run(PairOptions options, string output, SortedDictionary<string, string> asGiven, IMixWatch watch, CancellationToken cancellationToken)
    {
        output = Path.GetFullPath(output);
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        var manifest = new DataManifest("data preferences") { Options = asGiven, Seed = options.Seed };
        manifest.Inputs.AddRange(options.MadeFrom?.Inputs ?? []);
        foreach (var (name, count) in options.MadeFrom?.Counts ?? [])
        {
            manifest.Count($"sampling: {name}", count);
        }

        using var rejected = RejectedRows.Create(output);
        using var spool = new RowSpool(Path.GetDirectoryName(output)!);
        var rows = Read(options, spool, rejected, manifest, watch, cancellationToken);
        var chosen = rows.OrderBy(r => r.Rank).ThenBy(r => r.Row).Take(options.Rows ?? int.MaxValue).ToList();
        if (chosen.Count == 0)
        {
            throw new InvalidDataException($"no pair was left of {manifest.Counts.GetValueOrDefault("read")} rows: {string.Join(", ", manifest.Counts.Select(c => $"{c.Key} {c.Value}"))}.");
        }

        manifest.Count("pairs", chosen.Count);
        using var pairs = OutputFile.Create(output);
        using var records = OutputFile.Create(RecordsOf(output));
        foreach (var (row, _) in chosen)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bytes = spool.Read(row);
            var record = JsonSerializer.Deserialize<DataRecord>(bytes, DataRecord.Json)!;
            manifest.Add(record);
            pairs.WriteLine(PairRow.Of(record));
            records.WriteLine(bytes);
        }

        manifest.Outputs.Add(pairs.Commit());
        manifest.Outputs.Add(records.Commit());
        manifest.Outputs.Add(rejected.Commit());
        manifest.Write(DataManifest.PathOf(output));
        return manifest;
    }

    public static string RecordsOf(string output)
    {
        var name = RecordSource.NameOf(output);
        return Path.Combine(Path.GetDirectoryName(output)!, name + ".records" + Path.GetFileName(output)[name.Length..]);
    }

    private static List<(int Row, ulong Rank)> Read(
        PairOptions options, RowSpool spool, RejectedRows rejected, DataManifest manifest, IMixWatch watch, CancellationToken cancellationToken)
    {
        var contamination = new Contamination();
        foreach (var path in options.Against)
        {
            contamination.Add(path, manifest, cancellationToken);
        }

        var duplicates = options.Duplicates is { } threshold ? new NearDuplicates(threshold) : null;
        var rows = new List<(int Row, ulong Rank)>();
        var texts = new List<string>(Batch);
        foreach (var batch in All(options, rejected, manifest, watch, cancellationToken).Chunk(Batch))
        {
            // The gate costs more than all the rest together.
            var broken = new string?[batch.Length];
            Parallel.For(0, batch.Length, new ParallelOptions { CancellationToken = cancellationToken }, i => broken[i] = options.Gate?.Invoke(batch[i].Reply));
            texts.Clear();
            foreach (var (record, gate) in batch.Zip(broken))
            {
                if (Unfit(record, gate, options, contamination) is { } reason)
                {
                    manifest.Count(reason);
                    continue;
                }

                rows.Add((spool.Count, Hashing.Of($"{record.Id}/{spool.Count}", (ulong)options.Seed)));
                spool.Add(record.ToUtf8());
                texts.Add($"{record.Question}\n{record.Reply.Content}\n{record.Rejected!.Content}");
            }

            duplicates?.Add(texts);
        }

        if (duplicates is null)
        {
            return rows;
        }

        var groups = duplicates.Groups(cancellationToken);
        var kept = rows.Where(r => groups[r.Row] == r.Row).ToList();
        manifest.Count("filtered: near duplicate", rows.Count - kept.Count);
        return kept;
    }

    private static IEnumerable<DataRecord> All(PairOptions options, RejectedRows rejected, DataManifest manifest, IMixWatch watch, CancellationToken cancellationToken)
    {
        foreach (var record in options.Corpora.SelectMany(folder => PreferenceCorpus.Read(folder, options.Prompts)).Concat(options.Made))
        {
            manifest.Count("read");
            yield return record;
        }

        foreach (var source in options.Sources)
        {
            var progress = watch.Begin(source.Name ?? RecordSource.NameOf(source.Path), RecordReading.Bytes(source.Path));
            foreach (var record in new RecordSource(source, manifest, rejected).Read(progress, cancellationToken))
            {
                yield return record;
            }
        }
    }

    private static string? Unfit(DataRecord record, string? gate, PairOptions options, Contamination contamination) =>
        record.Rejected is null ? "filtered: no pair"
        : record.Rejected.Content == record.Reply.Content ? "filtered: both replies are the same"
        : options.NeedsReasoning && record.Reply.Reasoning is null ? "filtered: no reasoning in the chosen reply"
        : TextLanguage.ChineseShare(record.Reply.Content) < options.Chinese ? "filtered: the chosen reply is not Chinese"
        : contamination.IsIn(record) ? "filtered: in an evaluation set"
        : gate is not null ? $"filtered: chosen reply breaks {gate}"
        : null;
}
