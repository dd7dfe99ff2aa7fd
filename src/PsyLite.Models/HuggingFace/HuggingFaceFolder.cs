using PsyLite.Models.Safetensors;

namespace PsyLite.Models.HuggingFace;

/// <summary>An InternLM2 model as HuggingFace keeps it: a folder of configuration, safetensors and tokenizer.</summary>
public sealed class HuggingFaceFolder : IDisposable
{
    private HuggingFaceFolder(string path, HuggingFaceConfig config, SafetensorsReader weights) => (FolderPath, Config, Weights) = (path, config, weights);

    /// <summary>The folder as it was given to <see cref="Open"/>.</summary>
    public string FolderPath { get; }

    /// <summary>What config.json says.</summary>
    public HuggingFaceConfig Config { get; }

    /// <summary>The stored tensors, read when asked for.</summary>
    public SafetensorsReader Weights { get; }

    /// <summary>Whether a path looks like such a folder.</summary>
    public static bool IsModel(string path) => File.Exists(Path.Combine(path, HuggingFaceConfig.FileName));

    /// <summary>Opens a folder and checks its configuration and the headers of its weights.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or of another architecture; the message is one line.</exception>
    public static HuggingFaceFolder Open(string path)
    {
        var config = HuggingFaceConfig.Read(Path.Combine(path, HuggingFaceConfig.FileName));
        if (!File.Exists(Path.Combine(path, SafetensorsReader.SingleFile)) && !File.Exists(Path.Combine(path, SafetensorsReader.IndexFile)))
        {
            throw new FileNotFoundException($"{path}: there is neither {SafetensorsReader.SingleFile} nor {SafetensorsReader.IndexFile}; Python pickles (pytorch_model.bin) may run code and are not read, save the model with safe_serialization=True.");
        }

        return new HuggingFaceFolder(path, config, SafetensorsReader.Open(path));
    }

    /// <summary>The tokenizer with its added tokens.</summary>
    /// <exception cref="FileNotFoundException">There is no tokenizer.model.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or does not fit the model.</exception>
    public HuggingFaceTokenizer ReadTokenizer() => HuggingFaceTokenizer.Read(FolderPath, Config.Model.VocabSize);

    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();
}
