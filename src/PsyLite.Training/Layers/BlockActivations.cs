using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>What the backward pass of a block needs of its forward pass. Blocks that recompute it share one.</summary>
internal sealed class BlockActivations
{
    private readonly Matrix[] _downs;

    /// <param name="rank">Rank of the adapters; 0 without.</param>
    public BlockActivations(Workspace workspace, int rank)
    {
        var (c, rows) = (workspace.Config, workspace.MaxTokens);
        Qkv = workspace.Allocate(rows, c.QkvSize);
        Middle = workspace.Allocate(rows, c.HiddenSize);
        var wide = workspace.Reserve((long)rows * Width(c));
        Gate = wide.Matrix(rows, c.IntermediateSize);
        Up = wide.Matrix(rows, c.IntermediateSize, (long)rows * c.IntermediateSize);
        QkvGradient = wide.Matrix(rows, c.QkvSize);
        AttendedGradient = wide.Matrix(rows, c.HiddenSize, (long)rows * c.QkvSize);
        Attended = wide.Matrix(rows, c.HiddenSize, (long)rows * (c.QkvSize + c.HiddenSize));
        LogSumExp = workspace.Allocate(c.Heads, rows);
        _downs = rank == 0 ? [] : [.. Enumerable.Range(0, 5).Select(_ => workspace.Allocate(rows, rank))];
    }

    /// <summary>[T x qkv], rotated.</summary>
    public Matrix Qkv { get; }

    /// <summary>[T x hidden] the residual stream between attention and feed-forward.</summary>
    public Matrix Middle { get; }

    /// <summary>[T x intermediate]</summary>
    public Matrix Gate { get; }

    public Matrix Up { get; }

    /// <summary>[T x qkv] in the place of gate and up, which nobody needs once the feed-forward part has gone backwards; so the next two.</summary>
    public Matrix QkvGradient { get; }

    /// <summary>[T x hidden]</summary>
    public Matrix AttendedGradient { get; }

    /// <summary>[T x hidden] output of the heads, made again.</summary>
    public Matrix Attended { get; }

    /// <summary>[heads x T]</summary>
    public Matrix LogSumExp { get; }

    /// <summary>Floats a token of gate and up, or of what comes into their place.</summary>
    public static int Width(Models.ModelConfig config) => Math.Max(2 * config.IntermediateSize, config.QkvSize + (2 * config.HiddenSize));

    /// <summary>[T x r] of the adapter of the n-th linear layer; null without adapters.</summary>
    public Matrix? Down(int layer) => _downs.Length == 0 ? null : _downs[layer];
}
