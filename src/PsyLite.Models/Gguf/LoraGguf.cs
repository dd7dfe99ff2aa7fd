using PsyLite.Models.Safetensors;

namespace PsyLite.Models.Gguf;

/// <summary>A LoRA adapter of an InternLM2 model as GGUF, which llama.cpp adds to a model when it is loaded.</summary>
/// <remarks>
/// Source: convert_lora_to_gguf.py of llama.cpp v0.5.0. wqkv becomes three adapters that share A, whose B has the rows of attn_q, attn_k and
/// attn_v as <see cref="InternLm2Gguf"/> orders them. llama.cpp scales B A by alpha / r with one alpha for all; where a layer's scale
/// differs, the difference goes into its B.
/// </remarks>
public static class LoraGguf
{
    /// <summary>Writes the adapter.</summary>
    /// <param name="path">Where; replaced only once the new file is complete.</param>
    /// <param name="config">Shape of the base model.</param>
    /// <param name="adapter">The adapter of PEFT.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="InvalidDataException">The adapter changes layers that llama.cpp cannot adapt, or does not fit the base.</exception>
    public static void Write(string path, ModelConfig config, PeftAdapter adapter, GgmlType type)
    {
        if (adapter.FullWeights.Count > 0)
        {
            throw new InvalidDataException($"{adapter.Folder}: the adapter holds whole weights ({ErrorText.Quote(adapter.FullWeights.Keys.First())}), which llama.cpp cannot add at run time; merge it instead.");
        }

        var writer = new GgufWriter()
            .Set("general.architecture", InternLm2Gguf.Architecture)
            .Set("general.type", "adapter")
            .Set("adapter.type", "lora")
            .Set("general.name", new DirectoryInfo(adapter.Folder).Name)
            .Set("adapter.lora.alpha", (float)adapter.Config.Alpha)
            .Set("general.quantization_version", InternLm2Gguf.QuantizationVersion);
        foreach (var module in adapter.Modules)
        {
            var up = Scaled(module.B, module.Scale * module.Rank / adapter.Config.Alpha);
            foreach (var (name, b) in InternLm2Layout.AdapterToGguf(config, module.WeightName, up, module.A.Shape[1]))
            {
                writer.Add(name + ".lora_a", type, module.A).Add(name + ".lora_b", type, b);
            }
        }

        writer.Write(path);
    }

    private static TensorSource Scaled(TensorSource source, double factor) => Math.Abs(factor - 1) < 1e-12 ? source : source with
    {
        Read = (start, destination) =>
        {
            source.Read(start, destination);
            foreach (ref var value in destination)
            {
                value = (float)(value * factor);
            }
        },
    };
}
