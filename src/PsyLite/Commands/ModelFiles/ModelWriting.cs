using System.CommandLine;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.ModelStore;

namespace PsyLite.Commands.ModelFiles;

/// <summary>What <c>model convert</c> and <c>model merge</c> have in common: a result as GGUF or as a HuggingFace folder, with room for it and a bar.</summary>
internal static class ModelWriting
{
    private static readonly Dictionary<string, GgmlType> FloatTypes = new() { ["f16"] = GgmlType.F16, ["bf16"] = GgmlType.BF16, ["f32"] = GgmlType.F32 };

    public static Option<GgmlType?> TypeOption() =>
        ChoiceOption.Of("--type", "f16 | bf16 | f32；默认与输入相同 · as the input is stored by default", FloatTypes);

    public static Option<string?> RecipeOption() => new("--recipe") { Description = "输入是检查点时：它的配方 · of a checkpoint: the recipe that made it" };

    /// <summary>A name that ends in .gguf is a GGUF file, any other a HuggingFace folder.</summary>
    public static bool IsGguf(string output) => output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <param name="model">Where shape, tokenizer and configuration come from.</param>
    /// <param name="tensors">The weights to write: its own, or merged ones.</param>
    public static void Write(SourceModel model, IReadOnlyDictionary<string, TensorSource> tensors, string output, GgmlType type, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(output);
        var parent = Path.GetDirectoryName(path)!;
        var bytes = HuggingFaceGguf.TensorBytes(model.Config, type);
        Directory.CreateDirectory(parent);
        DiskSpace.Require(parent, bytes);
        using (var bar = new TransferBar(Path.GetFileName(path), bytes))
        {
            var each = type == GgmlType.F32 ? sizeof(float) : sizeof(ushort);
            var watched = tensors.ToDictionary(t => t.Key, t => t.Value.Watched(count => bar.Add(count * each), cancellationToken));
            if (!IsGguf(path))
            {
                WriteFolder(model, watched, path, type);
            }
            else if (model.Folder is { } folder)
            {
                HuggingFaceGguf.Convert(folder, watched, path, type);
            }
            else
            {
                InternLm2Gguf.Write(path, model.Config, model.Vocabulary!, watched, type, new ModelCard(model.Name));
            }
        }

        var size = IsGguf(path) ? new FileInfo(path).Length : new DirectoryInfo(path).EnumerateFiles().Sum(f => f.Length);
        Console.WriteLine($"{path}: {size} bytes, {model.Tensors.Values.Sum(t => t.Count)} parameters, {type}");
    }

    public static SafetensorsType Stored(GgmlType type) => type switch
    {
        GgmlType.F16 => SafetensorsType.F16,
        GgmlType.BF16 => SafetensorsType.BF16,
        _ => SafetensorsType.F32,
    };

    private static void WriteFolder(SourceModel model, IReadOnlyDictionary<string, TensorSource> tensors, string path, GgmlType type)
    {
        if (model.Folder is { } folder)
        {
            HuggingFaceWriter.WriteLike(path, folder, tensors, Stored(type));
        }
        else
        {
            HuggingFaceWriter.Write(path, model.Config, model.Vocabulary!, tensors, Stored(type));
        }
    }
}
