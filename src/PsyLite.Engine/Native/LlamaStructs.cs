using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

// Layouts of llama.h and ggml.h of llama.cpp v0.5.0, field for field. C's bool is one byte here, so that every
// struct is blittable; C's enums are 32-bit integers. LlamaStructTests holds them against the library's own defaults.

/// <summary>llama_model_params.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ModelParams
{
    public nint Devices;
    public nint TensorBufferOverrides;
    public int GpuLayers;
    public int SplitMode;
    public LlamaLoadMode LoadMode;
    public int LazyMode;
    public int MainGpu;
    public nint TensorSplit;
    public nint ProgressCallback;
    public nint ProgressUserData;
    public nint KeyValueOverrides;
    public byte VocabularyOnly;
    public byte CheckTensors;
    public byte UseExtraBuffers;
    public byte NoHost;
    public byte NoAllocation;
    public byte LoadMtp;
}

/// <summary>llama_context_params.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ContextParams
{
    public uint ContextLength;
    public uint BatchLength;
    public uint MicroBatchLength;
    public uint MaxSequences;
    public uint RecurrentSnapshots;
    public uint MaxOutputs;
    public uint MaxOutputsPerSequence;
    public int Threads;
    public int BatchThreads;
    public int ContextType;
    public int RopeScalingType;
    public int PoolingType;
    public int AttentionType;
    public int FlashAttention;
    public float RopeFrequencyBase;
    public float RopeFrequencyScale;
    public float YarnExtrapolation;
    public float YarnAttention;
    public float YarnBetaFast;
    public float YarnBetaSlow;
    public uint YarnOriginalContext;
    public float DefragmentThreshold;
    public nint EvalCallback;
    public nint EvalUserData;
    public KvCacheType KeyType;
    public KvCacheType ValueType;
    public nint AbortCallback;
    public nint AbortUserData;
    public byte Embeddings;
    public byte OffloadKeyValue;
    public byte NoPerformance;
    public byte OffloadOperations;
    public byte FullSlidingWindow;
    public byte UnifiedKeyValue;
    public nint Samplers;
    public nuint SamplerCount;
    public nint OtherContext;
}

/// <summary>llama_model_quantize_params.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QuantizeParams
{
    public int Threads;
    public QuantizedType FileType;
    public int OutputTensorType;
    public int TokenEmbeddingType;
    public byte AllowRequantize;
    public byte QuantizeOutputTensor;
    public byte OnlyCopy;
    public byte Pure;
    public byte KeepSplit;
    public byte DryRun;
    public nint ImportanceMatrix;
    public nint KeyValueOverrides;
    public nint TensorTypeOverrides;
    public nint PrunedLayers;
    public nuint MaxBufferBytes;
}

/// <summary>llama_model_imatrix_data.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ImportanceData
{
    public byte* Name;
    public float* Values;
    public nuint Count;
}

/// <summary>llama_model_kv_override. The union of its values begins at a multiple of 8.</summary>
[StructLayout(LayoutKind.Explicit, Size = 264)]
internal unsafe struct KeyValueOverride
{
    public const int IntegerKind = 0;
    public const int TextKind = 3;
    public const int TextBytes = 128;

    [FieldOffset(0)]
    public int Kind;

    [FieldOffset(4)]
    public fixed byte Key[TextBytes];

    [FieldOffset(136)]
    public fixed byte Value[TextBytes];
}

/// <summary>llama_batch. Null positions and sequences mean: sequence 0, positions that follow what it holds.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Batch
{
    public int Count;
    public int* Tokens;
    public float* Embeddings;
    public int* Positions;
    public int* SequenceCounts;
    public int** Sequences;
    public byte* Outputs;
}

/// <summary>llama_sampler_chain_params.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SamplerChainParams
{
    public byte NoPerformance;
}

/// <summary>llama_chat_message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TemplateMessage
{
    public byte* Role;
    public byte* Content;
}

/// <summary>ggml_threadpool_params.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ThreadpoolParams
{
    /// <summary>GGML_MAX_N_THREADS.</summary>
    public const int MaxThreads = 512;

    public fixed byte CpuMask[MaxThreads];
    public int Threads;
    public int Priority;
    public uint Poll;
    public byte StrictCpu;
    public byte Paused;
}
