using System.Security.Cryptography;
using System.Text;
using PsyLite.Agent.Risk;

namespace PsyLite.Evaluation.Safety;

/// <summary>
/// Reads labelled messages: one a line, columns tier, mood, kind and text with a tab between; blank lines between blocks of related messages;
/// # begins a comment; ⟦ ⟧ around the telling clause; " ⏎ " between the turns of a dialogue. A block is held back as a whole: a third of them,
/// chosen by a hash of the text of the block's first line, so that neither new blocks nor mended labels move another. A file that begins with the comment "# never held back"
/// is for training only.
/// </summary>
public static class LabelledSet
{
    private const int Columns = 4;
    internal const string TurnSeparator = " ⏎ ";
    private const string TrainingOnly = "# never held back";

    /// <summary>All files of a folder in order of their names. Throws <see cref="FormatException"/> with file and line for the first bad line.</summary>
    public static IReadOnlyList<LabelledMessage> ReadFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new FormatException($"There is no folder {folder}; name one with labelled .tsv files.");
        }

        List<LabelledMessage> all = [.. Directory.GetFiles(folder, "*.tsv").Order(StringComparer.Ordinal).SelectMany(f => Read(Path.GetFileNameWithoutExtension(f), File.ReadLines(f)))];
        return all.Count > 0 ? all : throw new FormatException($"The folder {folder} holds no labelled messages (.tsv).");
    }

    public static IEnumerable<LabelledMessage> Read(string source, IEnumerable<string> lines)
    {
        var number = 0;
        bool? heldBack = null;
        var isForTraining = false;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                heldBack = null;
            }
            else if (line[0] == '#')
            {
                isForTraining |= line.StartsWith(TrainingOnly, StringComparison.Ordinal);
            }
            else
            {
                heldBack ??= !isForTraining && IsHeldBack(line[(line.LastIndexOf('\t') + 1)..]);
                yield return Parse(source, number, line, heldBack.Value);
            }
        }
    }

    /// <summary>Whether the hash of this text falls into the third that is never trained on.</summary>
    internal static bool IsHeldBack(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text))[0] % 3 == 0;

    private static LabelledMessage Parse(string source, int number, string line, bool heldBack)
    {
        var columns = line.Split('\t');
        if (columns.Length != Columns || columns[3].Length == 0)
        {
            throw new FormatException($"{source}.tsv line {number}: write tier, mood, kind and text with a tab between.");
        }

        if (!Enum.TryParse<Tier>(columns[0], out var tier) || !Enum.IsDefined(tier))
        {
            throw new FormatException($"{source}.tsv line {number}: '{columns[0]}' is no tier; write T0 to T4, TF, TO or TA.");
        }

        var mood = LabelledMood.None;
        if (columns[1] != "-" && (!Enum.TryParse(columns[1], ignoreCase: true, out mood) || !Enum.IsDefined(mood)))
        {
            throw new FormatException($"{source}.tsv line {number}: '{columns[1]}' is no mood; write happy, sad, angry, neutral or -.");
        }

        var turns = columns[3].Split(TurnSeparator);
        var (text, start, end) = Unmark(turns[^1]);
        turns[^1] = text;
        return new LabelledMessage(source, number, tier, mood, columns[2], turns, start, end, heldBack);
    }

    /// <summary>Takes the marks out; several marked clauses count as one from the first to the last.</summary>
    private static (string Text, int Start, int End) Unmark(string marked)
    {
        var text = new StringBuilder(marked.Length);
        var (start, end) = (-1, -1);
        foreach (var c in marked)
        {
            switch (c)
            {
                case '⟦':
                    start = start < 0 ? text.Length : start;
                    break;
                case '⟧':
                    end = text.Length;
                    break;
                default:
                    text.Append(c);
                    break;
            }
        }

        return (text.ToString(), end > start ? start : -1, end > start ? end : -1);
    }
}
