using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>Number format of a quantised file (llama_ftype).</summary>
public enum QuantizedType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q8_0 = 7,
    Q2_K = 10,
    Q3_K_M = 12,
    Q4_K_S = 14,
    Q4_K_M = 15,
    Q5_K_M = 17,
    Q6_K = 18,
    BF16 = 32,
}

/// <summary>Makes smaller GGUF files by llama.cpp's quantiser.</summary>
public static class LlamaQuantizer
{
    /// <summary>
    /// Quantises a file of floats. The target appears only when it is complete and llama.cpp has read every tensor of it back.
    /// Blocks for as long as it takes: about a minute for 7B parameters on two cores.
    /// </summary>
    /// <exception cref="LlamaException">The source cannot be read, or the result is not sound.</exception>
    public static void Quantize(string source, string target, QuantizedType type, int? threads = null)
    {
        _ = ModelFile.Read(source, file => file.Tensors.Count);
        using var errors = LlamaLibrary.Current.Log.CollectErrors();
        var partial = target + ".partial";
        try
        {
            if (NativeQuantizer.Run(source, partial, type, threads ?? ProcessorCores.Count) != 0)
            {
                throw Failure(source, errors.Lines);
            }

            Verify(partial);
            File.Move(partial, target, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static void Verify(string path)
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = path, LoadMode = LlamaLoadMode.Map, Repack = false, CheckTensors = true, ContextLength = 1 });
    }

    private static LlamaException Failure(string source, IReadOnlyList<string> log)
    {
        var refused = ModelFile.Refused(source, log);
        return refused.Kind != LlamaError.LoadFailed ? refused : new LlamaException(
            LlamaError.QuantizeFailed,
            $"llama.cpp cannot quantise {source}: {ModelFile.Reason(log)}. Start from an F32 or F16 file, and check that the disk has room.");
    }
}
