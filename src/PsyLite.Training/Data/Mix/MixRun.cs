using System.Text.Json;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Mix;

/// <summary>What a mix is doing, for people who wait.</summary>
public interface IMixWatch
{
    /// <summary>A step begins; the result counts bytes of it.</summary>
    IProgress<long> Begin(string step, long bytes);
}

/// <summary>
/// Sources in their shares to one shuffled set: score and repository filters, evaluation sets and near duplicates taken out, whole dialogues kept in
/// one part. Rows wait in a temporary file, so memory grows by some 300 bytes a row. The same inputs and seed give the same bytes.
/// </summary>
public static class MixRun
{
    /// <summary>Rows signed together.</summary>
    private const int Batch = 4096;

    /// <param name="folder">Gets NAME.jsonl (alpaca rows) and NAME.records.jsonl for each part, manifest.json and rejected rows.</param>
    /// <exception cref="InvalidDataException">The options make no sense, or nothing was left to write.</exception>
    public static DataManifest Run(MixOptions options, string folder, SortedDictionary<string, string> asGiven, IMixWatch watch, CancellationToken cancellationToken)
    {
        options.Validated();
        folder = Directory.CreateDirectory(folder).FullName;
        var manifest = new DataManifest("data mix") { Options = asGiven, Seed = options.Seed };
        using var spool = new RowSpool(folder);
        using var rejected = RejectedRows.Create(Path.Combine(folder, "mix"));
        var rows = Read(options, spool, rejected, manifest, watch, cancellationToken);
        var chosen = Choose(rows, options, manifest);
        Write(chosen, spool, options, folder, manifest, cancellationToken);
        manifest.Outputs.Add(rejected.Commit());
        manifest.Write(Path.Combine(folder, "manifest.json"));
        return manifest;
    }

    /// <summary>A row that may be taken: its place in the spool, its source, its rank by chance and its dialogue.</summary>
    private readonly record struct Candidate(int Row, int Source, ulong Rank, ulong Dialogue);

    private static List<Candidate> Read(MixOptions options, RowSpool spool, RejectedRows rejected, DataManifest manifest, IMixWatch watch, CancellationToken cancellationToken)
    {
        var contamination = new Contamination();
        foreach (var path in options.Against)
        {
            contamination.Add(path, manifest, cancellationToken);
        }

        manifest.Count("texts held against", contamination.Texts);
        var duplicates = options.Duplicates is { } threshold ? new NearDuplicates(threshold) : null;
        var rows = new List<Candidate>();
        var texts = new List<string>(Batch);
        for (var source = 0; source < options.Sources.Count; source++)
        {
            var from = options.Sources[source].Source;
            var progress = watch.Begin(from.Name ?? RecordSource.NameOf(from.Path), RecordReading.Bytes(from.Path));
            foreach (var record in new RecordSource(from, manifest, rejected).Read(progress, cancellationToken))
            {
                if (options.NeedsReasoning && record.Reply.Reasoning is null)
                {
                    manifest.Count("filtered: no reasoning");
                    continue;
                }

                if (contamination.IsIn(record))
                {
                    manifest.Count("filtered: in an evaluation set");
                    continue;
                }

                rows.Add(new Candidate(spool.Count, source, Hashing.Of($"{source}/{record.Id}/{spool.Count}", (ulong)options.Seed), Hashing.Of(record.Dialogue, (ulong)source)));
                spool.Add(record.ToUtf8());
                texts.Add($"{record.Question}\n{record.Reply.Content}{(record.Reply.BreaksOff ? record.Reply.Reasoning : "")}");
                if (texts.Count == Batch)
                {
                    duplicates?.Add(texts);
                    texts.Clear();
                }
            }
        }

        duplicates?.Add(texts);
        return duplicates is null ? rows : Distinct(rows, duplicates.Groups(cancellationToken), manifest);
    }

    private static List<Candidate> Distinct(List<Candidate> rows, int[] groups, DataManifest manifest)
    {
        var kept = rows.Where(r => groups[r.Row] == r.Row).ToList();
        if (kept.Count < rows.Count)
        {
            manifest.Count("filtered: near duplicate", rows.Count - kept.Count);
        }

        return kept;
    }

