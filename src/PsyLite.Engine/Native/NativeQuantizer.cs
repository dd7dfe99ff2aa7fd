namespace PsyLite.Engine.Native;

/// <summary>The call to llama_model_quantize.</summary>
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
}
