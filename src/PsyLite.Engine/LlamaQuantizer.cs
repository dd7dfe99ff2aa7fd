using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>Number format of a quantised file (llama_ftype).</summary>
public enum QuantizedType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q8_0 = 7,
    Q5_0 = 8,
    Q5_1 = 9,
    Q2_K = 10,
    Q3_K_S = 11,
    Q3_K_M = 12,
    Q3_K_L = 13,
    Q4_K_S = 14,
    Q4_K_M = 15,
    Q5_K_S = 16,
    Q5_K_M = 17,
    Q6_K = 18,
    IQ2_XXS = 19,
    IQ2_XS = 20,
    Q2_K_S = 21,
    IQ3_XS = 22,
    IQ3_XXS = 23,
    IQ1_S = 24,
    IQ4_NL = 25,
    IQ3_S = 26,
    IQ3_M = 27,
    IQ2_S = 28,
    IQ2_M = 29,
    IQ4_XS = 30,
    IQ1_M = 31,
    BF16 = 32,
    TQ1_0 = 36,
    TQ2_0 = 37,
    MXFP4_MOE = 38,
    NVFP4 = 39,
    Q1_0 = 40,
    Q2_0 = 41,
}

/// <summary>How to quantise, besides the type.</summary>
public sealed record QuantizeOptions
{
    /// <summary>Which columns matter; IQ1, IQ2, Q2_K_S, IQ3_XXS and IQ3_XS need it.</summary>
    public ImportanceMatrix? Importance { get; init; }

    /// <summary>Also takes a source that is quantised already, at a loss.</summary>
    public bool AllowRequantize { get; init; }

    /// <summary>Every matrix in one type, without the mix that gives some of them more bits.</summary>
    public bool Pure { get; init; }

    /// <summary>Null takes every core.</summary>
    public int? Threads { get; init; }
}

/// <summary>Makes smaller GGUF files by llama.cpp's quantiser.</summary>
public static class LlamaQuantizer
{
    /// <summary>
    /// Quantises a file of floats. The target appears only when it is complete and llama.cpp has read every tensor of it back.
    /// Blocks for as long as it takes: about a minute for 7B parameters on two cores.
    /// </summary>
    /// <param name="source">F32, F16 or BF16.</param>
    /// <param name="target">Where; another file than the source.</param>
    /// <param name="type">The mix of types.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="progress">Called with the number of tensors done and of all.</param>
    /// <exception cref="LlamaException">The source cannot be read, or the result is not sound.</exception>
    public static void Quantize(string source, string target, QuantizedType type, QuantizeOptions? options = null, Action<int, int>? progress = null)
    {
        var tensors = ModelFile.Read(source, file => file.Tensors.Count);
        if (Path.GetFullPath(source) == Path.GetFullPath(target))
        {
            throw new LlamaException(LlamaError.QuantizeFailed, $"{target} is the source itself: name another file for the result.");
        }

        using var errors = LlamaLibrary.Current.Log.CollectErrors();
        using var watch = progress is null ? null : new Watch(tensors, progress);
        var partial = target + ".partial";
        try
        {
            if (NativeQuantizer.Run(source, partial, type, options ?? new QuantizeOptions()) != 0)
            {
                throw Failure(source, type, errors.Lines);
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

    private static LlamaException Failure(string source, QuantizedType type, IReadOnlyList<string> log)
    {
        if (log.FirstOrDefault(l => l.Contains("importance matrix", StringComparison.OrdinalIgnoreCase)) is not null)
        {
            return new LlamaException(LlamaError.QuantizeFailed, $"{type} needs an importance matrix: give --imatrix FILE (made by llama-imatrix), or take a larger type such as Q4_K_M.");
        }

        if (log.FirstOrDefault(l => l.Contains("requantizing", StringComparison.OrdinalIgnoreCase)) is not null)
        {
            return new LlamaException(LlamaError.QuantizeFailed, $"{source} is quantised already: start from an F16, BF16 or F32 file, or give --allow-requantize and accept the loss.");
        }

        var refused = ModelFile.Refused(source, log);
        return refused.Kind != LlamaError.LoadFailed ? refused : new LlamaException(
            LlamaError.QuantizeFailed,
            $"llama.cpp cannot quantise {source}: {ModelFile.Reason(log)}. Start from an F32 or F16 file, and check that the disk has room.");
    }

    /// <summary>llama.cpp logs a line "[  12/ 291] name…" as it begins a tensor.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly IDisposable listening;

        public Watch(int tensors, Action<int, int> progress)
        {
            var thread = Environment.CurrentManagedThreadId;
            listening = LlamaLibrary.Current.Log.Listen(line =>
            {
                if (Environment.CurrentManagedThreadId == thread && line.Text.StartsWith('[') && line.Text.IndexOf('/') is > 1 and var slash
                    && int.TryParse(line.Text.AsSpan(1, slash - 1), out var index))
                {
                    progress(index, tensors);
                }
            });
        }

        public void Dispose() => listening.Dispose();
    }
}
