using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>Pooled embeddings.</summary>
internal static unsafe partial class LlamaNative
{
    [LibraryImport(Llama, EntryPoint = "llama_get_embeddings_seq")]
    public static partial float* SequenceEmbedding(ContextHandle context, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_model_n_embd_out")]
    public static partial int EmbeddingOutputLength(ModelHandle model);
}
