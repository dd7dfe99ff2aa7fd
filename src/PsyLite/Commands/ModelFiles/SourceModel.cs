using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;
using PsyLite.Training;

namespace PsyLite.Commands.ModelFiles;

/// <summary>A model to convert or to merge into: a HuggingFace folder, a checkpoint of the trainer, or an unquantised GGUF.</summary>
internal sealed class SourceModel : IDisposable
{
    private IDisposable? _held;

    private SourceModel()
    {
    }

    public required string Name { get; init; }

    public required ModelConfig Config { get; init; }

    /// <summary>Weights by HuggingFace name.</summary>
    public required IReadOnlyDictionary<string, TensorSource> Tensors { get; init; }

    /// <summary>Null when it is a HuggingFace folder, which has files for it.</summary>
    public SentencePieceModel? Vocabulary { get; private init; }

    public HuggingFaceFolder? Folder { get; private init; }

    /// <summary>How its matrices are stored.</summary>
    public GgmlType Stored { get; private init; } = GgmlType.F32;

    /// <param name="path">Folder or file.</param>
    /// <param name="recipe">The recipe of a checkpoint, which alone knows its shape and tokenizer.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is none of the three, or damaged.</exception>
    public static SourceModel Open(string path, string? recipe)
    {
        if (Directory.Exists(path))
        {
            var folder = HuggingFaceFolder.Open(path);
            return new SourceModel
            {
                Name = new DirectoryInfo(path).Name,
                Config = folder.Config.Model,
                Tensors = folder.Weights.Sources(),
                Folder = folder,
                Stored = folder.Weights.Tensors.Where(t => t.Shape.Count > 1).Select(t => t.Type).FirstOrDefault() switch
                {
                    SafetensorsType.BF16 => GgmlType.BF16,
                    SafetensorsType.F16 => GgmlType.F16,
                    _ => GgmlType.F32,
                },
                _held = folder,
            };
        }

        return path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? OpenGguf(path) : OpenCheckpoint(path, recipe);
    }

    public void Dispose() => _held?.Dispose();

    private static SourceModel OpenGguf(string path)
    {
        var file = GgufReader.Open(path);
        var stored = file.Tensors.Where(t => t.Shape.Count > 1).Select(t => t.Type).FirstOrDefault();
        if (file.Tensors.FirstOrDefault(t => t.Type is not (GgmlType.F32 or GgmlType.F16 or GgmlType.BF16)) is { } quantised)
        {
            file.Dispose();
            throw new InvalidDataException($"{path}: {quantised.Name} is quantised as {quantised.Type}; start from an F16, BF16 or F32 file.");
        }

        return new SourceModel
        {
            Name = file.Metadata.Get("general.name", Path.GetFileNameWithoutExtension(path)),
            Config = InternLm2Gguf.ReadConfig(file),
            Tensors = InternLm2Gguf.ReadTensors(file),
            Vocabulary = InternLm2Gguf.ReadVocabulary(file),
            Stored = stored,
            _held = file,
        };
    }

    private static SourceModel OpenCheckpoint(string path, string? recipe)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: there is no such model folder, checkpoint or GGUF file.", path);
        }

        if (recipe is null)
        {
            throw new InvalidDataException($"{path}: a checkpoint needs the recipe that made it: add --recipe recipes/mini.sft.json.");
        }

        var options = RecipeOptions.Read(recipe, []);
        var weights = new ParameterSet(options.Model);
        try
        {
            Checkpoint.LoadWeights(path, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }

        return new SourceModel
        {
            Name = options.Name,
            Config = options.Model,
            Tensors = weights.All.ToDictionary(p => p.Name, p => new TensorSource(
                p.IsVector ? [p.Columns] : [p.Rows, p.Columns],
                (start, destination) => p.Values.Slice(checked((int)start), destination.Length).CopyTo(destination))),
            Vocabulary = SentencePieceModel.Load(options.Tokenizer),
            _held = weights,
        };
    }
}
