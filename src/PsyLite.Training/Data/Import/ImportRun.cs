using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Import;

/// <summary>Sources in, one file of records out, with its manifest and its rejected rows beside it. The same inputs give the same bytes.</summary>
public static class ImportRun
{
    /// <param name="scrubs">Takes personal data out of every text.</param>
    /// <param name="options">Options as the user gave them, for the manifest.</param>
    /// <exception cref="FileNotFoundException">A source is not there.</exception>
    /// <exception cref="InvalidDataException">No row could be used; the rejected rows say why, and nothing was written.</exception>
    public static DataManifest Run(
        IReadOnlyList<SourceOptions> sources, string output, bool scrubs, SortedDictionary<string, string> options, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var manifest = new DataManifest("data import") { Options = options };
        using var file = OutputFile.Create(output);
        using var rejected = RejectedRows.Create(output);
        foreach (var source in sources)
        {
            foreach (var record in new RecordSource(source, manifest, rejected).Read(progress, cancellationToken))
            {
                var (kept, found) = scrubs ? ScrubbedRecord.Of(record) : (record, 0);
                manifest.Count("kept");
                if (found > 0)
                {
                    manifest.Count("places scrubbed", found);
                }

                manifest.Add(kept);
                file.WriteLine(kept.ToUtf8());
            }
        }

        var refused = rejected.Commit();
        if (file.Rows == 0)
        {
            throw new InvalidDataException($"no row could be used: {manifest.Counts.GetValueOrDefault("read")} were read, {refused.Rows} rejected ({RejectedRows.PathOf(output)} says why).");
        }

        manifest.Outputs.Add(file.Commit());
        manifest.Outputs.Add(refused);
        manifest.Write(DataManifest.PathOf(output));
        return manifest;
    }
}
