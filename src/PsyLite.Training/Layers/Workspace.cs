using PsyLite.Models;
using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>What the layers of one decoder share: the kernels, the rotary tables and scratch matrices that no layer keeps.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly List<NativeBuffer> _buffers = [];
    private readonly NativeBuffer _dropped;

    public Workspace(ModelConfig config, WorkerPool pool, int maxTokens, LoraOptions? lora)
    {
        Config = config;
        Pool = pool;
        MaxTokens = maxTokens;
        Gemm = new Gemm(pool, GemmEngine.Best);
        Cosine = Allocate(maxTokens, config.HeadSize / 2);
        Sine = Allocate(maxTokens, config.HeadSize / 2);
        RopeKernel.FillTables(Cosine, Sine, config.RopeBase);
        Normed = Allocate(maxTokens, config.HiddenSize);
        NormedGradient = Allocate(maxTokens, config.HiddenSize);
        AttendedGradient = Allocate(maxTokens, config.HiddenSize);
        QkvGradient = Allocate(maxTokens, config.QkvSize);
        Act = Allocate(maxTokens, config.IntermediateSize);
        DownGradient = Allocate(maxTokens, lora?.Rank ?? 0);
        _dropped = new NativeBuffer(lora is { Dropout: > 0 } ? (long)maxTokens * Math.Max(config.HiddenSize, config.IntermediateSize) : 0);
        _buffers.Add(_dropped);
    }

    public ModelConfig Config { get; }

    public WorkerPool Pool { get; }

    public Gemm Gemm { get; }

    public int MaxTokens { get; }

    /// <summary>[maxTokens x headSize / 2]</summary>
    public Matrix Cosine { get; }

    public Matrix Sine { get; }

    /// <summary>[maxTokens x hidden] output of the norm in hand, forward and again in the backward pass.</summary>
    public Matrix Normed { get; }

    public Matrix NormedGradient { get; }

    public Matrix AttendedGradient { get; }

    /// <summary>[maxTokens x qkv]</summary>
    public Matrix QkvGradient { get; }

    /// <summary>[maxTokens x intermediate] silu(gate) * up, or its gradient.</summary>
    public Matrix Act { get; }

    /// <summary>[maxTokens x r] gradient of the inner activation of the adapter in hand.</summary>
    public Matrix DownGradient { get; }

    /// <summary>What the masks of this forward and backward pass come from; null drops nothing.</summary>
    public ulong? DropoutSeed { get; set; }

    /// <summary>Room for the input of an adapter with some of it dropped, or for its gradient.</summary>
    public Matrix DroppedRows(int rows, int columns) => _dropped.Matrix(rows, columns);

    /// <summary>Bytes of everything allocated here.</summary>
    public long Bytes => _buffers.Sum(b => b.Length * sizeof(float));

    /// <summary>A zeroed matrix that lives as long as this workspace.</summary>
    public Matrix Allocate(int rows, int columns)
    {
        var buffer = new NativeBuffer((long)rows * columns);
        _buffers.Add(buffer);
        return buffer.Matrix(rows, columns);
    }

    public void Dispose()
    {
        Gemm.Dispose();
        foreach (var buffer in _buffers)
        {
            buffer.Dispose();
        }
    }
}
