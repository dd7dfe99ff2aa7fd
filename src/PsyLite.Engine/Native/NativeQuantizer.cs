using PsyLite.Models.Gguf;

namespace PsyLite.Engine.Native;

/// <summary>llama.cpp's quantisation: of a file, and of rows in memory.</summary>
internal static class NativeQuantizer
{
    /// <summary>0 when the target was written.</summary>
    public static unsafe uint Run(string source, string target, QuantizedType type, int threads)
    {
        var parameters = LlamaNative.DefaultQuantizeParams();
        parameters.FileType = type;
        parameters.Threads = threads;
        return LlamaNative.Quantize(source, target, &parameters);
    }

    /// <summary>Stores rows of floats in another type; returns the bytes written, as many as the type asks for.</summary>
    public static unsafe long Store(GgmlType type, ReadOnlySpan<float> values, int columns, Span<byte> target)
    {
        fixed (float* from = values)
        fixed (byte* to = target)
        {
            return (long)LlamaNative.QuantizeChunk((uint)type, from, to, 0, values.Length / columns, columns, null);
        }
    }
}
