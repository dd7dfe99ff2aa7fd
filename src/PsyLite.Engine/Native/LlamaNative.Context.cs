using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>Contexts, their memory, and samplers.</summary>
internal static unsafe partial class LlamaNative
{
    [LibraryImport(Llama, EntryPoint = "llama_init_from_model")]
    public static partial nint InitContext(ModelHandle model, ContextParams parameters);

    [LibraryImport(Llama, EntryPoint = "llama_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Llama, EntryPoint = "llama_n_ctx")]
    public static partial uint ContextLength(ContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_n_ctx_seq")]
    public static partial uint SequenceLength(ContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_state_seq_get_size")]
    public static partial nuint StateSize(ContextHandle context, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_state_seq_get_data")]
    public static partial nuint GetState(ContextHandle context, byte* target, nuint size, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_state_seq_set_data")]
    public static partial nuint SetState(ContextHandle context, byte* source, nuint size, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_n_batch")]
    public static partial uint BatchLength(ContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_get_memory")]
    public static partial nint GetMemory(ContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_memory_clear")]
    public static partial void ClearMemory(nint memory, byte data);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_rm")]
    public static partial byte RemoveFromSequence(nint memory, int sequence, int from, int to);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_cp")]
    public static partial void CopySequence(nint memory, int source, int target, int from, int to);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_pos_max")]
    public static partial int LastPosition(nint memory, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_decode")]
    public static partial int Decode(ContextHandle context, Batch batch);

    [LibraryImport(Llama, EntryPoint = "llama_get_logits_ith")]
    public static partial float* Logits(ContextHandle context, int index);

    [LibraryImport(Llama, EntryPoint = "llama_set_n_threads")]
    public static partial void SetThreads(ContextHandle context, int threads, int batchThreads);

    [LibraryImport(Llama, EntryPoint = "llama_set_abort_callback")]
    public static partial void SetAbort(ContextHandle context, delegate* unmanaged[Cdecl]<nint, byte> callback, nint data);

    [LibraryImport(Llama, EntryPoint = "llama_attach_threadpool")]
    public static partial void AttachThreadpool(ContextHandle context, nint pool, nint batchPool);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_chain_init")]
    public static partial nint InitSamplerChain(SamplerChainParams parameters);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_chain_add")]
    public static partial void AddToChain(nint chain, nint sampler);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_free")]
    public static partial void FreeSampler(nint sampler);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_greedy")]
    public static partial nint GreedySampler();

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_dist")]
    public static partial nint DrawSampler(uint seed);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_top_k")]
    public static partial nint TopKSampler(int k);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_top_p")]
    public static partial nint TopPSampler(float p, nuint minKeep);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_min_p")]
    public static partial nint MinPSampler(float p, nuint minKeep);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_temp")]
    public static partial nint TemperatureSampler(float temperature);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_penalties")]
    public static partial nint PenaltySampler(int vocabularySize, int lastTokens, float repeat, float frequency, float presence);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_sample")]
    public static partial int Sample(SamplerHandle sampler, ContextHandle context, int index);
}
