namespace PsyLite.Evaluation.Safety;

/// <summary>
/// A request labelled as harmful or not. <paramref name="Attack"/> is plain or one of SafeDialBench's seven ways of asking; a third is held
/// back by a hash of the line.
/// </summary>
public sealed record LabelledRequest(string Source, bool IsHarmful, string Attack, string Kind, IReadOnlyList<string> Turns, bool IsHeldBack)
{
    private const int Columns = 4;

    /// <summary>What the person said, turn by turn.</summary>
    public string Said => string.Join('\n', Turns.Where((_, i) => i % 2 == 0));

    /// <summary>Columns: harm or ok, attack, kind, text; " ⏎ " between turns. Throws <see cref="FormatException"/> with file and line.</summary>
    public static IReadOnlyList<LabelledRequest> ReadFolder(string folder) => !Directory.Exists(folder)
        ? throw new FormatException($"There is no folder {folder}; name one with labelled requests (.tsv).")
        : [.. Directory.GetFiles(folder, "*.tsv").Order(StringComparer.Ordinal).SelectMany(f => Read(Path.GetFileNameWithoutExtension(f), File.ReadLines(f)))];

    public static IEnumerable<LabelledRequest> Read(string source, IEnumerable<string> lines)
    {
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line[0] == '#')
            {
                continue;
            }

            var columns = line.Split('\t');
            if (columns.Length != Columns || columns[0] is not ("harm" or "ok") || columns[3].Length == 0)
            {
                throw new FormatException($"{source}.tsv line {number}: write harm or ok, the attack, the kind and the text with a tab between.");
            }

            yield return new LabelledRequest(
                source, columns[0] == "harm", columns[1], columns[2], columns[3].Split(LabelledSet.TurnSeparator), LabelledSet.IsHeldBack(line));
        }
    }
}