    /// <summary>As many of each source as its share allows, chosen by rank; the whole in order of rank.</summary>
    private static List<Candidate> Choose(List<Candidate> rows, MixOptions options, DataManifest manifest)
    {
        var there = new int[options.Sources.Count];
        foreach (var row in rows)
        {
            there[row.Source]++;
        }

        var shares = options.Sources.Select(s => s.Share).ToArray();
        var total = shares.Sum();
        var possible = Enumerable.Range(0, shares.Length).Min(s => there[s] / shares[s]) * total;
        var wanted = Math.Min(options.Rows ?? double.MaxValue, possible);
        if (wanted < 1)
        {
            var empty = Enumerable.Range(0, shares.Length).First(s => there[s] / shares[s] * total < 1);
            throw new InvalidDataException($"{options.Sources[empty].Source.Path} has no row left after the filters, so the shares cannot be kept.");
        }

        manifest.Count("rows wanted", options.Rows ?? (long)possible);
        var quotas = Quotas(shares, total, wanted, there);
        var chosen = new List<Candidate>();
        for (var source = 0; source < shares.Length; source++)
        {
            var picked = rows.Where(r => r.Source == source).OrderBy(r => r.Rank).ThenBy(r => r.Row).Take(quotas[source]).ToList();
            var name = options.Sources[source].Source.Name ?? RecordSource.NameOf(options.Sources[source].Source.Path);
            manifest.Count($"taken of {source + 1}: {name}", picked.Count);
            chosen.AddRange(picked);
        }

        return [.. chosen.OrderBy(r => r.Rank).ThenBy(r => r.Row)];
    }

    /// <summary>Whole rows that add up: largest remainders first.</summary>
    private static int[] Quotas(double[] shares, double total, double wanted, int[] there)
    {
        var exact = shares.Select(s => s / total * Math.Floor(wanted + 1e-9)).ToArray();
        var quotas = exact.Select(e => (int)Math.Floor(e + 1e-9)).ToArray();
        var left = (int)Math.Floor(wanted + 1e-9) - quotas.Sum();
        foreach (var source in Enumerable.Range(0, shares.Length).OrderByDescending(s => exact[s] - quotas[s]).ThenBy(s => s))
        {
            if (left > 0 && quotas[source] < there[source])
            {
                quotas[source]++;
                left--;
            }
        }

        return quotas;
    }

    private static void Write(List<Candidate> chosen, RowSpool spool, MixOptions options, string folder, DataManifest manifest, CancellationToken cancellationToken)
    {
        var files = options.Splits.Select(s => (Alpaca: OutputFile.Create(Path.Combine(folder, $"{s.Name}.jsonl")), Records: OutputFile.Create(Path.Combine(folder, $"{s.Name}.records.jsonl")))).ToList();
        try
        {
            foreach (var candidate in chosen)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var bytes = spool.Read(candidate.Row);
                var record = JsonSerializer.Deserialize<DataRecord>(bytes, DataRecord.Json)!;
                var (alpaca, records) = files[PartOf(candidate.Dialogue, options)];
                records.WriteLine(bytes);
                manifest.Add(record);
                if (AlpacaRow.Of(record, options.History) is { } row)
                {
                    alpaca.WriteLine(row);
                }
                else
                {
                    manifest.Count("in records only: has no alpaca form");
                }
            }

            foreach (var (alpaca, records) in files)
            {
                manifest.Outputs.Add(alpaca.Commit());
                manifest.Outputs.Add(records.Commit());
            }
        }
        finally
        {
            foreach (var (alpaca, records) in files)
            {
                alpaca.Dispose();
                records.Dispose();
            }
        }
    }

    private static int PartOf(ulong dialogue, MixOptions options)
    {
        var place = (Hashing.Mix(dialogue ^ Hashing.Mix((ulong)options.Seed + 0x51)) >> 11) * (1.0 / (1UL << 53)) * options.Splits.Sum(s => s.Share);
        for (var part = 0; part < options.Splits.Count - 1; part++)
        {
            if (place < options.Splits[part].Share)
            {
                return part;
            }

            place -= options.Splits[part].Share;
        }

        return options.Splits.Count - 1;
    }
}
