using PsyLite.Engine;
using PsyLite.Engine.Native;

namespace PsyLite.Tests.Engine;

/// <summary>Our struct layouts against the defaults that the library itself returns; a moved field shows as a wrong value.</summary>
public sealed class LlamaStructTests
{
    public LlamaStructTests() => _ = LlamaLibrary.Current;

    [Fact]
    public void The_library_is_the_release_that_the_layouts_were_written_for() => Assert.Contains("0.5.0", LlamaLibrary.Current.Version);

    [Fact]
    public void Model_params()
    {
        var p = LlamaNative.DefaultModelParams();
        Assert.Equal((0, 0), (p.Devices, p.TensorBufferOverrides));
        Assert.Equal((-1, 1, LlamaLoadMode.Auto, 1, 0), (p.GpuLayers, p.SplitMode, p.LoadMode, p.LazyMode, p.MainGpu));
        Assert.Equal((0, 0, 0, 0), (p.TensorSplit, p.ProgressCallback, p.ProgressUserData, p.KeyValueOverrides));
        Assert.Equal((0, 0, 1, 0, 0, 0), (p.VocabularyOnly, p.CheckTensors, p.UseExtraBuffers, p.NoHost, p.NoAllocation, p.LoadMtp));
    }

    [Fact]
    public void Context_params()
    {
        var p = LlamaNative.DefaultContextParams();
        Assert.Equal((512u, 2048u, 512u, 1u, 0u, 0u, 1u), (p.ContextLength, p.BatchLength, p.MicroBatchLength, p.MaxSequences, p.RecurrentSnapshots, p.MaxOutputs, p.MaxOutputsPerSequence));
        Assert.Equal((4, 4), (p.Threads, p.BatchThreads));
        Assert.Equal((0, -1, -1, -1, -1), (p.ContextType, p.RopeScalingType, p.PoolingType, p.AttentionType, p.FlashAttention));
        Assert.Equal((0f, 0f, -1f, -1f, -1f, -1f, 0u, -1f), (p.RopeFrequencyBase, p.RopeFrequencyScale, p.YarnExtrapolation, p.YarnAttention, p.YarnBetaFast, p.YarnBetaSlow, p.YarnOriginalContext, p.DefragmentThreshold));
        Assert.Equal((0, 0, KvCacheType.F16, KvCacheType.F16, 0, 0), (p.EvalCallback, p.EvalUserData, p.KeyType, p.ValueType, p.AbortCallback, p.AbortUserData));
        Assert.Equal((0, 1, 1, 1, 1, 0), (p.Embeddings, p.OffloadKeyValue, p.NoPerformance, p.OffloadOperations, p.FullSlidingWindow, p.UnifiedKeyValue));
        Assert.Equal((0, 0u, 0), (p.Samplers, p.SamplerCount, p.OtherContext));
    }

    [Fact]
    public void Quantize_params()
    {
        const int typeCount = 43;
        var p = LlamaNative.DefaultQuantizeParams();
        Assert.Equal((0, QuantizedType.Q8_0, typeCount, typeCount), (p.Threads, p.FileType, p.OutputTensorType, p.TokenEmbeddingType));
        Assert.Equal((0, 1, 0, 0, 0, 0), (p.AllowRequantize, p.QuantizeOutputTensor, p.OnlyCopy, p.Pure, p.KeepSplit, p.DryRun));
        Assert.Equal((0, 0, 0, 0), (p.ImportanceMatrix, p.KeyValueOverrides, p.TensorTypeOverrides, p.PrunedLayers));
        Assert.Equal(8ul << 30, (ulong)p.MaxBufferBytes);
    }

    [Fact]
    public void Sampler_chain_params() => Assert.Equal(1, LlamaNative.DefaultSamplerChainParams().NoPerformance);

    [Fact]
    public unsafe void Threadpool_params()
    {
        ThreadpoolParams p;
        new Span<byte>(&p, sizeof(ThreadpoolParams)).Fill(0xFF);
        LlamaNative.InitThreadpoolParams(&p, 3);
        Assert.Equal((3, 0, 50u, 0, 0), (p.Threads, p.Priority, p.Poll, p.StrictCpu, p.Paused));
        Assert.Equal((0, 0), (p.CpuMask[0], p.CpuMask[ThreadpoolParams.MaxThreads - 1]));
    }

    [Fact]
    public unsafe void Sizes_of_structs_that_have_no_defaults() => Assert.Equal((56, 16, 24, 264), (sizeof(Batch), sizeof(TemplateMessage), sizeof(ImportanceData), sizeof(KeyValueOverride)));
}
