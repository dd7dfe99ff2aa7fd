using System.Buffers;
using System.Text.Json;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Mix;

/// <summary>
/// Tells rows that repeat an evaluation set: a stretch of <see cref="Stretch"/> folded characters in common with any text of it, or a whole message
/// that is one of its shorter texts. Evaluation sets are read as they are: every text of every row counts, whatever their format.
/// </summary>
internal sealed class Contamination
{
    /// <summary>Characters; below it everyday phrases would be taken for copies.</summary>
    public const int Stretch = 24;

    /// <summary>Shorter texts ("谢谢你", option letters) prove nothing.</summary>
    private const int ShortestText = 10;
    private readonly HashSet<ulong> _windows = [];
    private readonly HashSet<ulong> _whole = [];
    private readonly List<ulong> _scratch = [];
    private readonly ArrayBufferWriter<char> _folded = new(4096);

    /// <summary>Texts that rows are held against.</summary>
    public long Texts { get; private set; }

    /// <param name="path">File or folder.</param>
    /// <exception cref="InvalidDataException">It holds no text: a check against nothing would find nothing.</exception>
    public void Add(string path, DataManifest manifest, CancellationToken cancellationToken)
    {
        var before = Texts;
        foreach (var file in RecordSource.Files(path))
        {
            using var input = InputFile.Open(file);
            foreach (var row in RowReader.Read(file, input.Content))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (row.Fault is null)
                {
                    AddTexts(row.Value);
                }
            }

            manifest.Inputs.Add(input.Finish());
        }

        if (Texts == before)
        {
            throw new InvalidDataException($"--against {path} holds no text of at least {ShortestText} characters that could be read; give JSON, JSONL or CSV.");
        }
    }

    public void AddText(string text)
    {
        var folded = Folded(text);
        if (folded.Length < ShortestText)
        {
            return;
        }

        Texts++;
        if (folded.Length < Stretch)
        {
            _whole.Add(Hashing.Of(folded));
            return;
        }

        _scratch.Clear();
        Hashing.Windows(folded, Stretch, _scratch);
        _windows.UnionWith(_scratch);
        if (folded.Length == Stretch)
        {
            _whole.Add(Hashing.Of(folded));
        }
    }

    public bool IsIn(DataRecord record) =>
        Texts > 0 && (record.Messages.Any(m => m.Role != "system" && (IsIn(m.Content) || (m.Reasoning is { } r && IsIn(r)))) || (record.Rejected is { } other && IsIn(other.Content)));

    private bool IsIn(string text)
    {
        var folded = Folded(text);
        if (folded.Length <= Stretch)
        {
            return folded.Length >= ShortestText && _whole.Contains(Hashing.Of(folded));
        }

        if (_windows.Count == 0)
        {
            return false;
        }

        _scratch.Clear();
        Hashing.Windows(folded, Stretch, _scratch);
        return _scratch.Any(_windows.Contains);
    }

    private ReadOnlySpan<char> Folded(string text)
    {
        _folded.ResetWrittenCount();
        FoldedText.Fold(text, _folded);
        return _folded.WrittenSpan;
    }

    private void AddTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                // CPsyCounE's lines begin with the name of the speaker.
                var text = JsonFields.Clean(value.GetString()!);
                AddText(text.Length > 4 && (text[3] is '：' or ':') ? text[4..] : text);
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    AddTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var field in value.EnumerateObject())
                {
                    AddTexts(field.Value);
                }

                break;
        }
    }
}
