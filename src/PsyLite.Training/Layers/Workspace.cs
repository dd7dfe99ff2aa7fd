using PsyLite.Models;
using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>What the layers of one decoder share: the kernels, the rotary tables and scratch matrices that no layer keeps.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly List<NativeBuffer> _buffers = [];
    private readonly NativeBuffer _dropped;

    /// <param name="headFloats">Room that the head needs while no block works.</param>
    public Workspace(ModelConfig config, WorkerPool pool, int maxTokens, LoraOptions? lora, long headFloats)
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
        HeadRoom = Reserve(Math.Max(headFloats, (long)maxTokens * config.IntermediateSize), zeroed: false);
        Act = HeadRoom.Matrix(maxTokens, config.IntermediateSize);
        DownGradient = Allocate(maxTokens, lora?.Rank ?? 0);
        _dropped = Reserve(lora is { Dropout: > 0 } ? (long)maxTokens * Math.Max(config.HiddenSize, config.IntermediateSize) : 0);
    }

    public ModelConfig Config { get; }

    public WorkerPool Pool { get; }

    public Gemm Gemm { get; }

    public int MaxTokens { get; }

    /// <summary>[maxTokens x headSize / 2]</summary>
    public Matrix Cosine { get; }

    public Matrix Sine { get; }

    /// <summary>[maxTokens x hidden] output of the norm in hand, forward and again in the backward pass; at the end of the forward pass, that of the last.</summary>
    public Matrix Normed { get; }

    /// <summary>[maxTokens x hidden]; in the forward pass, the output of the heads.</summary>
    public Matrix NormedGradient { get; }

    /// <summary>[maxTokens x intermediate] silu(gate) * up, or its gradient.</summary>
    public Matrix Act { get; }

    /// <summary>What the head works in between the forward and the backward pass of the blocks: the place of <see cref="Act"/>.</summary>
    public NativeBuffer HeadRoom { get; }

    /// <summary>[maxTokens x r] gradient of the inner activation of the adapter in hand.</summary>
    public Matrix DownGradient { get; }

    /// <summary>What the masks of this forward and backward pass come from; null drops nothing.</summary>
    public ulong? DropoutSeed { get; set; }

    /// <summary>Room for the input of an adapter with some of it dropped, or for its gradient.</summary>
    public Matrix DroppedRows(int rows, int columns) => _dropped.Matrix(rows, columns);

    /// <summary>Bytes of everything allocated here.</summary>
    public long Bytes => _buffers.Sum(b => b.Length * sizeof(float));

    /// <summary>A zeroed matrix that lives as long as this workspace.</summary>
    public Matrix Allocate(int rows, int columns) => Reserve((long)rows * columns).Matrix(rows, columns);

    /// <summary>Memory that lives as long as this workspace.</summary>
    public NativeBuffer Reserve(long floats, bool zeroed = true)
    {
        var buffer = new NativeBuffer(floats, zeroed);
        _buffers.Add(buffer);
        return buffer;
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
